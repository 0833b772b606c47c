// SPDX-License-Identifier: Apache-2.0
#include "server/openai_ask.h"

#include <charconv>

#include "base/error.h"
#include "llm/prompt.h"
#include "server/json_fields.h"

namespace narae {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostTexts = 2048;  // of a request, as OpenAI has it
constexpr size_t kMostBiases = 1024, kMostStopIds = 256, kMostStops = 16, kLongestStop = 1024;

std::vector<int32_t> ids_of(const Json& list, const char* name) {
  std::vector<int32_t> ids;
  ids.reserve(list.size());
  for (const Json& id : list) {
    if (!whole_between(id, 0, INT32_MAX)) {
      fail(ErrorCode::usage, "\"{}\" holds {}, which is no token", name, shown_json(id));
    }
    ids.push_back(id.get<int32_t>());
  }
  return ids;
}

// Contents in parts become one text, which is what templates take.
std::string content_of(const Json& message, size_t index) {
  const auto found = message.find("content");
  if (found == message.end() || found->is_null()) return {};
  if (found->is_string()) return found->get<std::string>();
  std::string text;
  if (!found->is_array()) fail(ErrorCode::usage, "the content of messages[{}] is to be a text", index);
  for (const Json& part : *found) {
    const bool is_text = part.is_object() && part.value("type", Json()) == "text" && part.contains("text") &&
                         part.at("text").is_string();
    if (!is_text) {
      fail(ErrorCode::usage, "messages[{}] holds {}; the model takes parts of type \"text\"", index, shown_json(part));
    }
    text += part.at("text").get<std::string>();
  }
  return text;
}

nlohmann::ordered_json read_messages(const Json& list) {
  if (!list.is_array() || list.empty()) fail(ErrorCode::usage, "\"messages\" is to be a list with a message at least");
  auto messages = nlohmann::ordered_json::array();
  for (size_t i = 0; i < list.size(); ++i) {
    const Json& message = list[i];
    if (!message.is_object() || !message.contains("role") || !message.at("role").is_string()) {
      fail(ErrorCode::usage, "messages[{}] is to be an object with a text \"role\"", i);
    }
    for (const char* name : {"tool_calls", "function_call", "audio"}) {
      const auto found = message.find(name);
      if (found != message.end() && !found->is_null() && !found->empty()) {
        fail(ErrorCode::usage, "messages[{}] has \"{}\", which is not possible here", i, name);
      }
    }
    messages.push_back({{"role", message.at("role")}, {"content", content_of(message, i)}});
    if (message.contains("name") && message.at("name").is_string()) messages.back()["name"] = message.at("name");
  }
  return messages;
}

std::vector<std::string> read_stops(const Json& value) {
  std::vector<std::string> stops;
  const Json list = value.is_string() ? Json::array({value}) : value;
  if (!list.is_array() || list.size() > kMostStops) {
    fail(ErrorCode::usage, "\"stop\" is to be a text or at most {} of them", kMostStops);
  }
  for (const Json& one : list) {
    if (!one.is_string()) fail(ErrorCode::usage, "\"stop\" holds {}, which is no text", shown_json(one));
    stops.push_back(one.get<std::string>());
    if (stops.back().size() > kLongestStop) {
      fail(ErrorCode::usage, "\"stop\" holds a text of {} bytes; {} are possible", stops.back().size(), kLongestStop);
    }
  }
  return stops;
}

std::vector<LogitBias> read_bias(const Json& object) {
  if (!object.is_object()) fail(ErrorCode::usage, "\"logit_bias\" is to be an object of tokens and numbers");
  if (object.size() > kMostBiases) {
    fail(ErrorCode::usage, "\"logit_bias\" holds {} tokens; {} are possible", object.size(), kMostBiases);
  }
  std::vector<LogitBias> list;
  for (const auto& [token, bias] : object.items()) {
    int32_t id = -1;
    const char* end = token.data() + token.size();
    const auto read = std::from_chars(token.data(), end, id);
    if (read.ec != std::errc() || read.ptr != end || id < 0 || !bias.is_number()) {
      fail(ErrorCode::usage, "\"logit_bias\" holds \"{}\": {}; tokens are ids, biases numbers", token.substr(0, 40),
           shown_json(bias));
    }
    list.push_back({id, bias.get<float>()});
  }
  return list;
}

void read_sampling(JsonFields& fields, OpenAiAsk& ask) {
  SamplingParams& params = ask.call.params;
  const auto number = [&](const char* name, float& value) {
    value = static_cast<float>(fields.take_number(name, static_cast<double>(value)));
  };
  number("temperature", params.temperature);
  number("top_p", params.top_p);
  number("min_p", params.min_p);
  number("repetition_penalty", params.repetition_penalty);
  number("presence_penalty", params.presence_penalty);
  number("frequency_penalty", params.frequency_penalty);
  params.top_k = static_cast<int32_t>(std::max<int64_t>(fields.take_integer("top_k", 0, -1, INT32_MAX), 0));
  params.min_tokens = fields.take_integer("min_tokens", 0, 0, INT64_MAX);
  params.n = static_cast<int32_t>(fields.take_integer("n", 1, 1, INT32_MAX));
  params.seed =
      static_cast<uint64_t>(fields.take_integer("seed", static_cast<int64_t>(params.seed), INT64_MIN, INT64_MAX));
  if (const Json* ids = fields.take("stop_token_ids")) {
    if (!ids->is_array() || ids->size() > kMostStopIds) {
      fields.wrong("stop_token_ids", fmt::format("is to be a list of at most {} tokens", kMostStopIds));
    }
    params.stop_ids = ids_of(*ids, "stop_token_ids");
  }
  if (const Json* bias = fields.take("logit_bias")) params.logit_bias = read_bias(*bias);
  if (const Json* stop = fields.take("stop")) ask.stops = read_stops(*stop);
  ask.call.ignore_eos = fields.take_bool("ignore_eos", false);
  ask.call.priority = static_cast<int>(fields.take_integer("priority", 0, -100, 100));
  ask.call.timeout = fields.take_integer("timeout_ms", 0, 0, int64_t{1} << 40) * 1000;
  if (const std::string salt = fields.take_text("cache_salt"); !salt.empty()) ask.call.salt = hash_string(salt);
}

void read_stream(JsonFields& fields, OpenAiAsk& ask) {
  ask.stream = fields.take_bool("stream", false);
  if (const Json* options = fields.take("stream_options")) {
    if (!ask.stream) fields.wrong("stream_options", "is only possible with \"stream\": true");
    JsonFields inner(*options, "stream_options");
    ask.include_usage = inner.take_bool("include_usage", false);
    inner.ignore({"include_obfuscation", "continuous_usage_stats"});
    inner.finish();
  }
}

// What nothing here depends on, and what would change the answer but cannot be had.
void read_rest(JsonFields& fields) {
  fields.ignore({"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key",
                 "parallel_tool_calls", "verbosity", "model"});
  const auto empty = [](const Json& value) { return value.empty(); };
  for (const char* name : {"tools", "functions", "audio", "prediction", "web_search_options", "suffix"}) {
    fields.refuse(name, empty);
  }
  fields.refuse("tool_choice", [](const Json& value) { return value == "none" || value == "auto"; });
  fields.refuse("function_call", [](const Json& value) { return value == "none"; });
  fields.refuse("response_format", [](const Json& value) { return value == Json{{"type", "text"}}; });
  fields.refuse("modalities", [](const Json& value) { return value == Json{"text"}; });
  fields.refuse("reasoning_effort", [](const Json& value) { return value == "none"; });
}

void read_logprobs(JsonFields& fields, OpenAiAsk& ask) {
  int32_t& top = ask.call.params.top_logprobs;
  if (ask.chat) {
    ask.logprobs = fields.take_bool("logprobs", false);
    top = static_cast<int32_t>(fields.take_integer("top_logprobs", 0, 0, most_top_logprobs));
    if (top > 0 && !ask.logprobs) fields.wrong("top_logprobs", "is only possible with \"logprobs\": true");
  } else {
    const int64_t count = fields.take_integer("logprobs", -1, 0, most_top_logprobs);
    ask.logprobs = count >= 0;
    top = static_cast<int32_t>(std::max<int64_t>(count, 0));
    ask.echo = fields.take_bool("echo", false);
    if (ask.echo && ask.logprobs) fields.wrong("echo", "is not possible with \"logprobs\"");
    fields.refuse("best_of", [&](const Json& value) { return value == ask.call.params.n; });
  }
}

}  // namespace

