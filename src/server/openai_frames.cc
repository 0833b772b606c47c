// SPDX-License-Identifier: Apache-2.0
#include "server/openai_frames.h"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

namespace narae {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string event(const Json& json) { return "data: " + text_of(json) + "\n\n"; }

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
Json OpenAiFrames::token_json(int32_t token, float logprob) const {
  const std::string_view piece = about_.tokenizer->piece(token);
  Json bytes = Json::array();
  for (const char byte : piece) bytes.push_back(static_cast<unsigned char>(byte));
  return {{"token", std::string(piece)}, {"logprob", logprob}, {"bytes", bytes}, {"top_logprobs", Json::array()}};
}

Json OpenAiFrames::logprobs_json(std::span<const int32_t> tokens, std::span<const float> logprobs,
                                 size_t& offset) const {
  if (!about_.logprobs) return nullptr;
  if (about_.chat) {
    Json content = Json::array();
    for (size_t i = 0; i < tokens.size(); ++i) content.push_back(token_json(tokens[i], logprobs[i]));
    return {{"content", content}, {"refusal", nullptr}};
  }
  Json texts = Json::array(), values = Json::array(), offsets = Json::array();
  for (size_t i = 0; i < tokens.size(); ++i) {
    const std::string piece(about_.tokenizer->piece(tokens[i]));
    texts.push_back(piece);
    values.push_back(logprobs[i]);
    offsets.push_back(offset);
    offset +=
        static_cast<size_t>(std::count_if(piece.begin(), piece.end(), [](char byte) { return (byte & 0xc0) != 0x80; }));
  }
  return {{"tokens", texts}, {"token_logprobs", values}, {"top_logprobs", nullptr}, {"text_offset", offsets}};
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
  if (has_token) logprobs = logprobs_json({&news.token, 1}, {&news.logprob, 1}, offsets_[choice]);
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
  size_t offset = 0;  // texts with logprobs echo no prompt
  choice["logprobs"] =
      logprobs_json(std::span(branch.stream.ids()).first(tokens), std::span(branch.logprobs).first(tokens), offset);
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
