// SPDX-License-Identifier: Apache-2.0
// Attributes of a node: one plain struct per op with ONE field list, from which text and parse follow; what has equal
// text is equal.
//
//   struct ConvAttributes {
//     std::vector<int64_t> strides, pads;
//     int64_t groups = 1;
//     template <class V> void fields(V& v) { v("strides", strides); v("pads", pads); v("groups", groups); }
//   };
//
// Fields may be int64_t, bool, double, std::string, DType, Dim and vectors of int64_t, double, Dim.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "tensor/dim.h"
#include "tensor/dtype.h"

namespace narae {

// Text of one field value and back. Doubles print with enough digits to parse to the same bits.
std::string field_text(int64_t value);
std::string field_text(bool value);
std::string field_text(double value);
std::string field_text(const std::string& value);  // quoted, escaped
std::string field_text(DType value);
std::string field_text(const Dim& value);
std::string field_text(const std::vector<int64_t>& value);
std::string field_text(const std::vector<double>& value);
std::string field_text(const std::vector<Dim>& value);

using SymbolLookup = std::function<Dim(std::string_view)>;
void parse_field(std::string_view text, const SymbolLookup& lookup, int64_t& value);
void parse_field(std::string_view text, const SymbolLookup& lookup, bool& value);
void parse_field(std::string_view text, const SymbolLookup& lookup, double& value);
void parse_field(std::string_view text, const SymbolLookup& lookup, std::string& value);
void parse_field(std::string_view text, const SymbolLookup& lookup, DType& value);
void parse_field(std::string_view text, const SymbolLookup& lookup, Dim& value);
void parse_field(std::string_view text, const SymbolLookup& lookup, std::vector<int64_t>& value);
void parse_field(std::string_view text, const SymbolLookup& lookup, std::vector<double>& value);
void parse_field(std::string_view text, const SymbolLookup& lookup, std::vector<Dim>& value);

// Type-erased, immutable, shared between nodes.
class AttributeBox {
 public:
  virtual ~AttributeBox() = default;
  // `{a=1, b=[2,3]}` or empty when the struct has no fields.
  virtual std::string text() const = 0;
  virtual const void* value() const = 0;
  // Every Dim in the fields, so that passes and the planner see the symbols a node depends on.
  virtual void collect_dims(std::vector<Dim>& dims) const = 0;
};
using Attributes = std::shared_ptr<const AttributeBox>;

// name -> raw text of the value, as the graph parser cut it.
using FieldTexts = std::vector<std::pair<std::string, std::string>>;

namespace detail {
struct FieldPrinter {
  std::string text;
  template <typename T>
  void operator()(const char* name, const T& value) {
    text += text.empty() ? "{" : ", ";
    text += name;
    text += '=';
    text += field_text(value);
  }
};
struct DimCollector {
  std::vector<Dim>& dims;
  void operator()(const char*, const Dim& value) { dims.push_back(value); }
  void operator()(const char*, const std::vector<Dim>& value) { dims.insert(dims.end(), value.begin(), value.end()); }
  template <typename T>
  void operator()(const char*, const T&) {}
};
struct FieldParser {
  const FieldTexts& texts;
  const SymbolLookup& lookup;
  size_t found = 0;
  template <typename T>
  void operator()(const char* name, T& value) {
    for (const auto& [key, text] : texts) {
      if (key != name) continue;
      parse_field(text, lookup, value);
      ++found;
    }
  }
};
template <typename T>
class Box final : public AttributeBox {
 public:
  explicit Box(T value) : value_(std::move(value)) {}
  std::string text() const override {
    FieldPrinter printer;
    const_cast<T&>(value_).fields(printer);
    return printer.text.empty() ? printer.text : printer.text + "}";
  }
  const void* value() const override { return &value_; }
  void collect_dims(std::vector<Dim>& dims) const override {
    DimCollector collector{dims};
    const_cast<T&>(value_).fields(collector);
  }

 private:
  T value_;
};
}  // namespace detail

struct NoAttributes {
  template <class V>
  void fields(V&) {}
};

template <typename T>
Attributes make_attributes(T value) {
  return std::make_shared<const detail::Box<T>>(std::move(value));
}
// Throws Error bad_file when a name is not a field.
template <typename T>
Attributes parse_attributes(const FieldTexts& texts, const SymbolLookup& lookup) {
  T value;
  detail::FieldParser parser{texts, lookup};
  value.fields(parser);
  if (parser.found != texts.size()) fail(ErrorCode::bad_file, "unknown or repeated attribute");
  return make_attributes(std::move(value));
}
bool same_attributes(const Attributes& a, const Attributes& b);

}  // namespace narae
