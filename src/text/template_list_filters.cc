// SPDX-License-Identifier: Apache-2.0
#include "text/template_list_filters.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "text/python_text.h"

namespace narae {
namespace {

using In = TemplateInterpreter;
using Arguments = TemplateArguments;
using Values = std::vector<TemplateValue>;

// `a.b.0` of a value.
TemplateValue path_of(In& in, TemplateValue value, const TemplateValue& path) {
  if (!path.is_text()) return in.item(value, path);
  for (const std::string_view part : split(path.text(), ".", -1)) {
    int64_t index = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool number = !part.empty() && read.ec == std::errc() && read.ptr == part.data() + part.size();
    value = in.item(value, number ? TemplateValue(index) : TemplateValue(std::string(part)));
  }
  return value;
}

// What sorting and telling apart looks at: an attribute, without case where it is a text.
TemplateValue key_of(In& in, const TemplateValue& value, const TemplateValue* attribute, bool with_case) {
  TemplateValue key = attribute && !attribute->is_none() ? path_of(in, value, *attribute) : value;
  if (with_case || !key.is_text()) return key;
  in.budget().charge_text(key.text().size());
  return to_lower(key.text());
}

// Sorts by keys, stable; the comparison may throw.
void sort_by(In& in, std::vector<std::pair<TemplateValue, TemplateValue>>& keyed, bool reverse) {
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    return reverse ? template_less(b.first, a.first, in.budget()) : template_less(a.first, b.first, in.budget());
  });
}

Values second_of(std::vector<std::pair<TemplateValue, TemplateValue>> keyed) {
  Values out;
  for (auto& [key, value] : keyed) out.push_back(std::move(value));
  return out;
}

// select, reject (attribute null) and selectattr, rejectattr: `next` is the place of the test's name.
TemplateValue filtered(In& in, const TemplateValue& value, Arguments& arguments, bool by_attribute, bool keep) {
  const size_t next = by_attribute ? 1 : 0;
  Values out;
  const TemplateValue attribute = by_attribute ? arguments.need(0, "attribute") : TemplateValue();
  std::string name;
  if (arguments.positional.size() > next) name = in.text(arguments.positional[next]);
  for (TemplateValue& item : in.items_of(value)) {
    const TemplateValue looked_at = by_attribute ? path_of(in, item, attribute) : item;
    bool holds = false;
    if (name.empty()) {
      holds = looked_at.truth();
    } else {
      Arguments rest;
      rest.positional.assign(arguments.positional.begin() + static_cast<std::ptrdiff_t>(next) + 1,
                             arguments.positional.end());
      rest.named = arguments.named;
      holds = in.test(name, looked_at, rest);
    }
    if (holds == keep) out.push_back(std::move(item));
  }
  arguments.ask_all();
  return TemplateValue::list(std::move(out));
}

TemplateValue extreme(In& in, const TemplateValue& value, Arguments& arguments, bool largest) {
  const bool with_case = arguments.flag(0, "case_sensitive", false);
  const TemplateValue* attribute = arguments.find(1, "attribute");
  const Values items = in.items_of(value);
  if (items.empty()) return {};
  size_t best = 0;
  TemplateValue best_key = key_of(in, items[0], attribute, with_case);
  for (size_t i = 1; i < items.size(); ++i) {
    TemplateValue key = key_of(in, items[i], attribute, with_case);
    if (!(largest ? template_less(best_key, key, in.budget()) : template_less(key, best_key, in.budget()))) continue;
    best = i;
    best_key = std::move(key);
  }
  return items[best];
}

}  // namespace

TemplateValue joined_filter(In& in, const TemplateValue& value, Arguments& arguments) {
  const std::string separator = arguments.text(0, "d", "", in.budget());
  const TemplateValue* attribute = arguments.find(1, "attribute");
  std::string out;
  bool first = true;
  for (const TemplateValue& item : in.items_of(value)) {
    if (!first) out += separator;
    first = false;
    in.budget().charge_text(separator.size());
    append_text(out, attribute && !attribute->is_none() ? path_of(in, item, *attribute) : item, in.budget());
  }
  return out;
}

TemplateValue first_filter(In& in, const TemplateValue& value, Arguments&) {
  const Values items = in.items_of(value);
  return items.empty() ? TemplateValue::undefined("first item") : items.front();
}

TemplateValue last_filter(In& in, const TemplateValue& value, Arguments&) {
  const Values items = in.items_of(value);
  return items.empty() ? TemplateValue::undefined("last item") : items.back();
}

TemplateValue list_filter(In& in, const TemplateValue& value, Arguments&) {
  return TemplateValue::list(in.items_of(value));
}

TemplateValue items_filter(In& in, const TemplateValue& value, Arguments&) {
  if (value.is_undefined()) return TemplateValue::list({});
  if (!value.map()) fail(ErrorCode::bad_file, "items: a {} is no dict", value.type_name());
  TemplateArguments none;
  return call_method(in, value, "items", none);
}

