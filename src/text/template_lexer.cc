// SPDX-License-Identifier: Apache-2.0
#include "text/template_lexer.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "text/python_text.h"

namespace narae {
namespace {

using Kind = TemplateToken::Kind;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// Line ends become '\n', and the last one goes.
std::string normalised(std::string_view source) {
  std::string out;
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      out += source[i];
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(normalised(source)) {}
  std::vector<TemplateToken> run();

 private:
  [[noreturn]] void bad(const std::string& what) const {
    fail(ErrorCode::bad_file, "chat template, line {}: {}", line_, what);
  }
  std::string_view rest() const { return std::string_view(source_).substr(at_); }
  bool starts(std::string_view what) const { return rest().substr(0, what.size()) == what; }
  void advance(size_t count) {
    for (; count > 0; --count) line_ += source_[at_++] == '\n';
  }
  void skip_space() {
    const std::string_view left = strip(rest(), nullptr, true, false);
    advance(rest().size() - left.size());
  }
  void add(Kind kind, std::string text = {}) { tokens_.push_back({kind, std::move(text), line_}); }
  void data(std::string_view text, char sign, bool may_strip_left);
  void comment();
  bool raw_begin(size_t& length) const;
  void raw();
  size_t endraw(size_t from, size_t& begin) const;
  void inside(bool block);
  bool end_of_tag(bool block);
  void token();
  void number();
  void quoted();
  void escape(std::string& out, char quote);
  void code_point_escape(std::string& out, size_t digits);
  void sign();
  void after_block_end(char mark);

  std::string source_;
  size_t at_ = 0;
  int line_ = 1;
  bool line_starting_ = true;  // what was last read ended a line
  std::string brackets_;
  std::vector<TemplateToken> tokens_;
};

// The text before a tag. `sign`: the mark behind the tag's opening; blocks and comments alone on their line lose what
// stands before them.
void Lexer::data(std::string_view text, char sign, bool may_strip_left) {
  if (sign == '-') {
    text = strip(text, nullptr, false, true);
  } else if (sign != '+' && may_strip_left) {
    const size_t newline = text.rfind('\n');
    const size_t begin = newline == text.npos ? 0 : newline + 1;
    const std::string_view tail = text.substr(begin);
    if ((begin > 0 || line_starting_) && strip(tail, nullptr).empty()) text = text.substr(0, begin);
  }
  if (!text.empty()) add(Kind::data, std::string(text));
}

void Lexer::after_block_end(char mark) {
  if (mark == '-') {
    skip_space();
  } else if (mark != '+' && starts("\n")) {
    advance(1);
  }
  line_starting_ = at_ > 0 && source_[at_ - 1] == '\n';
}

void Lexer::comment() {
  const size_t end = source_.find("#}", at_);
  if (end == std::string::npos) bad("a comment is not closed by #}");
  const char mark = end > at_ ? source_[end - 1] : ' ';
  advance(end + 2 - at_);
  after_block_end(mark);
}

// {% raw %}, whose end has no newline trimmed.
bool Lexer::raw_begin(size_t& length) const {
  size_t i = at_ + 2;
  if (i < source_.size() && (source_[i] == '-' || source_[i] == '+')) ++i;
  while (i < source_.size() && is_blank(source_[i])) ++i;
  if (source_.compare(i, 3, "raw") != 0) return false;
  i += 3;
  while (i < source_.size() && is_blank(source_[i])) ++i;
  if (source_.compare(i, 3, "-%}") == 0) {
    i += 3;
    while (i < source_.size() && is_blank(source_[i])) ++i;
  } else if (source_.compare(i, 2, "%}") == 0) {
    i += 2;
  } else {
    return false;
  }
  length = i - at_;
  return true;
}

// Position behind "endraw" of the first {% endraw at or after `from`; npos: none.
size_t Lexer::endraw(size_t from, size_t& begin) const {
  for (begin = source_.find("{%", from); begin != std::string::npos; begin = source_.find("{%", begin + 1)) {
    size_t i = begin + 2;
    if (i < source_.size() && (source_[i] == '-' || source_[i] == '+')) ++i;
    while (i < source_.size() && is_blank(source_[i])) ++i;
    if (source_.compare(i, 6, "endraw") == 0) return i + 6;
  }
  return std::string::npos;
}

void Lexer::raw() {
  size_t begin = 0;
  size_t i = endraw(at_, begin);
  if (i == std::string::npos) bad("a raw block is not closed by {% endraw %}");
  line_starting_ = at_ > 0 && source_[at_ - 1] == '\n';
  const std::string text = source_.substr(at_, begin - at_);
  data(text, begin + 2 < source_.size() ? source_[begin + 2] : ' ', true);
  while (i < source_.size() && is_blank(source_[i])) ++i;
  char mark = ' ';
  if (i < source_.size() && (source_[i] == '-' || source_[i] == '+')) mark = source_[i++];
  if (source_.compare(i, 2, "%}") != 0) bad("endraw is not closed by %}");
  advance(i + 2 - at_);
  after_block_end(mark);
}

std::vector<TemplateToken> Lexer::run() {
  while (at_ < source_.size()) {
    size_t open = at_;
    while (open < source_.size() &&
           !(source_[open] == '{' && open + 1 < source_.size() &&
             (source_[open + 1] == '%' || source_[open + 1] == '{' || source_[open + 1] == '#'))) {
      ++open;
    }
    const std::string text = source_.substr(at_, open - at_);
    const char kind = open < source_.size() ? source_[open + 1] : ' ';
    const char mark = open + 2 < source_.size() ? source_[open + 2] : ' ';
    data(text, kind == ' ' ? '+' : mark, kind != '{' && kind != ' ');
    advance(open - at_);
    if (kind == ' ') break;
    size_t raw_length = 0;
    if (kind == '#') {
      advance(mark == '-' || mark == '+' ? 3 : 2);
      comment();
    } else if (kind == '%' && raw_begin(raw_length)) {
      advance(raw_length);
      raw();
    } else {
      add(kind == '%' ? Kind::block_begin : Kind::variable_begin);
      advance(mark == '-' || (mark == '+') ? 3 : 2);
      inside(kind == '%');
    }
  }
  add(Kind::end);
  return std::move(tokens_);
}

// Tokens up to the end of the tag.
void Lexer::inside(bool block) {
  brackets_.clear();
  for (;;) {
    if (at_ >= source_.size()) bad(block ? "a tag is not closed by %}" : "an expression is not closed by }}");
    if (brackets_.empty() && end_of_tag(block)) return;
    const char c = source_[at_];
    if (is_blank(c)) {
      advance(1);
    } else {
      token();
    }
  }
}

bool Lexer::end_of_tag(bool block) {
  const std::string_view close = block ? "%}" : "}}";
  const bool has_mark = starts("-") || (block && starts("+"));
  if (rest().substr(has_mark ? 1 : 0, 2) != close) return false;
  const char mark = has_mark ? source_[at_] : ' ';
  add(block ? Kind::block_end : Kind::variable_end);
  advance(has_mark ? 3 : 2);
  if (block) {
    after_block_end(mark);
  } else {
    if (mark == '-') skip_space();
    line_starting_ = source_[at_ - 1] == '\n';
  }
  return true;
}

void Lexer::token() {
  const char c = source_[at_];
  if (is_digit(c)) return number();
  if (c == '"' || c == '\'') return quoted();
  if (!is_name(c)) return sign();
  size_t end = at_;
  while (end < source_.size() && is_name(source_[end])) ++end;
  add(Kind::name, source_.substr(at_, end - at_));
  advance(end - at_);
}

// Digits with single underscores, a fraction only where a digit follows the point, an exponent.
void Lexer::number() {
  size_t end = at_;
  const auto digits = [&] {
    while (end < source_.size() && (is_digit(source_[end]) ||
                                    (source_[end] == '_' && end + 1 < source_.size() && is_digit(source_[end + 1])))) {
      ++end;
    }
  };
  digits();
  bool real = false;
  const bool after_point = at_ > 0 && source_[at_ - 1] == '.';
  if (!after_point && end + 1 < source_.size() && source_[end] == '.' && is_digit(source_[end + 1])) {
    real = true;
    ++end;
    digits();
  }
  if (!after_point && end < source_.size() && (source_[end] == 'e' || source_[end] == 'E')) {
    size_t exponent = end + 1;
    if (exponent < source_.size() && (source_[exponent] == '+' || source_[exponent] == '-')) ++exponent;
    if (exponent < source_.size() && is_digit(source_[exponent])) {
      real = true;
      end = exponent;
      digits();
    }
  }
  if (end < source_.size() && is_name(source_[end])) bad("a number is followed by a letter");
  std::string text = source_.substr(at_, end - at_);
  text.erase(std::remove(text.begin(), text.end(), '_'), text.end());
  add(real ? Kind::real : Kind::integer, std::move(text));
  advance(end - at_);
}

void Lexer::quoted() {
  const char quote = source_[at_];
  const int line = line_;
  advance(1);
  std::string out;
  while (at_ < source_.size() && source_[at_] != quote) {
    if (source_[at_] == '\\') {
      advance(1);
      if (at_ >= source_.size()) break;
      escape(out, quote);
    } else {
      out += source_[at_];
      advance(1);
    }
  }
  if (at_ >= source_.size()) {
    line_ = line;
    bad("a string is not closed");
  }
  add(Kind::text, std::move(out));
  advance(1);
}

// Behind the backslash, by Python's rules: unknown escapes stay as they are.
void Lexer::escape(std::string& out, char quote) {
  static constexpr std::string_view kFrom = "abfnrtv\\'\"", kTo = "\a\b\f\n\r\t\v\\'\"";
  const char c = source_[at_];
  if (const size_t known = kFrom.find(c); known != kFrom.npos) {
    out += kTo[known];
    advance(1);
  } else if (c == '\n') {
    advance(1);
  } else if (c == 'x' || c == 'u' || c == 'U') {
    advance(1);
    code_point_escape(out, c == 'x' ? 2 : c == 'u' ? 4 : 8);
  } else if (c >= '0' && c <= '7') {
    uint32_t value = 0;
    for (int i = 0; i < 3 && at_ < source_.size() && source_[at_] >= '0' && source_[at_] <= '7'; ++i) {
      value = value * 8 + static_cast<uint32_t>(source_[at_] - '0');
      advance(1);
    }
    append_code_point(out, value);
  } else if (c == 'N') {
    bad("characters are not known by name; write \\uXXXX");
  } else {
    (out += '\\') += c;
    advance(1);
  }
}

void Lexer::code_point_escape(std::string& out, size_t digits) {
  const std::string_view hex = rest().substr(0, digits);
  uint32_t value = 0;
  for (const char c : hex) {
    const int digit = is_digit(c) ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    if (digit < 0) bad("an escape has too few hexadecimal digits");
    value = value * 16 + static_cast<uint32_t>(digit);
  }
  if (hex.size() < digits) bad("an escape has too few hexadecimal digits");
  if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) bad("an escape names no character");
  append_code_point(out, value);
  advance(digits);
}

void Lexer::sign() {
  static constexpr std::array<std::string_view, 26> kSigns = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                                              "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                                              ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};
  for (const std::string_view sign : kSigns) {
    if (!starts(sign)) continue;
    if (sign == "(" || sign == "[" || sign == "{") {
      brackets_ += sign == "(" ? ')' : sign == "[" ? ']' : '}';
    } else if (sign == ")" || sign == "]" || sign == "}") {
      if (brackets_.empty() || brackets_.back() != sign[0]) bad(fmt::format("'{}' closes nothing", sign));
      brackets_.pop_back();
    }
    add(Kind::sign, std::string(sign));
    advance(sign.size());
    return;
  }
  bad(fmt::format("'{}' has no place here", rest().substr(0, 1)));
}

}  // namespace

std::vector<TemplateToken> lex_template(std::string_view source) { return Lexer(source).run(); }

}  // namespace narae
