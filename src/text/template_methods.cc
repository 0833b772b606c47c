// SPDX-License-Identifier: Apache-2.0
// Methods of Python's str, dict and list that templates may call. Names that Python has and this table has not are
// undefined, so calling one is refused by name.
#include "base/error.h"
#include "text/python_text.h"
#include "text/template_interpreter.h"

namespace narae {
namespace {

using In = TemplateInterpreter;
using Arguments = TemplateArguments;

TemplateValue texts(const std::vector<std::string_view>& parts, In& in) {
  std::vector<TemplateValue> out;
  in.budget().charge(parts.size());
  for (const std::string_view part : parts) out.emplace_back(std::string(part));
  return TemplateValue::list(std::move(out));
}

TemplateValue stripped(In& in, const std::string& text, Arguments& arguments, bool left, bool right) {
  const TemplateValue* given = arguments.find(0, "chars");
  if (!given || given->is_none()) return std::string(strip(text, nullptr, left, right));
  const std::string set = in.text(*given);
  in.budget().charge(text.size() / 64 * set.size() / 64 + 1);
  return std::string(strip(text, &set, left, right));
}

TemplateValue split_text(In& in, const std::string& text, Arguments& arguments, bool from_right) {
  const TemplateValue* given = arguments.find(0, "sep");
  const bool at_space = !given || given->is_none();
  const std::string separator = at_space ? "" : in.text(*given);
  const int64_t limit = arguments.integer(1, "maxsplit", -1);
  if (!at_space && separator.empty()) fail(ErrorCode::bad_file, "a text cannot be split at an empty separator");
  if (from_right && at_space && limit >= 0) fail(ErrorCode::bad_file, "rsplit() with a limit needs a separator");
  return texts(from_right && !at_space ? split_from_right(text, separator, limit) : split(text, separator, limit), in);
}

bool has_affix(In& in, const std::string& text, const TemplateValue& affix, bool at_end) {
  if (affix.list() && affix.list()->tuple) {
    for (const TemplateValue& one : affix.list()->items) {
      in.budget().charge(1);
      if (!one.list() && has_affix(in, text, one, at_end)) return true;
    }
    return false;
  }
  if (!affix.is_text()) fail(ErrorCode::bad_file, "a text begins or ends with a text, not a {}", affix.type_name());
  const std::string& part = affix.text();
  return text.size() >= part.size() && text.compare(at_end ? text.size() - part.size() : 0, part.size(), part) == 0;
}

TemplateValue found_at(In& in, const std::string& text, Arguments& arguments, bool from_right, bool must) {
  const std::string what = in.text(arguments.need(0, "sub"));
  const size_t at = from_right ? text.rfind(what) : text.find(what);
  if (at == std::string::npos && must) fail(ErrorCode::bad_file, "index(): the text is not there");
  return at == std::string::npos ? int64_t{-1} : code_points(std::string_view(text).substr(0, at));
}

bool all_of(const std::string& text, bool (*holds)(char32_t)) {
  std::string_view rest = text;
  while (!rest.empty()) {
    if (!holds(next_code_point(rest))) return false;
  }
  return !text.empty();
}

int64_t count_of(const std::string& text, const std::string& part) {
  if (part.empty()) return code_points(text) + 1;
  int64_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
  return count;
}

std::string joined(In& in, const std::string& separator, const TemplateValue& value) {
  std::string out;
  bool first = true;
  for (const TemplateValue& item : in.items_of(value)) {
    if (!item.is_text()) fail(ErrorCode::bad_file, "join() takes texts, not {}", item.type_name());
    if (!first) out += separator;
    first = false;
    in.budget().charge_text(separator.size() + item.text().size());
    out += item.text();
  }
  return out;
}

TemplateValue replaced(In& in, const std::string& text, Arguments& arguments) {
  const std::string from = in.text(arguments.need(0, "old")), to = in.text(arguments.need(1, "new"));
  const int64_t limit = arguments.integer(2, "count", -1);
  const auto found = static_cast<uint64_t>(count_of(text, from));
  in.budget().charge_text(text.size() + found * to.size());
  return replace_text(text, from, to, limit);
}

TemplateValue without_affix(In& in, const std::string& text, Arguments& arguments, bool at_end) {
  const std::string affix = in.text(arguments.need(0, "affix"));
  if (!has_affix(in, text, affix, at_end)) return text;
  return at_end ? text.substr(0, text.size() - affix.size()) : text.substr(affix.size());
}

TemplateValue partition(In& in, const std::string& text, Arguments& arguments, bool from_right) {
  const std::string at = in.text(arguments.need(0, "sep"));
  if (at.empty()) fail(ErrorCode::bad_file, "a text cannot be split at an empty separator");
  const size_t found = from_right ? text.rfind(at) : text.find(at);
  if (found == std::string::npos) {
    return from_right ? TemplateValue::list({"", "", text}, true) : TemplateValue::list({text, "", ""}, true);
  }
  return TemplateValue::list({text.substr(0, found), at, text.substr(found + at.size())}, true);
}

using TextMethod = TemplateValue (*)(In&, const std::string&, Arguments&);
struct NamedTextMethod {
  const char* name;
  TextMethod run;
};

#define NARAE_METHOD(name, ...)                                                                              \
  {                                                                                                          \
    name, [](In& in, const std::string& text, Arguments& arguments) -> TemplateValue { return __VA_ARGS__; } \
  }
constexpr NamedTextMethod kTextMethods[] = {
    NARAE_METHOD("strip", stripped(in, text, arguments, true, true)),
    NARAE_METHOD("lstrip", stripped(in, text, arguments, true, false)),
    NARAE_METHOD("rstrip", stripped(in, text, arguments, false, true)),
    NARAE_METHOD("split", split_text(in, text, arguments, false)),
    NARAE_METHOD("rsplit", split_text(in, text, arguments, true)),
    NARAE_METHOD("splitlines", texts(split_lines(text, arguments.flag(0, "keepends", false)), in)),
    NARAE_METHOD("startswith", has_affix(in, text, arguments.need(0, "prefix"), false)),
    NARAE_METHOD("endswith", has_affix(in, text, arguments.need(0, "suffix"), true)),
    NARAE_METHOD("removeprefix", without_affix(in, text, arguments, false)),
    NARAE_METHOD("removesuffix", without_affix(in, text, arguments, true)),
    NARAE_METHOD("partition", partition(in, text, arguments, false)),
    NARAE_METHOD("rpartition", partition(in, text, arguments, true)),
    NARAE_METHOD("upper", to_upper(text)),
    NARAE_METHOD("lower", to_lower(text)),
    NARAE_METHOD("title", to_title(text)),
    NARAE_METHOD("capitalize", to_capitalised(text)),
    NARAE_METHOD("replace", replaced(in, text, arguments)),
    NARAE_METHOD("find", found_at(in, text, arguments, false, false)),
    NARAE_METHOD("rfind", found_at(in, text, arguments, true, false)),
    NARAE_METHOD("index", found_at(in, text, arguments, false, true)),
    NARAE_METHOD("count", count_of(text, in.text(arguments.need(0, "sub")))),
    NARAE_METHOD("join", joined(in, text, arguments.need(0, "iterable"))),
    NARAE_METHOD("isspace", all_of(text, is_python_space)),
    NARAE_METHOD("isdigit", all_of(text, [](char32_t c) { return c >= '0' && c <= '9'; })),
    NARAE_METHOD("isupper", to_upper(text) == text && to_lower(text) != text),
    NARAE_METHOD("islower", to_lower(text) == text && to_upper(text) != text),
};
#undef NARAE_METHOD

TemplateValue map_method(In& in, const TemplateMap& map, const std::string& name, Arguments& arguments) {
  in.budget().charge(map.items.size() / 8 + 1);
  if (name == "get") {
    const TemplateValue& key = arguments.need(0, "key");
    const TemplateValue* otherwise = arguments.find(1, "default");
    const TemplateValue* found = key.is_text() ? map.find(key.text()) : nullptr;
    return found ? *found : otherwise ? *otherwise : TemplateValue(TemplateValue::None{});
  }
  std::vector<TemplateValue> out;
  in.budget().charge(map.items.size());
  for (const auto& [key, value] : map.items) {
    if (name == "items") {
      out.push_back(TemplateValue::list({key, value}, true));
    } else {
      out.push_back(name == "keys" ? TemplateValue(key) : value);
    }
  }
  return TemplateValue::list(std::move(out));
}

TemplateValue list_method(In& in, const TemplateList& list, const std::string& name, Arguments& arguments) {
  const TemplateValue& what = arguments.need(0, "value");
  int64_t count = 0;
  for (size_t i = 0; i < list.items.size(); ++i) {
    if (!template_equal(list.items[i], what, in.budget())) continue;
    if (name == "index") return static_cast<int64_t>(i);
    ++count;
  }
  if (name == "index") fail(ErrorCode::bad_file, "index(): the value is not in the list");
  return count;
}

}  // namespace

bool has_method(const TemplateValue& receiver, const std::string& name) {
  if (receiver.is_text()) {
    for (const NamedTextMethod& method : kTextMethods) {
      if (name == method.name) return true;
    }
  }
  if (receiver.map()) return name == "get" || name == "items" || name == "keys" || name == "values";
  return receiver.list() && (name == "index" || name == "count");
}

TemplateValue call_method(In& in, const TemplateValue& receiver, const std::string& name, Arguments& arguments) {
  if (receiver.map()) return map_method(in, *receiver.map(), name, arguments);
  if (receiver.list()) return list_method(in, *receiver.list(), name, arguments);
  if (const auto* loop = receiver.as<TemplateValue::Loop>()) {
    if (arguments.positional.empty()) fail(ErrorCode::bad_file, "loop.cycle() needs values");
    arguments.ask_all();
    return arguments.positional[static_cast<size_t>((*loop)->index0) % arguments.positional.size()];
  }
  NARAE_CHECK(receiver.is_text());
  in.budget().charge_text(receiver.text().size());
  for (const NamedTextMethod& method : kTextMethods) {
    if (name == method.name) return method.run(in, receiver.text(), arguments);
  }
  fail(ErrorCode::internal, "method {}", name);
}

}  // namespace narae
