// SPDX-License-Identifier: Apache-2.0
// Values as text: str(), repr() and json.dumps of Python. The same list may hang in a value many times, so what is
// printed is charged as it grows.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "text/python_text.h"
#include "text/template_interpreter.h"
#include "text/template_value.h"

namespace narae {
namespace {

constexpr int kMaxPrintDepth = 120;  // namespaces can hold themselves

void append_repr_list(std::string& out, const TemplateList& list, TemplateBudget& budget, int depth) {
  out += list.tuple ? '(' : '[';
  for (size_t i = 0; i < list.items.size(); ++i) {
    if (i) out += ", ";
    append_repr(out, list.items[i], budget, depth + 1);
  }
  if (list.tuple && list.items.size() == 1) out += ',';
  out += list.tuple ? ')' : ']';
}

void append_repr_map(std::string& out, const TemplateMap& map, TemplateBudget& budget, int depth) {
  out += '{';
  bool first = true;
  for (const auto& [key, value] : map.items) {
    if (!first) out += ", ";
    first = false;
    budget.charge_text(key.size());
    append_quoted(out, key);
    out += ": ";
    append_repr(out, value, budget, depth + 1);
  }
  out += '}';
}

class JsonWriter {
 public:
  JsonWriter(const JsonStyle& style, TemplateBudget& budget) : style_(style), budget_(budget) {}
  void write(const TemplateValue& value, int depth);
  std::string take() { return std::move(out_); }

 private:
  void new_line(int depth) {
    if (style_.indent < 0) return;
    const size_t blanks = static_cast<size_t>(style_.indent) * static_cast<size_t>(depth);
    budget_.charge_text(blanks);
    (out_ += '\n').append(blanks, ' ');
  }
  void next(bool& first, int depth) {
    if (!first) out_ += style_.item_separator;
    first = false;
    new_line(depth);
  }
  void write_text(std::string_view text);
  void write_map(const TemplateMap& map, int depth);

  const JsonStyle& style_;
  TemplateBudget& budget_;
  std::string out_;
};

void JsonWriter::write_text(std::string_view text) {
  budget_.charge_text(text.size());
  out_ += '"';
  while (!text.empty()) {
    std::string_view bytes;
    const char32_t code = next_code_point(text, &bytes);
    const auto number = static_cast<uint32_t>(code);
    switch (code) {
      case '"': out_ += "\\\""; break;
      case '\\': out_ += "\\\\"; break;
      case '\n': out_ += "\\n"; break;
      case '\r': out_ += "\\r"; break;
      case '\t': out_ += "\\t"; break;
      case '\f': out_ += "\\f"; break;
      case '\b': out_ += "\\b"; break;
      default:
        if (number < 0x20 || (style_.ascii && number > 0x7E && number < 0x10000)) {
          out_ += fmt::format("\\u{:04x}", number);
        } else if (style_.ascii && number >= 0x10000 && number < 0x110000) {
          const uint32_t rest = number - 0x10000;
          out_ += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
        } else {
          out_ += bytes;
        }
    }
  }
  out_ += '"';
}

void JsonWriter::write_map(const TemplateMap& map, int depth) {
  if (map.items.empty()) {
    out_ += "{}";
    return;
  }
  std::vector<const std::pair<std::string, TemplateValue>*> items;
  items.reserve(map.items.size());
  for (const auto& item : map.items) items.push_back(&item);
  if (style_.sort_keys) {
    std::sort(items.begin(), items.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  }
  out_ += '{';
  bool first = true;
  for (const auto* item : items) {
    next(first, depth + 1);
    write_text(item->first);
    out_ += style_.key_separator;
    write(item->second, depth + 1);
  }
  new_line(depth);
  out_ += '}';
}

void JsonWriter::write(const TemplateValue& value, int depth) {
  budget_.charge(1);
  if (value.is_none()) {
    out_ += "null";
  } else if (const bool* boolean = value.as<bool>()) {
    out_ += *boolean ? "true" : "false";
  } else if (const double* real = value.as<double>()) {
    out_ += std::isnan(*real) ? "NaN" : std::isinf(*real) ? (*real < 0 ? "-Infinity" : "Infinity") : float_text(*real);
  } else if (const int64_t* integer = value.as<int64_t>()) {
    out_ += std::to_string(*integer);
  } else if (value.is_text()) {
    write_text(value.text());
  } else if (value.map()) {
    write_map(*value.map(), depth);
  } else if (value.list()) {
    if (value.list()->items.empty()) {
      out_ += "[]";
      return;
    }
    out_ += '[';
    bool first = true;
    for (const TemplateValue& item : value.list()->items) {
      next(first, depth + 1);
      write(item, depth + 1);
    }
    new_line(depth);
    out_ += ']';
  } else {
    fail(ErrorCode::bad_file, "tojson: a value of type {} has no JSON form", value.type_name());
  }
}

}  // namespace

void append_repr(std::string& out, const TemplateValue& value, TemplateBudget& budget, int depth) {
  budget.charge(1);
  if (depth > kMaxPrintDepth) fail(ErrorCode::does_not_fit, "a value that holds itself cannot be printed");
  if (value.is_text()) {
    budget.charge_text(value.text().size());
    append_quoted(out, value.text());
  } else if (value.list()) {
    append_repr_list(out, *value.list(), budget, depth);
  } else if (value.map()) {
    append_repr_map(out, *value.map(), budget, depth);
  } else if (const auto* space = value.as<TemplateValue::Namespace>()) {
    out += "<Namespace ";
    append_repr_map(out, (*space)->attributes, budget, depth + 1);
    out += '>';
  } else if (value.is_undefined()) {
    out += "Undefined";
  } else {
    append_text(out, value, budget);
  }
}

void append_text(std::string& out, const TemplateValue& value, TemplateBudget& budget) {
  budget.charge(1);
  if (value.is_text()) {
    budget.charge_text(value.text().size());
    out += value.text();
  } else if (const int64_t* integer = value.as<int64_t>()) {
    out += std::to_string(*integer);
  } else if (const bool* boolean = value.as<bool>()) {
    out += *boolean ? "True" : "False";
  } else if (const double* real = value.as<double>()) {
    out += float_text(*real);
  } else if (value.is_none()) {
    out += "None";
  } else if (value.list() || value.map() || value.as<TemplateValue::Namespace>()) {
    append_repr(out, value, budget);
  } else if (!value.is_undefined()) {
    fail(ErrorCode::bad_file, "a {} cannot be printed; was a call forgotten?", value.type_name());
  }
}

std::string text_of(const TemplateValue& value, TemplateBudget& budget) {
  std::string out;
  append_text(out, value, budget);
  return out;
}

std::string template_json(const TemplateValue& value, const JsonStyle& style, TemplateBudget& budget) {
  JsonWriter writer(style, budget);
  writer.write(value, 0);
  return writer.take();
}

}  // namespace narae