TemplateValue dictsort_filter(In& in, const TemplateValue& value, Arguments& arguments) {
  const bool with_case = arguments.flag(0, "case_sensitive", false);
  const std::string by = arguments.text(1, "by", "key", in.budget());
  const bool reverse = arguments.flag(2, "reverse", false);
  if (by != "key" && by != "value") fail(ErrorCode::bad_file, "dictsort: by is key or value, not '{}'", by);
  std::vector<std::pair<TemplateValue, TemplateValue>> keyed;
  const TemplateValue items = items_filter(in, value, arguments);
  for (const TemplateValue& item : items.list()->items) {
    keyed.emplace_back(key_of(in, item.list()->items[by == "key" ? 0 : 1], nullptr, with_case), item);
  }
  sort_by(in, keyed, reverse);
  return TemplateValue::list(second_of(std::move(keyed)));
}

TemplateValue map_filter(In& in, const TemplateValue& value, Arguments& arguments) {
  Values out;
  const TemplateValue* attribute = arguments.positional.empty() ? arguments.find(SIZE_MAX, "attribute") : nullptr;
  const TemplateValue* otherwise = arguments.positional.empty() ? arguments.find(SIZE_MAX, "default") : nullptr;
  const std::string name = attribute ? "" : in.text(arguments.need(0, "filter"));
  for (const TemplateValue& item : in.items_of(value)) {
    if (attribute) {
      TemplateValue found = path_of(in, item, *attribute);
      out.push_back(found.is_undefined() && otherwise ? *otherwise : std::move(found));
    } else {
      Arguments rest;
      rest.positional.assign(arguments.positional.begin() + 1, arguments.positional.end());
      rest.named = arguments.named;
      out.push_back(in.filter(name, item, rest));
    }
  }
  if (!attribute) arguments.ask_all();
  return TemplateValue::list(std::move(out));
}

TemplateValue select_filter(In& in, const TemplateValue& value, Arguments& arguments) {
  return filtered(in, value, arguments, false, true);
}
TemplateValue reject_filter(In& in, const TemplateValue& value, Arguments& arguments) {
  return filtered(in, value, arguments, false, false);
}
TemplateValue selectattr_filter(In& in, const TemplateValue& value, Arguments& arguments) {
  return filtered(in, value, arguments, true, true);
}
TemplateValue rejectattr_filter(In& in, const TemplateValue& value, Arguments& arguments) {
  return filtered(in, value, arguments, true, false);
}

TemplateValue unique_filter(In& in, const TemplateValue& value, Arguments& arguments) {
  const bool with_case = arguments.flag(0, "case_sensitive", false);
  const TemplateValue* attribute = arguments.find(1, "attribute");
  Values keys, out;
  for (TemplateValue& item : in.items_of(value)) {
    TemplateValue key = key_of(in, item, attribute, with_case);
    const bool seen = std::any_of(keys.begin(), keys.end(),
                                  [&](const TemplateValue& known) { return template_equal(known, key, in.budget()); });
    if (seen) continue;
    keys.push_back(std::move(key));
    out.push_back(std::move(item));
  }
  return TemplateValue::list(std::move(out));
}

TemplateValue reverse_filter(In& in, const TemplateValue& value, Arguments&) {
  Values items = in.items_of(value);
  std::reverse(items.begin(), items.end());
  if (!value.is_text()) return TemplateValue::list(std::move(items));
  std::string out;
  for (const TemplateValue& one : items) out += one.text();
  return out;
}

TemplateValue sort_filter(In& in, const TemplateValue& value, Arguments& arguments) {
  const bool reverse = arguments.flag(0, "reverse", false), with_case = arguments.flag(1, "case_sensitive", false);
  const TemplateValue* attribute = arguments.find(2, "attribute");
  std::vector<std::pair<TemplateValue, TemplateValue>> keyed;
  for (TemplateValue& item : in.items_of(value)) {
    TemplateValue key = key_of(in, item, attribute, with_case);
    keyed.emplace_back(std::move(key), std::move(item));
  }
  sort_by(in, keyed, reverse);
  return TemplateValue::list(second_of(std::move(keyed)));
}

TemplateValue sum_filter(In& in, const TemplateValue& value, Arguments& arguments) {
  const TemplateValue* attribute = arguments.find(0, "attribute");
  const TemplateValue* start = arguments.find(1, "start");
  TemplateValue total = start ? *start : TemplateValue(int64_t{0});
  for (const TemplateValue& item : in.items_of(value)) {
    const bool by_attribute = attribute && !attribute->is_none();
    total = template_arithmetic("+", total, by_attribute ? path_of(in, item, *attribute) : item, in.budget());
  }
  return total;
}

TemplateValue min_filter(In& in, const TemplateValue& value, Arguments& arguments) {
  return extreme(in, value, arguments, false);
}
TemplateValue max_filter(In& in, const TemplateValue& value, Arguments& arguments) {
  return extreme(in, value, arguments, true);
}

}  // namespace narae
