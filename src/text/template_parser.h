// SPDX-License-Identifier: Apache-2.0
// Tokens -> expressions: the half of the parser that statements call. Precedence as in Jinja 3 (its grammar differs
// from Python's: filters bind tighter than any operator, ** to the left).
#pragma once

#include <algorithm>

#include "text/template_lexer.h"
#include "text/template_syntax.h"

namespace narae {

class ExpressionParser {
 public:
  explicit ExpressionParser(std::vector<TemplateToken> tokens) : tokens_(std::move(tokens)) {}

  ExpressionPtr expression(bool with_condition = true);
  // One expression, or several with commas between: a tuple.
  ExpressionPtr tuple(bool with_condition = true);
  // What follows a value: | filter, `is` test, calls.
  ExpressionPtr filters(ExpressionPtr value);
  // The same where the first filter stands without its |.
  ExpressionPtr first_filter(ExpressionPtr value) { return filters(filter(std::move(value))); }
  ExpressionPtr unary(bool with_filters = true);

  const TemplateToken& token() const { return tokens_[at_]; }
  const TemplateToken& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  TemplateToken take() { return at_ + 1 < tokens_.size() ? tokens_[at_++] : tokens_[at_]; }
  bool is(TemplateToken::Kind kind, std::string_view text) const {
    return token().kind == kind && token().text == text;
  }
  bool is_sign(std::string_view text) const { return is(TemplateToken::Kind::sign, text); }
  bool is_name(std::string_view text) const { return is(TemplateToken::Kind::name, text); }
  bool take_sign(std::string_view text);
  bool take_name(std::string_view text);
  void need_sign(std::string_view text);
  void need_name(std::string_view text);
  std::string need_any_name();
  void need(TemplateToken::Kind kind, const char* what);
  [[noreturn]] void bad(const std::string& what) const;

  static constexpr int kMaxDepth = 150;

 private:
  using Kind = TemplateExpression::Kind;
  struct Nested;
  ExpressionPtr make(Kind kind, std::string text = {}) const;
  void put(TemplateExpression& node, ExpressionPtr part) const;
  ExpressionPtr binary(Kind kind, std::string text, ExpressionPtr left, ExpressionPtr right) const;
  ExpressionPtr or_();
  ExpressionPtr and_();
  ExpressionPtr not_();
  ExpressionPtr compare();
  ExpressionPtr sum();
  ExpressionPtr concat();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr primary();
  ExpressionPtr named();
  ExpressionPtr integer();
  ExpressionPtr postfix(ExpressionPtr value);
  ExpressionPtr attribute(ExpressionPtr value);
  ExpressionPtr subscript(ExpressionPtr value);
  ExpressionPtr slice_bound();
  ExpressionPtr filter(ExpressionPtr value);
  ExpressionPtr test(ExpressionPtr value);
  ExpressionPtr map();
  void arguments(TemplateExpression& call);
  bool starts_test_argument() const;

  std::vector<TemplateToken> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace narae
