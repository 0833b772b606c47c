// SPDX-License-Identifier: Apache-2.0
// The patterns by hand. What is easy to get wrong: `\s+(?!\S)` gives back the last space of a run that a word follows,
// and alternatives are tried in order, not by length.
#include "text/pre_split.h"

#include "base/error.h"
#include "text/char_class.h"
#include "text/utf8.h"

namespace narae {
namespace {

struct Char {
  uint32_t value = 0;
  CharClass kind = CharClass::other;
  size_t end = 0;  // just behind it; == the position asked for at the end of the text
};

Char char_at(std::string_view text, size_t at) {
  if (at >= text.size()) return {0, CharClass::other, at};
  const CodePoint c = decode_valid(text, at);
  return {c.value, char_class(c.value), at + c.size};
}

bool is_line_end(uint32_t c) { return c == '\r' || c == '\n'; }

// End of the run of characters of `kind` from `at`.
size_t run_end(std::string_view text, size_t at, CharClass kind) {
  while (at < text.size()) {
    const Char c = char_at(text, at);
    if (c.kind != kind) break;
    at = c.end;
  }
  return at;
}

// Long s and the like fold to ASCII letters.
uint32_t folded(const Char& c) {
  if (c.value == 0x17f) return 's';
  return c.value < 128 && c.kind == CharClass::letter ? (c.value | 0x20) : c.value;
}

// 's 't 're 've 'm 'll 'd at `at`, where a quote stands: its end, or 0.
size_t contraction_end(std::string_view text, size_t at, bool any_case) {
  const Char first = char_at(text, at + 1);
  if (first.end == at + 1) return 0;
  const uint32_t a = any_case ? folded(first) : first.value;
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return first.end;
  if (a != 'r' && a != 'v' && a != 'l') return 0;
  const Char second = char_at(text, first.end);
  if (second.end == first.end) return 0;
  const uint32_t b = any_case ? folded(second) : second.value;
  return b == (a == 'l' ? 'l' : 'e') ? second.end : 0;
}

// A run of white space that begins at `at`: `\s+(?!\S)|\s+`, one short of a following word.
size_t space_end(std::string_view text, size_t at) {
  size_t last = at;
  size_t end = at;
  while (end < text.size()) {
    const Char c = char_at(text, end);
    if (c.kind != CharClass::space) break;
    last = end;
    end = c.end;
  }
  return end < text.size() && last > at ? last : end;
}

size_t gpt2_word(std::string_view text, size_t at) {
  const Char first = char_at(text, at);
  if (first.value == '\'') {
    if (const size_t end = contraction_end(text, at, false)) return end;
  }
  if (first.kind != CharClass::space) return run_end(text, first.end, first.kind);
  if (first.value == ' ') {
    const Char second = char_at(text, first.end);
    if (second.end > first.end && second.kind != CharClass::space) return run_end(text, second.end, second.kind);
  }
  return space_end(text, at);
}

size_t up_to_numbers(std::string_view text, size_t at, int most) {
  for (int i = 0; i < most && at < text.size(); ++i) {
    const Char c = char_at(text, at);
    if (c.kind != CharClass::number) break;
    at = c.end;
  }
  return at;
}

// ` ?[^\s\p{L}\p{N}]+[\r\n]*` whose first sign is at `at`.
size_t signs_end(std::string_view text, size_t at) {
  at = run_end(text, at, CharClass::other);
  while (at < text.size() && is_line_end(static_cast<uint8_t>(text[at]))) ++at;
  return at;
}

// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line end of the run, where it has one.
size_t lines_end(std::string_view text, size_t at) {
  size_t after_line = 0;
  for (size_t i = at; i < text.size();) {
    const Char c = char_at(text, i);
    if (c.kind != CharClass::space) break;
    i = c.end;
    if (is_line_end(c.value)) after_line = i;
  }
  return after_line ? after_line : space_end(text, at);
}

template <int Numbers>
size_t llama3_word(std::string_view text, size_t at) {
  const Char first = char_at(text, at);
  if (first.value == '\'') {
    if (const size_t end = contraction_end(text, at, true)) return end;
  }
  if (first.kind == CharClass::letter) return run_end(text, first.end, CharClass::letter);
  if (first.kind == CharClass::number) return up_to_numbers(text, first.end, Numbers - 1);
  const Char second = char_at(text, first.end);
  const bool has_second = second.end > first.end;
  if (!is_line_end(first.value) && has_second && second.kind == CharClass::letter) {
    return run_end(text, second.end, CharClass::letter);
  }
  if (first.kind == CharClass::other) return signs_end(text, first.end);
  if (first.value == ' ' && has_second && second.kind == CharClass::other) return signs_end(text, second.end);
  return lines_end(text, at);
}

size_t whole_text(std::string_view text, size_t) { return text.size(); }

}  // namespace

NextWord next_word(PreSplit split) {
  switch (split) {
    case PreSplit::none: return whole_text;
    case PreSplit::gpt2: return gpt2_word;
    case PreSplit::llama3: return llama3_word<3>;
    case PreSplit::qwen2: return llama3_word<1>;
  }
  NARAE_CHECK(false);
}

size_t next_digit_cut(std::string_view text, size_t at) {
  const Char first = char_at(text, at);
  if (first.kind == CharClass::number) return first.end;
  for (at = first.end; at < text.size();) {
    const Char c = char_at(text, at);
    if (c.kind == CharClass::number) break;
    at = c.end;
  }
  return at;
}

}  // namespace narae
