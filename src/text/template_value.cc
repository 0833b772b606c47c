// SPDX-License-Identifier: Apache-2.0
#include "text/template_value.h"

#include "base/error.h"
#include "text/template_interpreter.h"

namespace narae {
namespace {

constexpr int kMaxDepth = 100;

int checked_depth(int depth) {
  if (depth > kMaxDepth) {
    fail(ErrorCode::does_not_fit, "values of a chat template are nested at most {} deep", kMaxDepth);
  }
  return depth;
}

}  // namespace

void TemplateBudget::charge(uint64_t units) {
  if (units > static_cast<uint64_t>(left_)) {
    left_ = 0;
    fail(ErrorCode::does_not_fit, "the chat template takes more steps than it may; it is not meant for these messages");
  }
  left_ -= static_cast<int64_t>(units);
}

const TemplateValue* TemplateMap::find(std::string_view key) const {
  for (const auto& [name, value] : items) {
    if (name == key) return &value;
  }
  return nullptr;
}

void TemplateMap::set(std::string_view key, TemplateValue value) {
  depth = std::max(depth, 1 + value.depth());
  for (auto& [name, old] : items) {
    if (name == key) {
      old = std::move(value);
      return;
    }
  }
  items.emplace_back(key, std::move(value));
}

TemplateValue TemplateValue::list(std::vector<TemplateValue> items, bool tuple) {
  auto made = std::make_shared<TemplateList>();
  made->tuple = tuple;
  for (const TemplateValue& item : items) made->depth = std::max(made->depth, 1 + item.depth());
  checked_depth(made->depth);
  made->items = std::move(items);
  return List(std::move(made));
}

TemplateValue TemplateValue::map(TemplateMap map) {
  checked_depth(map.depth);
  return Map(std::make_shared<const TemplateMap>(std::move(map)));
}

TemplateValue TemplateValue::undefined(std::string name) {
  TemplateValue value;
  value.v_ = Undefined{std::make_shared<const std::string>(std::move(name))};
  return value;
}

int TemplateValue::depth() const {
  if (list()) return list()->depth;
  if (map()) return map()->depth;
  if (as<Function>()) return (*as<Function>())->depth;
  if (as<Loop>()) return (*as<Loop>())->depth;
  return 0;
}

bool TemplateValue::truth() const {
  if (is_undefined() || is_none()) return false;
  if (const bool* value = as<bool>()) return *value;
  if (const int64_t* value = as<int64_t>()) return *value != 0;
  if (const double* value = as<double>()) return *value != 0;
  if (is_text()) return !text().empty();
  if (list()) return !list()->items.empty();
  if (map()) return !map()->items.empty();
  return true;
}

const char* TemplateValue::type_name() const {
  static constexpr const char* kNames[] = {"undefined", "None", "bool", "int",      "float",      "str",
                                           "list",      "dict", "",     "function", "LoopContext"};
  if (list() && list()->tuple) return "tuple";
  return as<Namespace>() ? "Namespace" : kNames[v_.index()];
}

bool is_number(const TemplateValue& value) { return value.as<bool>() || value.as<int64_t>() || value.as<double>(); }

double number_of(const TemplateValue& value) {
  if (const double* real = value.as<double>()) return *real;
  int64_t integer = 0;
  as_integer(value, integer);
  return static_cast<double>(integer);
}

bool as_integer(const TemplateValue& value, int64_t& out) {
  if (const bool* boolean = value.as<bool>()) {
    out = *boolean;
    return true;
  }
  if (const int64_t* integer = value.as<int64_t>()) {
    out = *integer;
    return true;
  }
  return false;
}

namespace {

bool equal_maps(const TemplateMap& a, const TemplateMap& b, TemplateBudget& budget) {
  if (a.items.size() != b.items.size()) return false;
  for (const auto& [key, value] : a.items) {
    budget.charge(b.items.size());
    const TemplateValue* other = b.find(key);
    if (!other || !template_equal(value, *other, budget)) return false;
  }
  return true;
}

bool equal_lists(const TemplateList& a, const TemplateList& b, TemplateBudget& budget) {
  if (a.tuple != b.tuple || a.items.size() != b.items.size()) return false;
  for (size_t i = 0; i < a.items.size(); ++i) {
    if (!template_equal(a.items[i], b.items[i], budget)) return false;
  }
  return true;
}

// Same object: for what Python compares by identity.
template <typename T>
bool same(const TemplateValue& a, const TemplateValue& b) {
  return a.as<T>() && b.as<T>() && *a.as<T>() == *b.as<T>();
}

}  // namespace

bool template_equal(const TemplateValue& a, const TemplateValue& b, TemplateBudget& budget) {
  budget.charge(1);
  if (is_number(a) && is_number(b)) {
    int64_t x = 0, y = 0;
    if (as_integer(a, x) && as_integer(b, y)) return x == y;
    return number_of(a) == number_of(b);
  }
  if (a.is_text() && b.is_text()) {
    budget.charge_text(std::min(a.text().size(), b.text().size()));
    return a.text() == b.text();
  }
  if (a.list() && b.list()) return equal_lists(*a.list(), *b.list(), budget);
  if (a.map() && b.map()) return equal_maps(*a.map(), *b.map(), budget);
  if (a.is_none() || a.is_undefined()) return a.is_none() == b.is_none() && a.is_undefined() == b.is_undefined();
  return same<TemplateValue::Namespace>(a, b) || same<TemplateValue::Function>(a, b) || same<TemplateValue::Loop>(a, b);
}

bool template_less(const TemplateValue& a, const TemplateValue& b, TemplateBudget& budget) {
  budget.charge(1);
  if (is_number(a) && is_number(b)) {
    int64_t x = 0, y = 0;
    if (as_integer(a, x) && as_integer(b, y)) return x < y;
    return number_of(a) < number_of(b);
  }
  if (a.is_text() && b.is_text()) {
    budget.charge_text(std::min(a.text().size(), b.text().size()));
    return a.text() < b.text();  // UTF-8 keeps the order of code points
  }
  if (a.list() && b.list() && a.list()->tuple == b.list()->tuple) {
    const auto &x = a.list()->items, &y = b.list()->items;
    for (size_t i = 0; i < x.size() && i < y.size(); ++i) {
      if (!template_equal(x[i], y[i], budget)) return template_less(x[i], y[i], budget);
    }
    return x.size() < y.size();
  }
  fail(ErrorCode::bad_file, "'<' is not there between {} and {}", a.type_name(), b.type_name());
}

}  // namespace narae
