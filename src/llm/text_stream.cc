// SPDX-License-Identifier: Apache-2.0
#include "llm/text_stream.h"

#include <algorithm>

#include "base/error.h"

namespace narae {

TextStream::TextStream(const Tokenizer& tokenizer, std::vector<std::string> stops)
    : detokenizer_(tokenizer, {.continues = true}), stops_(std::move(stops)) {
  for (const std::string& stop : stops_) {
    if (stop.empty()) fail(ErrorCode::usage, "a stop string is empty; leave it out");
  }
}

bool TextStream::push(const Piece& piece, std::string& text) {
  if (stopped_) return false;
  if (piece.token >= 0) {
    ids_.push_back(piece.token);
    // What stops the answer is no part of it.
    if (piece.finish != Finish::stop) detokenizer_.push(piece.token, held_);
  }
  finish_ = piece.finish;
  const bool last = piece.finish != Finish::none;
  if (last) detokenizer_.flush(held_);
  release(last, text);
  return !stopped_;
}

// All but the longest end of the text that a stop string may begin with.
void TextStream::release(bool last, std::string& text) {
  size_t found = std::string::npos;
  for (const std::string& stop : stops_) found = std::min(found, held_.find(stop));
  if (found != std::string::npos) {
    stopped_ = true;
    held_.resize(found);
    last = true;
  }
  size_t kept = 0;
  for (const std::string& stop : stops_) {
    for (size_t size = std::min(stop.size() - 1, held_.size()); !last && size > kept; --size) {
      if (held_.compare(held_.size() - size, size, stop, 0, size) == 0) kept = size;
    }
  }
  text.append(held_, 0, held_.size() - kept);
  held_.erase(0, held_.size() - kept);
}

}  // namespace narae
