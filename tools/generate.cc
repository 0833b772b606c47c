// SPDX-License-Identifier: Apache-2.0
// narae generate: answers of a language model to one prompt, or to many at once.
#include <fstream>
#include <optional>

#include "answers.h"
#include "base/error.h"
#include "llm/prompt.h"
#include "llm/score.h"
#include "npy_tensor.h"
#include "text_file.h"

namespace narae {
namespace {

using Json = nlohmann::ordered_json;

struct GenerateFlags {
  LlmFlags llm;
  SamplingFlags sampling;
  std::optional<std::string> prompt;  // may be empty: the model's own beginning is then all
  std::string ids, chat, requests, logits;
  int32_t concurrency = 1;
};

Json parse_json(std::string_view text, const std::string& where) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    fail(ErrorCode::bad_file, "{} is not JSON: {}", where, error.what());
  }
}

// A line of --requests: "ids", "prompt" or "messages", and fields that stand in for the flags.
std::vector<int32_t> ids_of(const LanguageModel& model, const Json& line) {
  if (line.contains("ids")) return line.at("ids").get<std::vector<int32_t>>();
  if (line.contains("prompt")) return text_prompt(model, line.at("prompt").get<std::string>());
  if (line.contains("messages")) return chat_prompt(model, line.at("messages"));
  fail(ErrorCode::usage, "a request needs \"ids\", \"prompt\" or \"messages\"");
}

SamplingParams params_of(SamplingParams params, const Json& line) {
  const auto take = [&](const char* name, auto& value) {
    if (line.contains(name)) line.at(name).get_to(value);
  };
  take("max_tokens", params.max_tokens);
  take("temperature", params.temperature);
  take("top_k", params.top_k);
  take("top_p", params.top_p);
  take("min_p", params.min_p);
  take("repetition_penalty", params.repetition_penalty);
  take("presence_penalty", params.presence_penalty);
  take("frequency_penalty", params.frequency_penalty);
  take("min_tokens", params.min_tokens);
  take("seed", params.seed);
  return params;
}

void save_logits(const GenerateFlags& flags, const Ask& ask, const LanguageModel& model, Runtime& runtime) {
  std::vector<int32_t> ids = ask.request->in.tokens;
  ids.insert(ids.end(), ask.stream->ids().begin(), ask.stream->ids().end());
  ids.pop_back();
  const Tensor all = Tensor::allocate(DType::f32, {static_cast<int64_t>(ids.size()), model.vocabulary});
  score(model, runtime.device(), &runtime.budget(), ids, flags.llm.step_tokens,
        [&](int64_t position, std::span<const float> logits) {
          std::copy(logits.begin(), logits.end(), all.as<float>() + position * model.vocabulary);
        });
  save_tensor(flags.logits, all);
}

void answer_one(const GenerateFlags& flags, Executor& executor, Runtime& runtime, Console& console) {
  const LanguageModel& model = executor.model();
  std::vector<int32_t> ids;
  if (!flags.ids.empty()) ids = parse_ids(flags.ids);
  if (flags.prompt) ids = text_prompt(model, *flags.prompt);
  if (!flags.chat.empty()) {
    const Json chat = parse_json(TextFile(flags.chat).text(), fmt::format("\"{}\"", flags.chat));
    ids = chat_prompt(model, chat.is_object() && chat.contains("messages") ? chat.at("messages") : chat);
  }
  Answers answers(executor, flags.sampling.stops);
  const auto ask = answers.ask(ids, sampling_of(flags.sampling, model, flags.llm.everywhere.seed),
                               [&](std::string_view text) { console.piece(text); });
  ask->id = 0;
  answers.next();
  const Json result = result_of(*ask);
  console.line("");
  console.say("{} tokens, the first after {:.0f} ms, then {:.1f} tokens/s", ask->stream->ids().size(),
              result.at("first_token_ms").get<double>(), result.at("decode_tokens_per_s").get<double>());
  if (!flags.logits.empty()) save_logits(flags, *ask, model, runtime);
  console.result(result);
}

void answer_all(const GenerateFlags& flags, Executor& executor, Console& console) {
  const LanguageModel& model = executor.model();
  const SamplingParams usual = sampling_of(flags.sampling, model, flags.llm.everywhere.seed);
  std::ifstream file(flags.requests);
  if (!file) fail(ErrorCode::bad_file, "cannot open \"{}\"", flags.requests);
  Answers answers(executor, flags.sampling.stops);
  std::vector<std::unique_ptr<Ask>> asks;
  int64_t number = 0;
  const auto finish = [&] {
    Ask& done = answers.next();
    console.result(result_of(done));
    std::erase_if(asks, [&](const auto& ask) { return ask.get() == &done; });
  };
  for (std::string text; std::getline(file, text); ++number) {
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string where = fmt::format("line {} of \"{}\"", number + 1, flags.requests);
    with_context([&] { return where; },
                 [&] {
                   const Json line = parse_json(text, where);
                   try {
                     auto ask = answers.ask(ids_of(model, line), params_of(usual, line));
                     ask->id = line.contains("id") ? line.at("id") : Json(number);
                     asks.push_back(std::move(ask));
                   } catch (const Json::exception& error) {
                     fail(ErrorCode::usage, "{}", error.what());
                   }
                 });
    while (static_cast<int32_t>(asks.size()) >= flags.concurrency) finish();
  }
  while (!asks.empty()) finish();
}

void generate(const GenerateFlags& flags, Console& console) {
  const int ways = !flags.ids.empty() + flags.prompt.has_value() + !flags.chat.empty() + !flags.requests.empty();
  if (ways != 1) fail(ErrorCode::usage, "give one of --ids, --prompt, --chat and --requests");
  if (!flags.logits.empty() && !flags.requests.empty()) fail(ErrorCode::usage, "--logits takes a single prompt");
  Runtime runtime(runtime_options(flags.llm.everywhere));
  const auto executor = make_executor(flags.llm, load_llm(flags.llm, runtime), runtime, flags.concurrency);
  if (flags.requests.empty()) {
    answer_one(flags, *executor, runtime, console);
  } else {
    answer_all(flags, *executor, console);
  }
}

}  // namespace

void add_generate(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("generate", "answers of a language model");
  auto flags = std::make_shared<GenerateFlags>();
  flags->sampling.params.max_tokens = 128;
  add_llm(*command, flags->llm, console);
  add_sampling(*command, flags->sampling);
  command->add_option("--ids", flags->ids, "token ids of the prompt, with commas between them");
  command->add_option("--prompt", flags->prompt, "the prompt");
  command->add_option("--chat", flags->chat, "JSON file with messages [{\"role\", \"content\"}, ..]");
  command->add_option("--requests", flags->requests,
                      "a JSON object a line: \"ids\", \"prompt\" or \"messages\", and what differs from the flags");
  command->add_option("--concurrency", flags->concurrency, "requests under way at a time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--logits", flags->logits, ".npy file for the logits behind every token but the last");
  command->footer("Example:\n  narae generate smollm2.gguf --prompt \"1, 2, 3,\" --greedy --max-tokens 12");
  command->callback([flags, &console] { generate(*flags, console); });
}

}  // namespace narae
