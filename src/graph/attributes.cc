// SPDX-License-Identifier: Apache-2.0
// Text of attribute fields. Files are read back with these, so a parser here treats its input as hostile.
#include "graph/attributes.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace narae {

std::string field_text(int64_t value) { return fmt::format("{}", value); }
std::string field_text(bool value) { return value ? "true" : "false"; }
std::string field_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return fmt::format("{:.17g}", value) == fmt::format("{:g}", value) ? fmt::format("{:g}", value)
                                                                     : fmt::format("{}", value);
}
std::string field_text(const std::string& value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      text += '\\';
      text += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      text += c;
    }
  }
  return text + "\"";
}
std::string field_text(DType value) { return dtype_name(value); }
std::string field_text(const Dim& value) { return value.text(); }

namespace {
template <typename T>
std::string list_text(const std::vector<T>& values) {
  std::string text = "[";
  for (size_t i = 0; i < values.size(); ++i) text += (i ? "," : "") + field_text(values[i]);
  return text + "]";
}

[[noreturn]] void bad_field(std::string_view text, const char* wanted) {
  fail(ErrorCode::bad_file, "\"{}\" is not {}", text, wanted);
}

// Splits "[a,b(c,d)]" at its top-level commas.
std::vector<std::string_view> split_list(std::string_view text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') bad_field(text, "a list");
  text = text.substr(1, text.size() - 2);
  std::vector<std::string_view> parts;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')') --depth;
    if (text[i] == ',' && depth == 0) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  if (!text.empty()) parts.push_back(text.substr(begin));
  return parts;
}
template <typename T>
void parse_list(std::string_view text, const SymbolLookup& lookup, std::vector<T>& values) {
  values.clear();
  for (const std::string_view part : split_list(text)) {
    T value;
    parse_field(part, lookup, value);
    values.push_back(std::move(value));
  }
}
}  // namespace

std::string field_text(const std::vector<int64_t>& value) { return list_text(value); }
std::string field_text(const std::vector<double>& value) { return list_text(value); }
std::string field_text(const std::vector<Dim>& value) { return list_text(value); }

void parse_field(std::string_view text, const SymbolLookup&, int64_t& value) {
  const std::string copy(text);
  char* end = nullptr;
  errno = 0;
  value = std::strtoll(copy.c_str(), &end, 10);
  if (copy.empty() || *end || errno) bad_field(text, "an integer");
}
void parse_field(std::string_view text, const SymbolLookup&, bool& value) {
  if (text != "true" && text != "false") bad_field(text, "true or false");
  value = text == "true";
}
void parse_field(std::string_view text, const SymbolLookup&, double& value) {
  const std::string copy(text);
  char* end = nullptr;
  value = std::strtod(copy.c_str(), &end);
  if (copy.empty() || *end) bad_field(text, "a number");
}
void parse_field(std::string_view text, const SymbolLookup&, std::string& value) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') bad_field(text, "a quoted string");
  value.clear();
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    if (text[i] != '\\') {
      value += text[i];
    } else if (i + 4 < text.size() && text[i + 1] == 'x') {
      value += static_cast<char>(std::strtol(std::string(text.substr(i + 2, 2)).c_str(), nullptr, 16));
      i += 3;
    } else if (i + 2 < text.size()) {
      value += text[++i];
    } else {
      bad_field(text, "a quoted string");
    }
  }
}
void parse_field(std::string_view text, const SymbolLookup&, DType& value) { value = dtype_from_name(text); }
void parse_field(std::string_view text, const SymbolLookup& lookup, Dim& value) { value = Dim::parse(text, lookup); }
void parse_field(std::string_view text, const SymbolLookup& lookup, std::vector<int64_t>& value) {
  parse_list(text, lookup, value);
}
void parse_field(std::string_view text, const SymbolLookup& lookup, std::vector<double>& value) {
  parse_list(text, lookup, value);
}
void parse_field(std::string_view text, const SymbolLookup& lookup, std::vector<Dim>& value) {
  parse_list(text, lookup, value);
}

bool same_attributes(const Attributes& a, const Attributes& b) { return a == b || a->text() == b->text(); }

}  // namespace narae
