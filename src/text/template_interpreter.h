// SPDX-License-Identifier: Apache-2.0
// Runs the tree of a chat template. Whatever the template does ends in text or an Error: steps and depth are bounded,
// and what could form cycles (scopes kept for macros, namespaces) belongs to the interpreter.
#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "text/template_syntax.h"
#include "text/template_value.h"

namespace narae {

struct TemplateScope {
  TemplateScope* parent = nullptr;
  std::vector<std::pair<std::string, TemplateValue>> names;
  bool captured = false;  // a macro looks into it
  void set(const std::string& name, TemplateValue value);
};

struct TemplateFunction {
  std::string name;
  const TemplateStatement* macro = nullptr;  // null: a built-in, of `receiver` where that is defined
  TemplateScope* scope = nullptr;            // the macro's
  TemplateValue receiver;
  int depth = 1;
};

struct TemplateLoop {
  TemplateValue::List items;
  int64_t index0 = 0, nesting = 0;
  int depth = 1;
};

// What a filter, test or function was called with. Each argument must be asked for; done() refuses the others.
class TemplateArguments {
 public:
  std::vector<TemplateValue> positional;
  std::vector<std::pair<std::string, TemplateValue>> named;

  // By place or by name; null: not given.
  const TemplateValue* find(size_t place, std::string_view name);
  int64_t integer(size_t place, std::string_view name, int64_t otherwise);
  bool flag(size_t place, std::string_view name, bool otherwise);
  std::string text(size_t place, std::string_view name, const char* otherwise, TemplateBudget& budget);
  // Throws Error bad_file where find() gives null.
  const TemplateValue& need(size_t place, std::string_view name);
  void ask_all() { asked_ = ~uint64_t{0}; }
  void done() const;

 private:
  uint64_t asked_ = 0;  // a bit for each, the named ones behind the others
};

class TemplateInterpreter {
 public:
  TemplateInterpreter(int64_t steps, std::time_t now) : budget_(steps), now_(now) {}
  ~TemplateInterpreter();
  std::string render(const TemplateBlock& block, const TemplateMap& context);

  TemplateBudget& budget() { return budget_; }
  TemplateValue attribute(const TemplateValue& value, const std::string& name);
  TemplateValue item(const TemplateValue& value, const TemplateValue& key);
  // What iterating gives; throws Error bad_file for what cannot be iterated.
  std::vector<TemplateValue> items_of(const TemplateValue& value);
  std::string text(const TemplateValue& value) { return text_of(value, budget_); }
  TemplateValue call(const TemplateValue& function, TemplateArguments& arguments);
  // template_filters.cc, template_tests.cc
  TemplateValue filter(const std::string& name, const TemplateValue& value, TemplateArguments& arguments);
  bool test(const std::string& name, const TemplateValue& value, TemplateArguments& arguments);
  bool contains(const TemplateValue& container, const TemplateValue& value);

 private:
  enum class Flow { next, break_, continue_ };
  class Deeper;
  class NewScope;
  Flow run(const TemplateBlock& block);
  Flow run(const TemplateStatement& statement);
  Flow if_(const TemplateStatement& statement);
  Flow for_(const TemplateStatement& statement);
  std::vector<TemplateValue> loop_items(const TemplateStatement& statement);
  void set(const TemplateStatement& statement);
  void bind(const std::vector<std::string>& names, const TemplateValue& value);
  void define(const TemplateStatement& statement);
  void call_block(const TemplateStatement& statement);
  void filter_block(const TemplateStatement& statement, bool keep);
  void with(const TemplateStatement& statement);
  std::string captured(const TemplateBlock& block);
  TemplateValue macro_value(const TemplateStatement& statement, const char* name);

  TemplateValue evaluate(const TemplateExpression& node);
  TemplateValue lookup(const std::string& name);
  TemplateValue items(const TemplateExpression& node);
  TemplateValue map(const TemplateExpression& node);
  TemplateValue slice(const TemplateExpression& node);
  TemplateValue arithmetic(const TemplateExpression& node);
  TemplateValue concat(const TemplateExpression& node);
  bool compare(const TemplateExpression& node);
  bool compare(const std::string& sign, const TemplateValue& left, const TemplateValue& right);
  TemplateValue invoke(const TemplateExpression& node, const TemplateValue* caller);
  TemplateArguments arguments(const TemplateExpression& node);
  TemplateValue loop_attribute(const TemplateValue& value, const std::string& name);
  TemplateValue bound(const TemplateValue& receiver, const std::string& name);
  TemplateValue call_macro(const TemplateFunction& function, TemplateArguments& arguments);
  TemplateValue call_global(const std::string& name, TemplateArguments& arguments);

  TemplateBudget budget_;
  std::time_t now_;
  int depth_ = 0;
  int64_t loops_ = 0;
  int line_ = 0;
  TemplateScope* scope_ = nullptr;
  std::string* out_ = nullptr;
  TemplateValue piped_;  // what the name "" stands for
  std::vector<std::unique_ptr<TemplateScope>> kept_;
  std::vector<TemplateValue::Namespace> namespaces_;
};

// template_methods.cc: of texts, maps and lists. Not a method: false. What would change a value is none.
bool has_method(const TemplateValue& receiver, const std::string& name);
TemplateValue call_method(TemplateInterpreter& interpreter, const TemplateValue& receiver, const std::string& name,
                          TemplateArguments& arguments);
// template_operators.cc: Python's + - * / // % **, and [a:b:c].
TemplateValue template_arithmetic(const std::string& sign, const TemplateValue& left, const TemplateValue& right,
                                  TemplateBudget& budget);
TemplateValue template_slice(const TemplateValue& value, const TemplateValue& from, const TemplateValue& to,
                             const TemplateValue& step, TemplateBudget& budget);

}  // namespace narae