std::string openai_model_name(const Json& body) { return JsonFields(body).take_text("model"); }

std::vector<std::vector<int32_t>> read_openai_texts(
    const Json& value, const char* name, const std::function<std::vector<int32_t>(const std::string& text)>& tokens) {
  if (value.is_string()) return {tokens(value.get_ref<const std::string&>())};
  if (!value.is_array() || value.empty()) fail(ErrorCode::usage, "\"{}\" is to be a text or a list of them", name);
  if (value[0].is_number()) return {ids_of(value, name)};
  if (value.size() > kMostTexts) {
    fail(ErrorCode::usage, "\"{}\" holds {} texts; send at most {}", name, value.size(), kMostTexts);
  }
  std::vector<std::vector<int32_t>> all;
  for (const Json& one : value) {
    if (one.is_string()) {
      all.push_back(tokens(one.get_ref<const std::string&>()));
    } else if (one.is_array()) {
      all.push_back(ids_of(one, name));
    } else {
      fail(ErrorCode::usage, "\"{}\" holds {}, which is neither a text nor a list of tokens", name, shown_json(one));
    }
  }
  return all;
}

OpenAiAsk read_openai_ask(const Json& body, bool chat, const TextModel& model, uint64_t seed) {
  JsonFields fields(body);
  OpenAiAsk ask;
  ask.chat = chat;
  ask.call.params.seed = seed;
  read_sampling(fields, ask);
  read_stream(fields, ask);
  read_logprobs(fields, ask);
  const int64_t most = fields.take_integer("max_tokens", chat ? model.context() : 16, 1, INT64_MAX);
  ask.call.params.max_tokens = chat ? fields.take_integer("max_completion_tokens", most, 1, INT64_MAX) : most;
  if (chat) {
    const auto messages = read_messages(fields.need("messages"));
    ask.prompts = {chat_prompt(model.model(), messages)};
  } else {
    ask.prompts = read_openai_texts(fields.need("prompt"), "prompt",
                                    [&](const std::string& text) { return text_prompt(model.model(), text); });
  }
  read_rest(fields);
  fields.finish();
  return ask;
}

}  // namespace narae
