// SPDX-License-Identifier: Apache-2.0
// The JSON of OpenAI's answers about text: whole, or chunk by chunk as server-sent events.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "llm/answer_reader.h"

namespace narae {

struct OpenAiUsage {
  int64_t prompt = 0, completion = 0, cached = 0;
};

class OpenAiFrames {
 public:
  struct About {
    std::string id, model;
    const Tokenizer* tokenizer = nullptr;
    bool chat = false, logprobs = false, include_usage = false;
  };
  // `about.id` is the request's; the answer's is made of it.
  explicit OpenAiFrames(About about);

  // Events of a stream, "data: ..\n\n" each.
  std::string begin(int64_t choice) const;  // tells the role; nothing where there are no roles
  std::string chunk(int64_t choice, const AnswerReader::Event& event);
  std::string text_chunk(int64_t choice, const std::string& text) const;  // such as an echoed prompt
  std::string error(const std::string& body) const;
  std::string end(const OpenAiUsage& usage) const;  // with [DONE]

  // A whole answer: choices in order.
  void add_choice(const AnswerReader::Branch& branch, const std::string& before);
  std::string whole(const OpenAiUsage& usage) const;

 private:
  nlohmann::ordered_json envelope(bool streams) const;
  nlohmann::ordered_json token_json(TokenLogprob token) const;
  // `tops`: for each token equally many. `offset`: characters of the choice before these tokens; moves on behind them.
  nlohmann::ordered_json logprobs_json(std::span<const int32_t> tokens, std::span<const float> logprobs,
                                       std::span<const TokenLogprob> tops, size_t& offset) const;
  nlohmann::ordered_json chat_logprobs(std::span<const int32_t> tokens, std::span<const float> logprobs,
                                       std::span<const TokenLogprob> tops) const;
  std::string event_of(int64_t choice, nlohmann::ordered_json delta, const nlohmann::ordered_json& logprobs,
                       Finish finish) const;

  About about_;
  int64_t created_;
  std::vector<std::string> choices_;   // JSON texts
  std::map<int64_t, size_t> offsets_;  // characters of each streamed choice
};

}  // namespace narae
