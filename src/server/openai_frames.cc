// SPDX-License-Identifier: Apache-2.0
#include "server/openai_frames.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "text/utf8.h"

namespace narae {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string event(const Json& json) { return "data: " + text_of(json) + "\n\n"; }

// The text of a token as a name in JSON: bytes that are no whole characters are spelt out, as OpenAI does.
std::string shown_piece(std::string_view piece) {
  if (find_invalid_utf8(piece) == std::string_view::npos) return std::string(piece);
  std::string shown = "bytes:";
  for (const char byte : piece) shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
  return shown;
}

Json finish_json(Finish finish) {
  if (finish == Finish::none) return nullptr;
  return finish == Finish::length ? "length" : "stop";
}

Json usage_json(const OpenAiUsage& usage) {
  return {{"prompt_tokens", usage.prompt},
          {"completion_tokens", usage.completion},
          {"total_tokens", usage.prompt + usage.completion},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached}}}};
}

}  // namespace

OpenAiFrames::OpenAiFrames(About about) : about_(std::move(about)), created_(std::time(nullptr)) {}

Json OpenAiFrames::envelope(bool streams) const {
  const char* kind = !about_.chat ? "text_completion" : streams ? "chat.completion.chunk" : "chat.completion";
  return {{"id", (about_.chat ? "chatcmpl-" : "cmpl-") + about_.id},
          {"object", kind},
          {"created", created_},
          {"model", about_.model}};
}

// A token that is part of a character shows as U+FFFD; its bytes are exact.
Json OpenAiFrames::token_json(TokenLogprob token) const {
  const std::string_view piece = about_.tokenizer->piece(token.token);
  Json bytes = Json::array();
  for (const char byte : piece) bytes.push_back(static_cast<unsigned char>(byte));
  return {{"token", std::string(piece)}, {"logprob", token.logprob}, {"bytes", bytes}};
}

Json OpenAiFrames::chat_logprobs(std::span<const int32_t> tokens, std::span<const float> logprobs,
                                 std::span<const TokenLogprob> tops) const {
  Json content = Json::array();
  const size_t count = tokens.empty() ? 0 : tops.size() / tokens.size();
  for (size_t i = 0; i < tokens.size(); ++i) {
    content.push_back(token_json({tokens[i], logprobs[i]}));
    Json& top = content.back()["top_logprobs"] = Json::array();
    for (const TokenLogprob& one : tops.subspan(i * count, count)) top.push_back(token_json(one));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

Json OpenAiFrames::logprobs_json(std::span<const int32_t> tokens, std::span<const float> logprobs,
                                 std::span<const TokenLogprob> tops, size_t& offset) const {
  if (!about_.logprobs) return nullptr;
  if (about_.chat) return chat_logprobs(tokens, logprobs, tops);
  Json texts = Json::array(), values = Json::array(), offsets = Json::array(), maps = Json::array();
  const size_t count = tokens.empty() ? 0 : tops.size() / tokens.size();
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string_view piece = about_.tokenizer->piece(tokens[i]);
    texts.push_back(shown_piece(piece));
    values.push_back(logprobs[i]);
    offsets.push_back(offset);
    offset +=
        static_cast<size_t>(std::count_if(piece.begin(), piece.end(), [](char byte) { return (byte & 0xc0) != 0x80; }));
    // The token that came is always told; of tokens that read alike the likelier one.
    Json map = Json::object();
    map[shown_piece(piece)] = logprobs[i];
    for (const TokenLogprob& one : tops.subspan(i * count, count)) {
      map.emplace(shown_piece(about_.tokenizer->piece(one.token)), one.logprob);
    }
    maps.push_back(std::move(map));
  }
  return {{"tokens", std::move(texts)},
          {"token_logprobs", std::move(values)},
          {"top_logprobs", count > 0 ? std::move(maps) : Json()},
          {"text_offset", std::move(offsets)}};
}

std::string OpenAiFrames::event_of(int64_t choice, Json delta, const Json& logprobs, Finish finish) const {
  Json json = envelope(true);
  Json one = {{"index", choice}};
  if (about_.chat) {
    one["delta"] = std::move(delta);
  } else {
    one["text"] = std::move(delta);
  }
  one["logprobs"] = logprobs;
  one["finish_reason"] = finish_json(finish);
  json["choices"] = Json::array({std::move(one)});
  if (about_.include_usage) json["usage"] = nullptr;
  return event(json);
}

std::string OpenAiFrames::begin(int64_t choice) const {
  return about_.chat ? event_of(choice, {{"role", "assistant"}, {"content", ""}}, nullptr, Finish::none) : "";
}

std::string OpenAiFrames::chunk(int64_t choice, const AnswerReader::Event& news) {
  Json logprobs = nullptr;
  const bool has_token = news.token >= 0;
  if (has_token) logprobs = logprobs_json({&news.token, 1}, {&news.logprob, 1}, news.top, offsets_[choice]);
  const bool says = !news.text.empty() || (about_.logprobs && has_token);
  if (!about_.chat) {
    return says || news.finish != Finish::none ? event_of(choice, news.text, logprobs, news.finish) : "";
  }
  std::string events;
  if (says) events = event_of(choice, {{"content", news.text}}, logprobs, Finish::none);
  if (news.finish != Finish::none) events += event_of(choice, Json::object(), nullptr, news.finish);
  return events;
}

std::string OpenAiFrames::text_chunk(int64_t choice, const std::string& text) const {
  return event_of(choice, text, nullptr, Finish::none);
}

std::string OpenAiFrames::error(const std::string& body) const { return "data: " + body + "\n\n"; }

std::string OpenAiFrames::end(const OpenAiUsage& usage) const {
  std::string events;
  if (about_.include_usage) {
    Json json = envelope(true);
    json["choices"] = Json::array();
    json["usage"] = usage_json(usage);
    events = event(json);
  }
  return events + "data: [DONE]\n\n";
}

void OpenAiFrames::add_choice(const AnswerReader::Branch& branch, const std::string& before) {
  Json choice = {{"index", choices_.size()}};
  if (about_.chat) {
    choice["message"] = {{"role", "assistant"}, {"content", branch.text}, {"refusal", nullptr}};
  } else {
    choice["text"] = before + branch.text;
  }
  const size_t tokens = std::min(branch.stream.ids().size(), branch.logprobs.size());
  const size_t tops = tokens > 0 ? branch.tops.size() / branch.logprobs.size() * tokens : 0;
  size_t offset = 0;  // texts with logprobs echo no prompt
  choice["logprobs"] =
      logprobs_json(std::span(branch.stream.ids()).first(tokens), std::span(branch.logprobs).first(tokens),
                    std::span(branch.tops).first(tops), offset);
  choice["finish_reason"] = finish_json(branch.finish);
  choices_.push_back(text_of(choice));
}

std::string OpenAiFrames::whole(const OpenAiUsage& usage) const {
  std::string text = text_of(envelope(false));
  text.back() = ',';
  text += "\"choices\":[";
  for (size_t i = 0; i < choices_.size(); ++i) text += (i ? "," : "") + choices_[i];
  return text + "],\"usage\":" + text_of(usage_json(usage)) + "}";
}

}  // namespace narae
