// SPDX-License-Identifier: Apache-2.0
#include "text/template_parser.h"

#include <charconv>

#include "base/error.h"

namespace narae {

using Token = TemplateToken::Kind;

// Bounds the parser's own recursion; the tree's depth is bounded in put().
struct ExpressionParser::Nested {
  explicit Nested(ExpressionParser& parser) : parser_(parser) {
    if (++parser_.depth_ > kMaxDepth) parser_.bad(fmt::format("expressions are nested at most {} deep", kMaxDepth));
  }
  ~Nested() { --parser_.depth_; }
  ExpressionParser& parser_;
};

void ExpressionParser::bad(const std::string& what) const {
  fail(ErrorCode::bad_file, "chat template, line {}: {}", token().line, what);
}

bool ExpressionParser::take_sign(std::string_view text) {
  const bool there = is_sign(text);
  if (there) take();
  return there;
}

bool ExpressionParser::take_name(std::string_view text) {
  const bool there = is_name(text);
  if (there) take();
  return there;
}

void ExpressionParser::need_sign(std::string_view text) {
  if (!take_sign(text)) bad(fmt::format("'{}' is expected, not '{}'", text, token().text));
}

void ExpressionParser::need_name(std::string_view text) {
  if (!take_name(text)) bad(fmt::format("'{}' is expected, not '{}'", text, token().text));
}

std::string ExpressionParser::need_any_name() {
  if (token().kind != Token::name) bad(fmt::format("a name is expected, not '{}'", token().text));
  return take().text;
}

void ExpressionParser::need(Token kind, const char* what) {
  if (token().kind != kind) bad(fmt::format("{} is expected, not '{}'", what, token().text));
  take();
}

ExpressionPtr ExpressionParser::make(Kind kind, std::string text) const {
  auto node = std::make_unique<TemplateExpression>();
  node->kind = kind;
  node->line = token().line;
  node->text = std::move(text);
  return node;
}

void ExpressionParser::put(TemplateExpression& node, ExpressionPtr part) const {
  if (part) node.depth = std::max(node.depth, part->depth + 1);
  if (node.depth > kMaxDepth) bad(fmt::format("expressions are nested at most {} deep", kMaxDepth));
  node.parts.push_back(std::move(part));
}

ExpressionPtr ExpressionParser::binary(Kind kind, std::string text, ExpressionPtr left, ExpressionPtr right) const {
  ExpressionPtr node = make(kind, std::move(text));
  put(*node, std::move(left));
  put(*node, std::move(right));
  return node;
}

ExpressionPtr ExpressionParser::expression(bool with_condition) {
  const Nested nested(*this);
  ExpressionPtr value = or_();
  while (with_condition && take_name("if")) {
    ExpressionPtr condition = or_();
    ExpressionPtr node = binary(Kind::conditional, {}, std::move(value), std::move(condition));
    put(*node, take_name("else") ? expression() : nullptr);
    value = std::move(node);
  }
  return value;
}

ExpressionPtr ExpressionParser::or_() {
  ExpressionPtr left = and_();
  while (take_name("or")) left = binary(Kind::or_, {}, std::move(left), and_());
  return left;
}

ExpressionPtr ExpressionParser::and_() {
  ExpressionPtr left = not_();
  while (take_name("and")) left = binary(Kind::and_, {}, std::move(left), not_());
  return left;
}

ExpressionPtr ExpressionParser::not_() {
  if (!is_name("not")) return compare();
  const Nested nested(*this);
  ExpressionPtr node = make(Kind::not_);
  take();
  put(*node, not_());
  return node;
}

ExpressionPtr ExpressionParser::compare() {
  ExpressionPtr first = sum();
  ExpressionPtr node;
  for (;;) {
    std::string sign;
    if (token().kind == Token::sign) {
      for (const char* known : {"==", "!=", "<", "<=", ">", ">="}) {
        if (token().text == known) sign = known;
      }
    } else if (is_name("in")) {
      sign = "in";
    } else if (is_name("not") && ahead().kind == Token::name && ahead().text == "in") {
      take();
      sign = "not in";
    }
    if (sign.empty()) return node ? std::move(node) : std::move(first);
    if (!node) {
      node = make(Kind::compare);
      put(*node, std::move(first));
    }
    take();
    node->keywords.push_back(sign);
    put(*node, sum());
  }
}

ExpressionPtr ExpressionParser::sum() {
  ExpressionPtr left = concat();
  while (is_sign("+") || is_sign("-")) {
    std::string sign = take().text;
    left = binary(Kind::arithmetic, std::move(sign), std::move(left), concat());
  }
  return left;
}

ExpressionPtr ExpressionParser::concat() {
  ExpressionPtr first = product();
  if (!is_sign("~")) return first;
  ExpressionPtr node = make(Kind::concat);
  put(*node, std::move(first));
  while (take_sign("~")) put(*node, product());
  return node;
}

ExpressionPtr ExpressionParser::product() {
  ExpressionPtr left = power();
  while (is_sign("*") || is_sign("/") || is_sign("//") || is_sign("%")) {
    std::string sign = take().text;
    left = binary(Kind::arithmetic, std::move(sign), std::move(left), power());
  }
  return left;
}

ExpressionPtr ExpressionParser::power() {
  ExpressionPtr left = unary();
  while (take_sign("**")) left = binary(Kind::arithmetic, "**", std::move(left), unary());
  return left;
}

ExpressionPtr ExpressionParser::unary(bool with_filters) {
  ExpressionPtr value;
  if (is_sign("-") || is_sign("+")) {
    const Nested nested(*this);
    value = make(take().text == "-" ? Kind::negative : Kind::positive);
    put(*value, unary(false));
  } else {
    value = primary();
  }
  value = postfix(std::move(value));
  return with_filters ? filters(std::move(value)) : std::move(value);
}

ExpressionPtr ExpressionParser::named() {
  const std::string& text = token().text;
  ExpressionPtr node = make(Kind::constant);
  if (text == "true" || text == "True") {
    node->value = true;
  } else if (text == "false" || text == "False") {
    node->value = false;
  } else if (text == "none" || text == "None") {
    node->value = TemplateValue::None{};
  } else {
    for (const char* word : {"and", "or", "not", "in", "is", "if", "else", "elif"}) {
      if (text == word) bad(fmt::format("'{}' has no place here", text));
    }
    node = make(Kind::name, text);
  }
  take();
  return node;
}

ExpressionPtr ExpressionParser::integer() {
  ExpressionPtr node = make(Kind::constant);
  const std::string& text = token().text;
  int64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) {
    bad(fmt::format("the number {} is too large", text));
  }
  node->value = value;
  take();
  return node;
}

