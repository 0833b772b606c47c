// SPDX-License-Identifier: Apache-2.0
// A language model as load/ hands it over: entries over the same states, and what turns text into tokens and back.
#pragma once

#include <memory>
#include <vector>

#include "engine/engine.h"
#include "text/chat_template.h"
#include "text/tokenizer.h"

namespace narae {

struct LanguageModel {
  std::shared_ptr<const Engine> forward, sample;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::shared_ptr<const ChatTemplate> chat;  // null: the model has none
  int64_t context = 0, vocabulary = 0, page_size = 16;
  std::vector<int32_t> stop_ids;  // end an answer
};

}  // namespace narae
