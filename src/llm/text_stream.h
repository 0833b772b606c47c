// SPDX-License-Identifier: Apache-2.0
// The reader's side of one branch of an answer: tokens to text, held back while it may become a stop string.
#pragma once

#include <string>
#include <vector>

#include "batch/sink.h"
#include "text/detokenizer.h"

namespace narae {

class TextStream {
 public:
  // `stops`: strings that end the answer and are not part of it; none is empty (Error usage).
  TextStream(const Tokenizer& tokenizer, std::vector<std::string> stops);

  // Takes a piece of the branch; appends the text that is certain now. False once a stop string was found: the request
  // may be cancelled and further pieces say nothing.
  bool push(const Piece& piece, std::string& text);
  const std::vector<int32_t>& ids() const { return ids_; }
  bool stopped() const { return stopped_; }  // by a stop string
  Finish finish() const { return stopped_ ? Finish::stop : finish_; }

 private:
  void release(bool last, std::string& text);

  Detokenizer detokenizer_;
  std::vector<std::string> stops_;
  std::string held_;
  std::vector<int32_t> ids_;
  Finish finish_ = Finish::none;
  bool stopped_ = false;
};

}  // namespace narae