ExpressionPtr ExpressionParser::primary() {
  ExpressionPtr node;
  switch (token().kind) {
    case Token::name: return named();
    case Token::integer: return integer();
    case Token::real: {
      node = make(Kind::constant);
      double value = 0;
      const std::string& text = token().text;
      if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) {
        bad(fmt::format("the number {} is out of range", text));
      }
      node->value = value;
      take();
      return node;
    }
    case Token::text: {
      node = make(Kind::constant);
      std::string text;
      while (token().kind == Token::text) text += take().text;
      node->value = std::move(text);
      return node;
    }
    default: break;
  }
  if (take_sign("(")) {
    if (take_sign(")")) return make(Kind::tuple);
    node = tuple();
    need_sign(")");
    return node;
  }
  if (take_sign("[")) {
    node = make(Kind::list);
    while (!is_sign("]")) {
      put(*node, expression());
      if (!take_sign(",")) break;
    }
    need_sign("]");
    return node;
  }
  if (take_sign("{")) return map();
  bad(fmt::format("a value is expected, not '{}'", token().text));
}

ExpressionPtr ExpressionParser::map() {
  ExpressionPtr node = make(Kind::map);
  while (!is_sign("}")) {
    put(*node, expression());
    need_sign(":");
    put(*node, expression());
    if (!take_sign(",")) break;
  }
  need_sign("}");
  return node;
}

