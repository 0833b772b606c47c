// SPDX-License-Identifier: Apache-2.0
// Statements of chat templates.
#include "base/error.h"
#include "text/template_parser.h"

namespace narae {
namespace {

using Kind = TemplateStatement::Kind;
using Token = TemplateToken::Kind;
using StatementPtr = std::unique_ptr<TemplateStatement>;

constexpr int kMaxBlockDepth = 60;

class StatementParser {
 public:
  explicit StatementParser(std::string_view source) : in_(lex_template(source)) {}
  TemplateBlock whole() {
    TemplateBlock block = statements({});
    if (in_.token().kind != Token::end) in_.bad(fmt::format("'{}' closes nothing", in_.token().text));
    return block;
  }

 private:
  using Ends = std::vector<std::string_view>;
  TemplateBlock statements(const Ends& ends);
  TemplateBlock body(const Ends& ends, std::string_view tag);
  StatementPtr statement(const std::string& tag);
  StatementPtr if_();
  StatementPtr for_();
  StatementPtr set();
  StatementPtr macro();
  StatementPtr call();
  StatementPtr filter();
  StatementPtr with();
  StatementPtr scope(const std::string& tag);
  StatementPtr jump(Kind kind);
  StatementPtr make(Kind kind) const;
  std::vector<std::string> targets();
  void signature(TemplateStatement& statement);
  void block_end() { in_.need(Token::block_end, "%}"); }
  ExpressionPtr filters_over_nothing();

