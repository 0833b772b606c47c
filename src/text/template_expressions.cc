// SPDX-License-Identifier: Apache-2.0
// Expressions of chat templates.
#include "base/error.h"
#include "text/python_text.h"
#include "text/template_interpreter.h"
#include "text/template_nesting.h"

namespace narae {
namespace {

[[noreturn]] void undefined_used(const TemplateValue& value, const char* how) {
  const auto& name = value.as<TemplateValue::Undefined>()->name;
  fail(ErrorCode::bad_file, "{} is undefined{}", name ? "'" + *name + "'" : "a value", how);
}

}  // namespace

TemplateValue TemplateInterpreter::evaluate(const TemplateExpression& node) {
  using Kind = TemplateExpression::Kind;
  const Deeper deeper(*this);
  budget_.charge(1);
  switch (node.kind) {
    case Kind::constant: return node.value;
    case Kind::name: return node.text.empty() ? piped_ : lookup(node.text);
    case Kind::list:
    case Kind::tuple: return items(node);
    case Kind::map: return map(node);
    case Kind::attribute: return attribute(evaluate(*node.parts[0]), node.text);
    case Kind::item: return item(evaluate(*node.parts[0]), evaluate(*node.parts[1]));
    case Kind::slice: return slice(node);
    case Kind::call: return invoke(node, nullptr);
    case Kind::filter: {
      const TemplateValue value = evaluate(*node.parts[0]);
      TemplateArguments given = arguments(node);
      return filter(node.text, value, given);
    }
    case Kind::test: {
      const TemplateValue value = evaluate(*node.parts[0]);
      TemplateArguments given = arguments(node);
      return test(node.text, value, given);
    }
    case Kind::negative: return template_arithmetic("-", TemplateValue(int64_t{0}), evaluate(*node.parts[0]), budget_);
    case Kind::positive: return template_arithmetic("+", TemplateValue(int64_t{0}), evaluate(*node.parts[0]), budget_);
    case Kind::not_: return !evaluate(*node.parts[0]).truth();
    case Kind::and_: {
      TemplateValue left = evaluate(*node.parts[0]);
      return left.truth() ? evaluate(*node.parts[1]) : left;
    }
    case Kind::or_: {
      TemplateValue left = evaluate(*node.parts[0]);
      return left.truth() ? left : evaluate(*node.parts[1]);
    }
    case Kind::arithmetic: return arithmetic(node);
    case Kind::concat: return concat(node);
    case Kind::compare: return compare(node);
    case Kind::conditional:
      if (evaluate(*node.parts[1]).truth()) return evaluate(*node.parts[0]);
      return node.parts[2] ? evaluate(*node.parts[2]) : TemplateValue();
  }
  return {};
}

TemplateValue TemplateInterpreter::lookup(const std::string& name) {
  for (const TemplateScope* scope = scope_; scope; scope = scope->parent) {
    budget_.charge(scope->names.size() / 16 + 1);
    for (const auto& [known, value] : scope->names) {
      if (known == name) return value;
    }
  }
  return TemplateValue::undefined(name);
}

TemplateValue TemplateInterpreter::items(const TemplateExpression& node) {
  std::vector<TemplateValue> made;
  made.reserve(node.parts.size());
  for (const ExpressionPtr& part : node.parts) made.push_back(evaluate(*part));
  return TemplateValue::list(std::move(made), node.kind == TemplateExpression::Kind::tuple);
}

TemplateValue TemplateInterpreter::map(const TemplateExpression& node) {
  TemplateMap made;
  for (size_t i = 0; i < node.parts.size(); i += 2) {
    const TemplateValue key = evaluate(*node.parts[i]);
    if (!key.is_text())
      fail(ErrorCode::bad_file, "keys of a dict are texts in chat templates, not {}", key.type_name());
    budget_.charge(made.items.size() / 8 + 1);
    made.set(key.text(), evaluate(*node.parts[i + 1]));
  }
  return TemplateValue::map(std::move(made));
}

TemplateValue TemplateInterpreter::bound(const TemplateValue& receiver, const std::string& name) {
  TemplateFunction method{name, nullptr, nullptr, receiver, 1 + receiver.depth()};
  if (method.depth > 110) fail(ErrorCode::does_not_fit, "values of a chat template are nested too deep");
  return std::make_shared<const TemplateFunction>(std::move(method));
}

TemplateValue TemplateInterpreter::loop_attribute(const TemplateValue& value, const std::string& name) {
  const TemplateLoop& loop = **value.as<TemplateValue::Loop>();
  const auto count = static_cast<int64_t>(loop.items->items.size());
  const auto at = [&](int64_t index) {
    return index >= 0 && index < count ? loop.items->items[static_cast<size_t>(index)] : TemplateValue::undefined(name);
  };
  if (name == "index") return loop.index0 + 1;
  if (name == "index0") return loop.index0;
  if (name == "revindex") return count - loop.index0;
  if (name == "revindex0") return count - loop.index0 - 1;
  if (name == "first") return loop.index0 == 0;
  if (name == "last") return loop.index0 + 1 == count;
  if (name == "length") return count;
  if (name == "previtem") return at(loop.index0 - 1);
  if (name == "nextitem") return at(loop.index0 + 1);
  if (name == "depth") return int64_t{1};
  if (name == "depth0") return int64_t{0};
  if (name == "cycle") return bound(value, name);
  return TemplateValue::undefined("loop." + name);
}

TemplateValue TemplateInterpreter::attribute(const TemplateValue& value, const std::string& name) {
  if (value.is_undefined()) undefined_used(value, (" and has no attribute '" + name + "'").c_str());
  if (value.as<TemplateValue::Loop>()) return loop_attribute(value, name);
  if (has_method(value, name)) return bound(value, name);
  const TemplateMap* map = value.map();
  if (const auto* space = value.as<TemplateValue::Namespace>()) map = &(*space)->attributes;
  if (map) {
    budget_.charge(map->items.size() / 8 + 1);
    if (const TemplateValue* found = map->find(name)) return *found;
  }
  return TemplateValue::undefined(name);
}

TemplateValue TemplateInterpreter::item(const TemplateValue& value, const TemplateValue& key) {
  if (value.is_undefined()) undefined_used(value, " and has no items");
  if (key.is_text()) {
    if (const TemplateMap* map = value.map()) {
      budget_.charge(map->items.size() / 8 + 1);
      if (const TemplateValue* found = map->find(key.text())) return *found;
    }
    return attribute(value, key.text());
  }
  int64_t index = 0;
  if (as_integer(key, index)) {
    if (const TemplateList* list = value.list()) {
      const auto count = static_cast<int64_t>(list->items.size());
      if (index < 0) index += count;
      if (index >= 0 && index < count) return list->items[static_cast<size_t>(index)];
    } else if (value.is_text()) {
      budget_.charge_text(value.text().size());
      const std::vector<std::string_view> all = characters(value.text());
      if (index < 0) index += static_cast<int64_t>(all.size());
      if (index >= 0 && index < static_cast<int64_t>(all.size())) return std::string(all[static_cast<size_t>(index)]);
    }
  }
  return TemplateValue::undefined(text_of(key, budget_));
}

TemplateValue TemplateInterpreter::slice(const TemplateExpression& node) {
  const auto bound_of = [&](size_t i) {
    return node.parts[i] ? evaluate(*node.parts[i]) : TemplateValue(TemplateValue::None{});
  };
  const TemplateValue value = evaluate(*node.parts[0]);
  if (value.is_undefined()) undefined_used(value, " and cannot be sliced");
  const TemplateValue from = bound_of(1), to = bound_of(2), step = bound_of(3);
  return template_slice(value, from, to, step, budget_);
}

TemplateValue TemplateInterpreter::arithmetic(const TemplateExpression& node) {
  const TemplateValue left = evaluate(*node.parts[0]), right = evaluate(*node.parts[1]);
  if (left.is_undefined()) undefined_used(left, "");
  if (right.is_undefined()) undefined_used(right, "");
  return template_arithmetic(node.text, left, right, budget_);
}

TemplateValue TemplateInterpreter::concat(const TemplateExpression& node) {
  std::string out;
  for (const ExpressionPtr& part : node.parts) append_text(out, evaluate(*part), budget_);
  return out;
}

bool TemplateInterpreter::contains(const TemplateValue& container, const TemplateValue& value) {
  if (container.is_text()) {
    if (!value.is_text()) fail(ErrorCode::bad_file, "only a text can be in a text, not a {}", value.type_name());
    budget_.charge_text(container.text().size());
    return container.text().find(value.text()) != std::string::npos;
  }
  if (const TemplateMap* map = container.map()) {
    budget_.charge(map->items.size() / 8 + 1);
    return value.is_text() && map->find(value.text());
  }
  if (container.is_undefined()) return false;
  if (!container.list()) fail(ErrorCode::bad_file, "nothing can be in a {}", container.type_name());
  for (const TemplateValue& item : container.list()->items) {
    if (template_equal(item, value, budget_)) return true;
  }
  return false;
}

bool TemplateInterpreter::compare(const std::string& sign, const TemplateValue& left, const TemplateValue& right) {
  if (sign == "==") return template_equal(left, right, budget_);
  if (sign == "!=") return !template_equal(left, right, budget_);
  if (sign == "in") return contains(right, left);
  if (sign == "not in") return !contains(right, left);
  if (left.is_undefined()) undefined_used(left, "");
  if (right.is_undefined()) undefined_used(right, "");
  if (sign == "<") return template_less(left, right, budget_);
  if (sign == ">") return template_less(right, left, budget_);
  const bool equal = template_equal(left, right, budget_);
  return sign == "<=" ? template_less(left, right, budget_) || equal : template_less(right, left, budget_) || equal;
}

bool TemplateInterpreter::compare(const TemplateExpression& node) {
  TemplateValue left = evaluate(*node.parts[0]);
  for (size_t i = 0; i < node.keywords.size(); ++i) {
    TemplateValue right = evaluate(*node.parts[i + 1]);
    if (!compare(node.keywords[i], left, right)) return false;
    left = std::move(right);
  }
  return true;
}

TemplateArguments TemplateInterpreter::arguments(const TemplateExpression& node) {
  TemplateArguments made;
  const size_t named = node.parts.size() - node.keywords.size();
  for (size_t i = 1; i < named; ++i) made.positional.push_back(evaluate(*node.parts[i]));
  for (size_t i = named; i < node.parts.size(); ++i) {
    made.named.emplace_back(node.keywords[i - named], evaluate(*node.parts[i]));
  }
  return made;
}

TemplateValue TemplateInterpreter::invoke(const TemplateExpression& node, const TemplateValue* caller) {
  const TemplateValue callee = evaluate(*node.parts[0]);
  TemplateArguments given = arguments(node);
  if (caller) given.named.emplace_back("caller", *caller);
  return call(callee, given);
}

std::vector<TemplateValue> TemplateInterpreter::items_of(const TemplateValue& value) {
  std::vector<TemplateValue> out;
  if (const TemplateList* list = value.list()) {
    out = list->items;
  } else if (const TemplateMap* map = value.map()) {
    for (const auto& item : map->items) out.emplace_back(item.first);
  } else if (value.is_text()) {
    budget_.charge_text(value.text().size());
    for (const std::string_view one : characters(value.text())) out.emplace_back(std::string(one));
  } else if (!value.is_undefined()) {
    fail(ErrorCode::bad_file, "a {} cannot be iterated", value.type_name());
  }
  budget_.charge(out.size());
  return out;
}

}  // namespace narae
