// SPDX-License-Identifier: Apache-2.0
// `| NAME`: Jinja's filters over texts and numbers; those over lists are in template_list_filters.cc.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "text/python_text.h"
#include "text/template_list_filters.h"

namespace narae {
namespace {

using In = TemplateInterpreter;
using Arguments = TemplateArguments;

TemplateValue trimmed(In& in, const TemplateValue& value, Arguments& arguments) {
  const std::string text = in.text(value);
  const TemplateValue* given = arguments.find(0, "chars");
  if (!given || given->is_none()) return std::string(strip(text, nullptr));
  const std::string set = in.text(*given);
  return std::string(strip(text, &set));
}

TemplateValue length(In& in, const TemplateValue& value) {
  if (value.list()) return static_cast<int64_t>(value.list()->items.size());
  if (value.map()) return static_cast<int64_t>(value.map()->items.size());
  if (value.is_undefined()) return int64_t{0};
  if (!value.is_text()) fail(ErrorCode::bad_file, "a {} has no length", value.type_name());
  in.budget().charge_text(value.text().size());
  return code_points(value.text());
}

TemplateValue json(In& in, const TemplateValue& value, Arguments& arguments) {
  JsonStyle style;
  style.ascii = arguments.flag(0, "ensure_ascii", false);
  const TemplateValue* indent = arguments.find(1, "indent");
  if (indent && !indent->is_none()) {
    style.indent = static_cast<int>(std::clamp<int64_t>(arguments.integer(1, "indent", 0), 0, 100));
    style.item_separator = ",";
  }
  const TemplateValue* separators = arguments.find(2, "separators");
  if (separators && !separators->is_none()) {
    const std::vector<TemplateValue> both = in.items_of(*separators);
    if (both.size() != 2) fail(ErrorCode::bad_file, "tojson: separators are two");
    style.item_separator = in.text(both[0]);
    style.key_separator = in.text(both[1]);
  }
  style.sort_keys = arguments.flag(3, "sort_keys", false);
  return template_json(value, style, in.budget());
}

TemplateValue or_default(const TemplateValue& value, Arguments& arguments) {
  const TemplateValue* given = arguments.find(0, "default_value");
  const bool also_false = arguments.flag(1, "boolean", false);
  if (!value.is_undefined() && !(also_false && !value.truth())) return value;
  return given ? *given : TemplateValue("");
}

// int(text) or int(float(text)); not a number: `otherwise`.
TemplateValue to_integer(In& in, const TemplateValue& value, Arguments& arguments) {
  const TemplateValue* given = arguments.find(0, "default");
  const TemplateValue otherwise = given ? *given : TemplateValue(int64_t{0});
  int64_t integer = 0;
  if (as_integer(value, integer)) return integer;
  double real = 0;
  if (value.as<double>()) {
    real = number_of(value);
  } else if (value.is_text()) {
    in.budget().charge_text(value.text().size());
    std::string_view text = strip(value.text(), nullptr);
    if (!text.empty() && text[0] == '+') text.remove_prefix(1);
    const char* end = text.data() + text.size();
    if (const auto read = std::from_chars(text.data(), end, integer); read.ec == std::errc() && read.ptr == end) {
      return integer;
    }
    const auto read = std::from_chars(text.data(), end, real);
    if (read.ec != std::errc() || read.ptr != end) return otherwise;
  } else {
    return otherwise;
  }
  if (!std::isfinite(real)) return otherwise;
  if (std::fabs(real) >= 9.2e18) fail(ErrorCode::does_not_fit, "the number {} needs more than 64 bits", real);
  return static_cast<int64_t>(real);
}

TemplateValue to_real(In& in, const TemplateValue& value, Arguments& arguments) {
  const TemplateValue* given = arguments.find(0, "default");
  if (is_number(value)) return number_of(value);
  double real = 0;
  if (value.is_text()) {
    in.budget().charge_text(value.text().size());
    std::string_view text = strip(value.text(), nullptr);
    if (!text.empty() && text[0] == '+') text.remove_prefix(1);
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, real);
    if (read.ec == std::errc() && read.ptr == end) return real;
  }
  return given ? *given : TemplateValue(0.0);
}

TemplateValue rounded(const TemplateValue& value, Arguments& arguments) {
  const int64_t digits = arguments.integer(0, "precision", 0);
  const TemplateValue* method = arguments.find(1, "method");
  if (!is_number(value)) fail(ErrorCode::bad_file, "a {} cannot be rounded", value.type_name());
  if (digits < 0 || digits > 30) fail(ErrorCode::bad_file, "round: a precision of {} is not known", digits);
  const std::string how = method && method->is_text() ? method->text() : "common";
  if (how == "common") {
    if (!value.as<double>()) return value;
    const double number = number_of(value);
    if (!std::isfinite(number)) return number;
    const std::string text = fmt::format("{:.{}f}", number, digits);
    double out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
  }
  if (how != "ceil" && how != "floor") fail(ErrorCode::bad_file, "round: the method '{}' is not known", how);
  const double scale = std::pow(10.0, static_cast<double>(digits)), scaled = number_of(value) * scale;
  return (how == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale;
}

TemplateValue absolute(const TemplateValue& value) {
  int64_t integer = 0;
  if (!is_number(value)) fail(ErrorCode::bad_file, "abs: a {} is no number", value.type_name());
  if (!as_integer(value, integer)) return std::fabs(number_of(value));
  if (integer == INT64_MIN) fail(ErrorCode::does_not_fit, "abs: the result needs more than 64 bits");
  return integer < 0 ? -integer : integer;
}

// Jinja's own title: every part behind a blank, a hyphen or an opening bracket.
std::string title(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    const auto cuts = [&](size_t at) {
      return std::string_view("-({[<").find(text[at]) != std::string_view::npos ||
             is_python_space(static_cast<unsigned char>(text[at]));
    };
    const bool cut = cuts(i);
    while (end < text.size() && cuts(end) == cut) ++end;
    out += to_capitalised(std::string_view(text).substr(i, end - i));
    i = end;
  }
  return out;
}

TemplateValue indented(In& in, const TemplateValue& value, Arguments& arguments) {
  const TemplateValue* width = arguments.find(0, "width");
  const bool first = arguments.flag(1, "first", false), blank = arguments.flag(2, "blank", false);
  const std::string indent =
      width && width->is_text()
          ? width->text()
          : std::string(static_cast<size_t>(std::clamp<int64_t>(arguments.integer(0, "width", 4), 0, 1000)), ' ');
  const std::string text = in.text(value) + "\n";
  const std::vector<std::string_view> lines = split_lines(text);
  in.budget().charge_text(text.size() + lines.size() * indent.size());
  std::string out = first ? indent : "";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i) out += '\n';
    if (i && (blank || !lines[i].empty())) out += indent;
    out += lines[i];
  }
  return out;
}