  ExpressionParser in_;
  int depth_ = 0, loops_ = 0;
};

StatementPtr StatementParser::make(Kind kind) const {
  auto made = std::make_unique<TemplateStatement>();
  made->kind = kind;
  made->line = in_.token().line;
  return made;
}

// Up to a tag named in `ends`, whose name is the next token, or to the end.
TemplateBlock StatementParser::statements(const Ends& ends) {
  if (++depth_ > kMaxBlockDepth) in_.bad(fmt::format("blocks are nested at most {} deep", kMaxBlockDepth));
  TemplateBlock block;
  while (in_.token().kind != Token::end) {
    if (in_.token().kind == Token::data) {
      block.push_back(make(Kind::data));
      block.back()->text = in_.take().text;
    } else if (in_.token().kind == Token::variable_begin) {
      in_.take();
      block.push_back(make(Kind::output));
      block.back()->expressions.push_back(in_.tuple());
      in_.need(Token::variable_end, "}}");
    } else {
      in_.need(Token::block_begin, "{%");
      bool ended = false;
      for (const std::string_view end : ends) ended = ended || in_.is_name(end);
      if (ended) break;
      const std::string tag = in_.need_any_name();
      block.push_back(statement(tag));
    }
  }
  --depth_;
  return block;
}

TemplateBlock StatementParser::body(const Ends& ends, std::string_view tag) {
  const int line = in_.token().line;
  TemplateBlock block = statements(ends);
  if (in_.token().kind == Token::end) {
    fail(ErrorCode::bad_file, "chat template, line {}: {{% {} %}} is not closed", line, tag);
  }
  return block;
}

StatementPtr StatementParser::statement(const std::string& tag) {
  if (tag == "if") return if_();
  if (tag == "for") return for_();
  if (tag == "set") return set();
  if (tag == "macro") return macro();
  if (tag == "call") return call();
  if (tag == "filter") return filter();
  if (tag == "with") return with();
  if (tag == "generation") return scope(tag);
  if (tag == "break") return jump(Kind::break_);
  if (tag == "continue") return jump(Kind::continue_);
  in_.bad(fmt::format("the tag '{}' is not known in chat templates", tag));
}

StatementPtr StatementParser::if_() {
  StatementPtr made = make(Kind::if_);
  for (;;) {
    made->expressions.push_back(in_.tuple(false));
    block_end();
    made->blocks.push_back(body({"elif", "else", "endif"}, "if"));
    if (in_.take_name("elif")) continue;
    if (in_.take_name("else")) {
      block_end();
      made->blocks.push_back(body({"endif"}, "if"));
    }
    in_.need_name("endif");
    block_end();
    return made;
  }
}

std::vector<std::string> StatementParser::targets() {
  std::vector<std::string> names;
  const bool parenthesis = in_.take_sign("(");
  do {
    if (!names.empty() && in_.token().kind != Token::name) break;
    names.push_back(in_.need_any_name());
  } while (in_.take_sign(","));
  if (parenthesis) in_.need_sign(")");
  return names;
}

StatementPtr StatementParser::for_() {
  StatementPtr made = make(Kind::for_);
  made->names = targets();
  in_.need_name("in");
  made->expressions.push_back(in_.tuple(false));
  made->expressions.push_back(in_.take_name("if") ? in_.expression() : nullptr);
  if (in_.is_name("recursive")) in_.bad("recursive loops are not known in chat templates; call a macro");
  block_end();
  ++loops_;
  made->blocks.push_back(body({"endfor", "else"}, "for"));
  --loops_;
  if (in_.take_name("else")) {
    block_end();
    made->blocks.push_back(body({"endfor"}, "for"));
  }
  in_.need_name("endfor");
  block_end();
  return made;
}

// A value of no name, which the interpreter binds to what the block gave.
ExpressionPtr StatementParser::filters_over_nothing() {
  auto node = std::make_unique<TemplateExpression>();
  node->kind = TemplateExpression::Kind::name;
  node->line = in_.token().line;
  return in_.filters(std::move(node));
}

StatementPtr StatementParser::set() {
  StatementPtr made = make(Kind::set);
  made->names = targets();
  if (made->names.size() == 1 && in_.take_sign(".")) made->text = in_.need_any_name();
  if (in_.take_sign("=")) {
    made->expressions.push_back(in_.tuple());
    block_end();
    return made;
  }
  if (made->names.size() != 1) in_.bad("a block is set to one name");
  made->kind = Kind::set_block;
  made->expressions.push_back(in_.is_sign("|") ? filters_over_nothing() : nullptr);
  block_end();
  made->blocks.push_back(body({"endset"}, "set"));
  in_.need_name("endset");
  block_end();
  return made;
}

void StatementParser::signature(TemplateStatement& statement) {
  in_.need_sign("(");
  while (!in_.is_sign(")")) {
    statement.names.push_back(in_.need_any_name());
    if (in_.take_sign("=")) {
      statement.expressions.push_back(in_.expression());
    } else if (statement.expressions.size() > (statement.kind == Kind::call ? 1U : 0U)) {
      in_.bad("a parameter without a default follows one with a default");
    }
    if (!in_.take_sign(",")) break;
  }
  in_.need_sign(")");
}

StatementPtr StatementParser::macro() {
  StatementPtr made = make(Kind::macro);
  made->text = in_.need_any_name();
  signature(*made);
  block_end();
  const int loops = std::exchange(loops_, 0);
  made->blocks.push_back(body({"endmacro"}, "macro"));
  loops_ = loops;
  in_.need_name("endmacro");
  block_end();
  return made;
}

StatementPtr StatementParser::call() {
  StatementPtr made = make(Kind::call);
  made->expressions.push_back(nullptr);
  if (in_.is_sign("(")) signature(*made);
  made->expressions[0] = in_.expression();
  if (made->expressions[0]->kind != TemplateExpression::Kind::call) in_.bad("{% call %} needs a call");
  block_end();
  const int loops = std::exchange(loops_, 0);
  made->blocks.push_back(body({"endcall"}, "call"));
  loops_ = loops;
  in_.need_name("endcall");
  block_end();
  return made;
}

StatementPtr StatementParser::filter() {
  StatementPtr made = make(Kind::filter);
  // `filter NAME` reads as `| NAME`
  auto value = std::make_unique<TemplateExpression>();
  value->kind = TemplateExpression::Kind::name;
  value->line = in_.token().line;
  made->expressions.push_back(in_.first_filter(std::move(value)));
  block_end();
  made->blocks.push_back(body({"endfilter"}, "filter"));
  in_.need_name("endfilter");
  block_end();
  return made;
}

StatementPtr StatementParser::with() {
  StatementPtr made = make(Kind::with);
  while (in_.token().kind != Token::block_end) {
    if (!made->names.empty()) in_.need_sign(",");
    made->names.push_back(in_.need_any_name());
    in_.need_sign("=");
    made->expressions.push_back(in_.expression());
  }
  block_end();
  made->blocks.push_back(body({"endwith"}, "with"));
  in_.need_name("endwith");
  block_end();
  return made;
}

StatementPtr StatementParser::scope(const std::string& tag) {
  StatementPtr made = make(Kind::scope);
  block_end();
  const std::string end = "end" + tag;
  const int loops = std::exchange(loops_, 0);
  made->blocks.push_back(body({end}, tag));
  loops_ = loops;
  in_.need_name(end);
  block_end();
  return made;
}

StatementPtr StatementParser::jump(Kind kind) {
  if (loops_ == 0) in_.bad("break and continue have a place in loops only");
  StatementPtr made = make(kind);
  block_end();
  return made;
}

}  // namespace

TemplateBlock parse_template(std::string_view source) {
  static constexpr size_t kMaxSource = 1 << 20;
  if (source.size() > kMaxSource) {
    fail(ErrorCode::does_not_fit, "a chat template of {} bytes is too long; at most {} are read", source.size(),
         kMaxSource);
  }
  return StatementParser(source).whole();
}

}  // namespace narae