ExpressionPtr ExpressionParser::tuple(bool with_condition) {
  ExpressionPtr first = expression(with_condition);
  if (!is_sign(",")) return first;
  ExpressionPtr node = make(Kind::tuple);
  put(*node, std::move(first));
  while (take_sign(",")) {
    if (token().kind == Token::block_end || token().kind == Token::variable_end || is_sign(")") || is_name("in")) break;
    put(*node, expression(with_condition));
  }
  return node;
}

ExpressionPtr ExpressionParser::postfix(ExpressionPtr value) {
  for (;;) {
    if (take_sign(".")) {
      value = attribute(std::move(value));
    } else if (take_sign("[")) {
      value = subscript(std::move(value));
    } else if (is_sign("(")) {
      ExpressionPtr node = make(Kind::call);
      put(*node, std::move(value));
      arguments(*node);
      value = std::move(node);
    } else {
      return value;
    }
  }
}

ExpressionPtr ExpressionParser::attribute(ExpressionPtr value) {
  if (token().kind == Token::integer) {
    ExpressionPtr node = make(Kind::item);
    put(*node, std::move(value));
    put(*node, integer());
    return node;
  }
  ExpressionPtr node = make(Kind::attribute, need_any_name());
  put(*node, std::move(value));
  return node;
}

ExpressionPtr ExpressionParser::slice_bound() {
  if (is_sign(":") || is_sign("]")) return nullptr;
  return expression();
}

ExpressionPtr ExpressionParser::subscript(ExpressionPtr value) {
  ExpressionPtr first = slice_bound();
  if (!first && is_sign("]")) bad("a subscript is empty");
  ExpressionPtr node = make(is_sign(":") ? Kind::slice : Kind::item);
  put(*node, std::move(value));
  put(*node, std::move(first));
  if (take_sign(":")) {
    put(*node, slice_bound());
    put(*node, take_sign(":") ? slice_bound() : nullptr);
  }
  need_sign("]");
  return node;
}

ExpressionPtr ExpressionParser::filters(ExpressionPtr value) {
  for (;;) {
    if (take_sign("|")) {
      value = filter(std::move(value));
    } else if (take_name("is")) {
      value = test(std::move(value));
    } else if (is_sign("(")) {
      value = postfix(std::move(value));
    } else {
      return value;
    }
  }
}

ExpressionPtr ExpressionParser::filter(ExpressionPtr value) {
  std::string name = need_any_name();
  ExpressionPtr node = make(Kind::filter, std::move(name));
  put(*node, std::move(value));
  if (is_sign("(")) arguments(*node);
  return node;
}

bool ExpressionParser::starts_test_argument() const {
  switch (token().kind) {
    case Token::name:
      return !is_name("else") && !is_name("or") && !is_name("and") && !is_name("if") && !is_name("is") &&
             !is_name("not") && !is_name("in");
    case Token::text:
    case Token::integer:
    case Token::real: return true;
    default: return is_sign("[") || is_sign("{");
  }
}

ExpressionPtr ExpressionParser::test(ExpressionPtr value) {
  const bool negated = take_name("not");
  std::string name = need_any_name();
  ExpressionPtr node = make(Kind::test, std::move(name));
  put(*node, std::move(value));
  if (is_sign("(")) {
    arguments(*node);
  } else if (starts_test_argument()) {
    put(*node, postfix(primary()));
  }
  if (!negated) return node;
  ExpressionPtr inverse = make(Kind::not_);
  put(*inverse, std::move(node));
  return inverse;
}

void ExpressionParser::arguments(TemplateExpression& call) {
  need_sign("(");
  while (!is_sign(")")) {
    if (is_sign("*") || is_sign("**")) bad("arguments cannot be unpacked with '*'; write them out");
    const bool by_name = token().kind == Token::name && ahead().kind == Token::sign && ahead().text == "=";
    if (by_name) {
      call.keywords.push_back(take().text);
      take();
    } else if (!call.keywords.empty()) {
      bad("an argument without a name follows one with a name");
    }
    put(call, expression());
    if (!take_sign(",")) break;
  }
  need_sign(")");
}

}  // namespace narae