TemplateValue replaced(In& in, const TemplateValue& value, Arguments& arguments) {
  TemplateArguments method;
  method.positional = {arguments.need(0, "old"), arguments.need(1, "new")};
  if (const TemplateValue* count = arguments.find(2, "count")) method.positional.push_back(*count);
  return call_method(in, in.text(value), "replace", method);
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\'': out += "&#39;"; break;
      case '"': out += "&#34;"; break;
      default: out += c;
    }
  }
  return out;
}

using Filter = TemplateValue (*)(In&, const TemplateValue&, Arguments&);
struct NamedFilter {
  const char* name;
  Filter run;
};

#define NARAE_FILTER(name, ...)                                                                                 \
  {                                                                                                             \
    name, [](In& in, const TemplateValue& value, Arguments& arguments) -> TemplateValue { return __VA_ARGS__; } \
  }
constexpr NamedFilter kFilters[] = {
    NARAE_FILTER("trim", trimmed(in, value, arguments)),
    NARAE_FILTER("tojson", json(in, value, arguments)),
    NARAE_FILTER("length", length(in, value)),
    NARAE_FILTER("count", length(in, value)),
    NARAE_FILTER("upper", to_upper(in.text(value))),
    NARAE_FILTER("lower", to_lower(in.text(value))),
    NARAE_FILTER("title", title(in.text(value))),
    NARAE_FILTER("capitalize", to_capitalised(in.text(value))),
    NARAE_FILTER("string", in.text(value)),
    NARAE_FILTER("safe", in.text(value)),
    NARAE_FILTER("escape", escaped(in.text(value))),
    NARAE_FILTER("e", escaped(in.text(value))),
    NARAE_FILTER("default", or_default(value, arguments)),
    NARAE_FILTER("d", or_default(value, arguments)),
    NARAE_FILTER("int", to_integer(in, value, arguments)),
    NARAE_FILTER("float", to_real(in, value, arguments)),
    NARAE_FILTER("round", rounded(value, arguments)),
    NARAE_FILTER("abs", absolute(value)),
    NARAE_FILTER("indent", indented(in, value, arguments)),
    NARAE_FILTER("replace", replaced(in, value, arguments)),
    {"join", joined_filter},
    {"first", first_filter},
    {"last", last_filter},
    {"list", list_filter},
    {"items", items_filter},
    {"dictsort", dictsort_filter},
    {"map", map_filter},
    {"select", select_filter},
    {"reject", reject_filter},
    {"selectattr", selectattr_filter},
    {"rejectattr", rejectattr_filter},
    {"unique", unique_filter},
    {"reverse", reverse_filter},
    {"sort", sort_filter},
    {"sum", sum_filter},
    {"min", min_filter},
    {"max", max_filter},
};
#undef NARAE_FILTER

}  // namespace

TemplateValue TemplateInterpreter::filter(const std::string& name, const TemplateValue& value,
                                          TemplateArguments& arguments) {
  for (const NamedFilter& filter : kFilters) {
    if (name != filter.name) continue;
    TemplateValue out = filter.run(*this, value, arguments);
    arguments.done();
    return out;
  }
  fail(ErrorCode::bad_file, "the filter '{}' is not known in chat templates", name);
}

}  // namespace narae
