// SPDX-License-Identifier: Apache-2.0
// Text from a recogniser's class probabilities by greedy CTC decoding (Graves et al., ICML 2006).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "net.h"

namespace ocr {

struct Text {
  std::string utf8;
  float score = 0;  // mean probability of the kept steps; 0 when none is kept
};

// Class 0 is the blank, class k line k - 1 of the model's list, the class after the last line the space.
class Alphabet {
 public:
  // `lines`: the recogniser's metadata "character", one character a line.
  explicit Alphabet(std::string_view lines);
  std::size_t classes() const { return characters_.size(); }
  const std::string& operator[](std::size_t index) const { return characters_[index]; }

 private:
  std::vector<std::string> characters_;
};

// `probabilities`: [lines, steps, classes]. The best class per step, repeats merged, blanks dropped.
// Throws std::runtime_error when the class count is not the alphabet's.
std::vector<Text> decode_ctc(const View& probabilities, const Alphabet& alphabet);

}  // namespace ocr
