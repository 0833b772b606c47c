// SPDX-License-Identifier: Apache-2.0
// What an expression of a chat template is worth: Python's values as far as templates see them. Lists and maps never
// change once made (templates run in an immutable sandbox), so copies share; only namespaces change, and they alone can
// form cycles, which is why the interpreter owns them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace narae {

// What a rendering may still spend: a unit is a node evaluated, an element touched or 8 bytes of text made.
class TemplateBudget {
 public:
  explicit TemplateBudget(int64_t units) : left_(units) {}
  // Throws Error does_not_fit when nothing is left.
  void charge(uint64_t units);
  void charge_text(size_t bytes) { charge(bytes / 8 + 1); }

 private:
  int64_t left_;
};

class TemplateValue;
struct TemplateFunction;  // a macro, a built-in or a bound method (template_interpreter.h)
struct TemplateLoop;      // the variable `loop` (template_interpreter.h)

struct TemplateList {
  std::vector<TemplateValue> items;
  bool tuple = false;
  int depth = 1;  // 1 + that of the deepest item
};

// Keys are strings; they keep the order they came in.
struct TemplateMap {
  std::vector<std::pair<std::string, TemplateValue>> items;
  int depth = 1;
  const TemplateValue* find(std::string_view key) const;
  void set(std::string_view key, TemplateValue value);
};

struct TemplateNamespace {
  TemplateMap attributes;
};

class TemplateValue {
 public:
  struct None {};
  struct Undefined {
    std::shared_ptr<const std::string> name;  // what was looked for; null: nothing in particular
  };
  using Text = std::shared_ptr<const std::string>;
  using List = std::shared_ptr<const TemplateList>;
  using Map = std::shared_ptr<const TemplateMap>;
  using Namespace = std::shared_ptr<TemplateNamespace>;
  using Function = std::shared_ptr<const TemplateFunction>;
  using Loop = std::shared_ptr<TemplateLoop>;

  TemplateValue() = default;
  TemplateValue(None) : v_(None{}) {}
  TemplateValue(bool value) : v_(value) {}
  TemplateValue(int64_t value) : v_(value) {}
  TemplateValue(double value) : v_(value) {}
  TemplateValue(std::string value) : v_(std::make_shared<const std::string>(std::move(value))) {}
  TemplateValue(const char* value) : TemplateValue(std::string(value)) {}
  TemplateValue(Namespace value) : v_(std::move(value)) {}
  TemplateValue(Function value) : v_(std::move(value)) {}
  TemplateValue(Loop value) : v_(std::move(value)) {}
  // Throws Error does_not_fit when nested too deeply.
  static TemplateValue list(std::vector<TemplateValue> items, bool tuple = false);
  static TemplateValue map(TemplateMap map);
  static TemplateValue undefined(std::string name);

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&v_);
  }
  bool is_undefined() const { return as<Undefined>() != nullptr; }
  bool is_none() const { return as<None>() != nullptr; }
  bool is_text() const { return as<Text>() != nullptr; }
  const std::string& text() const { return **as<Text>(); }
  const TemplateList* list() const { return as<List>() ? as<List>()->get() : nullptr; }
  const TemplateMap* map() const { return as<Map>() ? as<Map>()->get() : nullptr; }
  bool truth() const;
  const char* type_name() const;  // as Python calls it
  int depth() const;

 private:
  TemplateValue(List value) : v_(std::move(value)) {}
  TemplateValue(Map value) : v_(std::move(value)) {}
  std::variant<Undefined, None, bool, int64_t, double, Text, List, Map, Namespace, Function, Loop> v_;
};

bool is_number(const TemplateValue& value);    // bool counts, as in Python
double number_of(const TemplateValue& value);  // of one that is_number()
// Booleans and integers; false for all else.
bool as_integer(const TemplateValue& value, int64_t& out);

// Python's ==.
bool template_equal(const TemplateValue& a, const TemplateValue& b, TemplateBudget& budget);
// Python's <; throws Error bad_file for types without an order.
bool template_less(const TemplateValue& a, const TemplateValue& b, TemplateBudget& budget);
// Python's str() and repr(), appended.
void append_text(std::string& out, const TemplateValue& value, TemplateBudget& budget);
void append_repr(std::string& out, const TemplateValue& value, TemplateBudget& budget, int depth = 0);
std::string text_of(const TemplateValue& value, TemplateBudget& budget);

struct JsonStyle {
  int indent = -1;  // below 0: one line
  bool sort_keys = false, ascii = false;
  std::string item_separator = ", ", key_separator = ": ";
};
// json.dumps; throws Error bad_file for what JSON has not.
std::string template_json(const TemplateValue& value, const JsonStyle& style, TemplateBudget& budget);

}  // namespace narae
