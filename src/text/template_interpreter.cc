// SPDX-License-Identifier: Apache-2.0
// Statements and calls; expressions are in template_expressions.cc.
#include "text/template_interpreter.h"

#include "base/error.h"
#include "text/template_nesting.h"

namespace narae {

void TemplateScope::set(const std::string& name, TemplateValue value) {
  for (auto& [known, old] : names) {
    if (known == name) {
      old = std::move(value);
      return;
    }
  }
  names.emplace_back(name, std::move(value));
}

const TemplateValue* TemplateArguments::find(size_t place, std::string_view name) {
  if (place < positional.size()) {
    asked_ |= uint64_t{1} << std::min<size_t>(place, 63);
    return &positional[place];
  }
  for (size_t i = 0; i < named.size(); ++i) {
    if (named[i].first == name) {
      asked_ |= uint64_t{1} << std::min<size_t>(positional.size() + i, 63);
      return &named[i].second;
    }
  }
  return nullptr;
}

int64_t TemplateArguments::integer(size_t place, std::string_view name, int64_t otherwise) {
  const TemplateValue* value = find(place, name);
  int64_t out = otherwise;
  if (value && !value->is_none() && !as_integer(*value, out)) {
    fail(ErrorCode::bad_file, "{} is to be an int, not a {}", name, value->type_name());
  }
  return out;
}

bool TemplateArguments::flag(size_t place, std::string_view name, bool otherwise) {
  const TemplateValue* value = find(place, name);
  return value ? value->truth() : otherwise;
}

std::string TemplateArguments::text(size_t place, std::string_view name, const char* otherwise,
                                    TemplateBudget& budget) {
  const TemplateValue* value = find(place, name);
  return value ? text_of(*value, budget) : otherwise;
}

const TemplateValue& TemplateArguments::need(size_t place, std::string_view name) {
  const TemplateValue* value = find(place, name);
  if (!value) fail(ErrorCode::bad_file, "the argument {} is missing", name);
  return *value;
}

void TemplateArguments::done() const {
  for (size_t i = 0; i < positional.size() + named.size(); ++i) {
    if (asked_ >> std::min<size_t>(i, 63) & 1) continue;
    if (i < positional.size()) fail(ErrorCode::bad_file, "too many arguments: {} are given", positional.size());
    fail(ErrorCode::bad_file, "there is no argument {}", named[i - positional.size()].first);
  }
}

TemplateInterpreter::NewScope::NewScope(TemplateInterpreter& in) : in_(in), scope_(new TemplateScope{in.scope_, {}}) {
  in_.scope_ = scope_.get();
}

TemplateInterpreter::NewScope::~NewScope() {
  in_.scope_ = scope_->parent;
  if (scope_->captured) in_.kept_.push_back(std::move(scope_));
}

TemplateInterpreter::~TemplateInterpreter() {
  for (const TemplateValue::Namespace& space : namespaces_) space->attributes.items.clear();
}

std::string TemplateInterpreter::render(const TemplateBlock& block, const TemplateMap& context) {
  static constexpr const char* kGlobals[] = {"range", "dict", "namespace", "raise_exception", "strftime_now"};
  auto root = std::make_unique<TemplateScope>();
  for (const char* name : kGlobals) {
    root->set(name, std::make_shared<const TemplateFunction>(TemplateFunction{name, nullptr, nullptr, {}, 1}));
  }
  for (const auto& [name, value] : context.items) root->set(name, value);
  scope_ = root.get();
  kept_.push_back(std::move(root));
  std::string out;
  out_ = &out;
  try {
    const NewScope own(*this);
    scope_->captured = true;
    run(block);
  } catch (Error& error) {
    error.add_context(fmt::format("chat template, line {}", line_));
    throw;
  }
  return out;
}

TemplateInterpreter::Flow TemplateInterpreter::run(const TemplateBlock& block) {
  for (const auto& statement : block) {
    const Flow flow = run(*statement);
    if (flow != Flow::next) return flow;
  }
  return Flow::next;
}

TemplateInterpreter::Flow TemplateInterpreter::run(const TemplateStatement& statement) {
  using Kind = TemplateStatement::Kind;
  const Deeper deeper(*this);
  budget_.charge(1);
  line_ = statement.line;
  switch (statement.kind) {
    case Kind::data:
      budget_.charge_text(statement.text.size());
      *out_ += statement.text;
      break;
    case Kind::output: append_text(*out_, evaluate(*statement.expressions[0]), budget_); break;
    case Kind::if_: return if_(statement);
    case Kind::for_: return for_(statement);
    case Kind::set: set(statement); break;
    case Kind::set_block: filter_block(statement, true); break;
    case Kind::macro: define(statement); break;
    case Kind::call: call_block(statement); break;
    case Kind::filter: filter_block(statement, false); break;
    case Kind::with: with(statement); break;
    case Kind::scope: {
      const NewScope own(*this);
      run(statement.blocks[0]);
      break;
    }
    case Kind::break_: return Flow::break_;
    case Kind::continue_: return Flow::continue_;
  }
  return Flow::next;
}

TemplateInterpreter::Flow TemplateInterpreter::if_(const TemplateStatement& statement) {
  for (size_t i = 0; i < statement.expressions.size(); ++i) {
    if (evaluate(*statement.expressions[i]).truth()) return run(statement.blocks[i]);
  }
  return statement.blocks.size() > statement.expressions.size() ? run(statement.blocks.back()) : Flow::next;
}

std::vector<TemplateValue> TemplateInterpreter::loop_items(const TemplateStatement& statement) {
  std::vector<TemplateValue> items = items_of(evaluate(*statement.expressions[0]));
  if (!statement.expressions[1]) return items;
  std::vector<TemplateValue> kept;
  for (TemplateValue& item : items) {
    const NewScope own(*this);
    bind(statement.names, item);
    if (evaluate(*statement.expressions[1]).truth()) kept.push_back(std::move(item));
  }
  return kept;
}

TemplateInterpreter::Flow TemplateInterpreter::for_(const TemplateStatement& statement) {
  const TemplateValue items = TemplateValue::list(loop_items(statement));
  auto loop = std::make_shared<TemplateLoop>();
  loop->items = *items.as<TemplateValue::List>();
  loop->depth = 1 + items.depth();
  loop->nesting = loops_++;
  const auto count = static_cast<int64_t>(loop->items->items.size());
  for (; loop->index0 < count; ++loop->index0) {
    budget_.charge(1);
    const NewScope own(*this);
    scope_->set("loop", loop);
    bind(statement.names, loop->items->items[static_cast<size_t>(loop->index0)]);
    if (run(statement.blocks[0]) == Flow::break_) break;
  }
  --loops_;
  if (count == 0 && statement.blocks.size() > 1) {
    const NewScope own(*this);
    return run(statement.blocks[1]);
  }
  return Flow::next;
}

void TemplateInterpreter::bind(const std::vector<std::string>& names, const TemplateValue& value) {
  if (names.size() == 1) return scope_->set(names[0], value);
  const std::vector<TemplateValue> items = items_of(value);
  if (items.size() != names.size()) {
    fail(ErrorCode::bad_file, "{} values are there for {} names", items.size(), names.size());
  }
  for (size_t i = 0; i < names.size(); ++i) scope_->set(names[i], items[i]);
}

void TemplateInterpreter::set(const TemplateStatement& statement) {
  const TemplateValue value = evaluate(*statement.expressions[0]);
  if (statement.text.empty()) return bind(statement.names, value);
  const TemplateValue space = lookup(statement.names[0]);
  const auto* target = space.as<TemplateValue::Namespace>();
  if (!target) fail(ErrorCode::bad_file, "attributes can be set on a namespace only; {} is none", statement.names[0]);
  budget_.charge((*target)->attributes.items.size() / 8 + 1);
  (*target)->attributes.set(statement.text, value);
}

std::string TemplateInterpreter::captured(const TemplateBlock& block) {
  std::string out;
  std::string* outer = std::exchange(out_, &out);
  const NewScope own(*this);
  run(block);
  out_ = outer;
  return out;
}

void TemplateInterpreter::filter_block(const TemplateStatement& statement, bool keep) {
  TemplateValue value = captured(statement.blocks[0]);
  if (statement.expressions[0]) {
    TemplateValue outer = std::exchange(piped_, std::move(value));
    value = evaluate(*statement.expressions[0]);
    piped_ = std::move(outer);
  }
  if (!keep) return append_text(*out_, value, budget_);
  if (statement.text.empty()) return scope_->set(statement.names[0], std::move(value));
  const TemplateValue space = lookup(statement.names[0]);
  const auto* target = space.as<TemplateValue::Namespace>();
  if (!target) fail(ErrorCode::bad_file, "attributes can be set on a namespace only; {} is none", statement.names[0]);
  (*target)->attributes.set(statement.text, std::move(value));
}

void TemplateInterpreter::with(const TemplateStatement& statement) {
  std::vector<TemplateValue> values;
  for (const ExpressionPtr& value : statement.expressions) values.push_back(evaluate(*value));
  const NewScope own(*this);
  for (size_t i = 0; i < values.size(); ++i) scope_->set(statement.names[i], std::move(values[i]));
  run(statement.blocks[0]);
}

TemplateValue TemplateInterpreter::macro_value(const TemplateStatement& statement, const char* name) {
  for (TemplateScope* scope = scope_; scope && !scope->captured; scope = scope->parent) scope->captured = true;
  return std::make_shared<const TemplateFunction>(TemplateFunction{name, &statement, scope_, {}, 1});
}

void TemplateInterpreter::define(const TemplateStatement& statement) {
  scope_->set(statement.text, macro_value(statement, statement.text.c_str()));
}

void TemplateInterpreter::call_block(const TemplateStatement& statement) {
  const TemplateValue caller = macro_value(statement, "caller");
  append_text(*out_, invoke(*statement.expressions[0], &caller), budget_);
}

TemplateValue TemplateInterpreter::call_macro(const TemplateFunction& function, TemplateArguments& arguments) {
  const Deeper deeper(*this);
  const TemplateStatement& macro = *function.macro;
  TemplateScope* caller = std::exchange(scope_, function.scope);
  const size_t first = macro.kind == TemplateStatement::Kind::call ? 1 : 0;  // where defaults begin
  const size_t defaults = macro.expressions.size() - first;
  std::string out;
  {
    const NewScope own(*this);
    for (size_t i = 0; i < macro.names.size(); ++i) {
      const TemplateValue* given = arguments.find(i, macro.names[i]);
      const bool has_default = i + defaults >= macro.names.size();
      scope_->set(macro.names[i], given ? *given
                                  : has_default
                                      ? evaluate(*macro.expressions[first + i + defaults - macro.names.size()])
                                      : TemplateValue::undefined(macro.names[i]));
    }
    if (const TemplateValue* block = arguments.find(SIZE_MAX, "caller")) scope_->set("caller", *block);
    arguments.done();
    std::string* outer = std::exchange(out_, &out);
    run(macro.blocks[0]);
    out_ = outer;
  }
  scope_ = caller;
  return out;
}

TemplateValue TemplateInterpreter::call_global(const std::string& name, TemplateArguments& arguments) {
  static constexpr int64_t kMaxRange = 100000;  // Jinja's sandbox has the same
  if (name == "range") {
    const bool one = arguments.positional.size() == 1;
    const int64_t begin = one ? 0 : arguments.integer(0, "start", 0);
    const int64_t end = arguments.integer(one ? 0 : 1, "stop", 0);
    const int64_t step = arguments.integer(2, "step", 1);
    arguments.done();
    if (step == 0) fail(ErrorCode::bad_file, "range() with a step of 0");
    const double count = (static_cast<double>(end) - static_cast<double>(begin)) / static_cast<double>(step);
    if (count > kMaxRange) fail(ErrorCode::does_not_fit, "a range has at most {} numbers", kMaxRange);
    std::vector<TemplateValue> numbers;
    for (int64_t i = begin; step > 0 ? i < end : i > end;) {
      numbers.push_back(i);
      if (__builtin_add_overflow(i, step, &i)) break;
    }
    budget_.charge(numbers.size());
    return TemplateValue::list(std::move(numbers));
  }
  if (name == "raise_exception") fail(ErrorCode::usage, "{}", arguments.text(0, "message", "", budget_));
  if (name == "strftime_now") {
    const std::string format = arguments.text(0, "format", "", budget_);
    arguments.done();
    std::tm local{};
    char text[1024];
    localtime_r(&now_, &local);
    if (format.size() > 200) fail(ErrorCode::does_not_fit, "a time format has at most 200 characters");
    return std::string(text, strftime(text, sizeof text, format.c_str(), &local));
  }
  // dict and namespace: of a map, of names, or both
  TemplateMap map;
  if (const TemplateValue* from = arguments.find(0, "")) {
    if (!from->map()) fail(ErrorCode::bad_file, "{}() takes a dict or names with values", name);
    map = *from->map();
    budget_.charge(map.items.size());
  }
  for (const auto& [key, value] : arguments.named) map.set(key, value);
  if (name == "dict") return TemplateValue::map(std::move(map));
  namespaces_.push_back(std::make_shared<TemplateNamespace>(TemplateNamespace{std::move(map)}));
  return namespaces_.back();
}

TemplateValue TemplateInterpreter::call(const TemplateValue& callee, TemplateArguments& arguments) {
  const auto* function = callee.as<TemplateValue::Function>();
  if (callee.is_undefined()) {
    const auto& name = callee.as<TemplateValue::Undefined>()->name;
    fail(ErrorCode::bad_file, "{} is undefined and cannot be called", name ? *name : "a value");
  }
  if (!function) fail(ErrorCode::bad_file, "a {} cannot be called", callee.type_name());
  const TemplateFunction& called = **function;
  if (called.macro) return call_macro(called, arguments);
  if (called.receiver.is_undefined()) return call_global(called.name, arguments);
  TemplateValue out = call_method(*this, called.receiver, called.name, arguments);
  arguments.done();
  return out;
}

}  // namespace narae
