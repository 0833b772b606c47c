// SPDX-License-Identifier: Apache-2.0
// The one thing not to get wrong: a repeat counts against the step before, blank or not, never against the last kept.
#include "ctc.h"

#include <algorithm>
#include <stdexcept>

namespace ocr {

Alphabet::Alphabet(std::string_view lines) {
  characters_.emplace_back();  // the blank
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    std::string_view line = lines.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    characters_.emplace_back(line);
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  characters_.emplace_back(" ");
}

namespace {

Text decode_line(const float* probabilities, std::size_t steps, const Alphabet& alphabet) {
  const std::size_t classes = alphabet.classes();
  Text text;
  std::size_t before = 0, kept = 0;
  double sum = 0;
  for (std::size_t step = 0; step < steps; ++step) {
    const float* row = probabilities + step * classes;
    const float* best = std::max_element(row, row + classes);
    const std::size_t index = static_cast<std::size_t>(best - row);
    if (index != 0 && index != before) {
      text.utf8 += alphabet[index];
      sum += *best;
      ++kept;
    }
    before = index;
  }
  if (kept > 0) text.score = static_cast<float>(sum / static_cast<double>(kept));
  return text;
}

}  // namespace

std::vector<Text> decode_ctc(const View& probabilities, const Alphabet& alphabet) {
  const Shape& shape = probabilities.shape;
  if (shape.size() != 3 || shape[2] != static_cast<std::int64_t>(alphabet.classes()))
    throw std::runtime_error("the recogniser's output is not [lines, steps, " + std::to_string(alphabet.classes()) +
                             "]: its character list belongs to another network");
  std::vector<Text> texts;
  const std::size_t steps = static_cast<std::size_t>(shape[1]);
  for (std::int64_t i = 0; i < shape[0]; ++i)
    texts.push_back(
        decode_line(probabilities.data + static_cast<std::size_t>(i) * steps * alphabet.classes(), steps, alphabet));
  return texts;
}

}  // namespace ocr
