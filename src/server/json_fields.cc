// SPDX-License-Identifier: Apache-2.0
#include "server/json_fields.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "server/exchange.h"

namespace narae {
namespace {

constexpr int kMostNesting = 64;
constexpr size_t kMaxJson = 32 << 20;  // a parsed number takes eight times its shortest text

// How many brackets are open at a time: what is nested a hundred thousand deep would overflow the stack of whoever
// walks through it.
int deepest_nesting(std::string_view text) {
  int depth = 0, deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '[' || c == '{')) {
      deepest = std::max(deepest, ++depth);
    } else if (!quoted && (c == ']' || c == '}')) {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

nlohmann::json json_body(std::string_view text) {
  if (text.size() > kMaxJson) {
    http_fail(413, "the JSON has {} bytes, {} are read at most; send large tensors in binary", text.size(), kMaxJson);
  }
  if (deepest_nesting(text) > kMostNesting) {
    fail(ErrorCode::usage, "the JSON is nested deeper than {} lists and objects", kMostNesting);
  }
  nlohmann::json json;
  try {
    json = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    fail(ErrorCode::usage, "the body is no valid JSON: byte {} is not expected", error.byte);
  } catch (const nlohmann::json::exception&) {  // such as a number of a thousand digits
    fail(ErrorCode::usage, "the body is no valid JSON: a number is out of range");
  }
  if (!json.is_object()) fail(ErrorCode::usage, "the body is to be a JSON object, not {}", json.type_name());
  return json;
}

std::string shown_json(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).substr(0, 60);
}

bool whole_between(const nlohmann::json& value, int64_t low, int64_t high) {
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX) return false;
  return value.get<int64_t>() >= low && value.get<int64_t>() <= high;
}

JsonFields::JsonFields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
  if (!object.is_object()) {
    fail(ErrorCode::usage, "{} is {}, not an object", where_.empty() ? "the body" : where_, shown_json(object));
  }
}

void JsonFields::wrong(const char* name, const std::string& what) const {
  const std::string place = where_.empty() ? "" : " of " + where_;
  fail(ErrorCode::usage, "\"{}\"{} {}", name, place, what);
}

const JsonFields::Json* JsonFields::take(const char* name) {
  taken_.insert(name);
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

const JsonFields::Json& JsonFields::need(const char* name) {
  const Json* value = take(name);
  if (!value) wrong(name, "is missing");
  return *value;
}

bool JsonFields::take_bool(const char* name, bool otherwise) {
  const Json* value = take(name);
  if (!value) return otherwise;
  if (!value->is_boolean()) wrong(name, fmt::format("is {}, not true or false", shown_json(*value)));
  return value->get<bool>();
}

double JsonFields::take_number(const char* name, double otherwise) {
  const Json* value = take(name);
  if (!value) return otherwise;
  if (!value->is_number() || !std::isfinite(value->get<double>())) {
    wrong(name, fmt::format("is {}, not a number", shown_json(*value)));
  }
  return value->get<double>();
}

int64_t JsonFields::take_integer(const char* name, int64_t otherwise, int64_t low, int64_t high) {
  const Json* value = take(name);
  if (!value) return otherwise;
  if (!whole_between(*value, low, high)) {
    wrong(name, fmt::format("is {}; it is to be a whole number from {} to {}", shown_json(*value), low, high));
  }
  return value->get<int64_t>();
}

std::string JsonFields::take_text(const char* name, std::string otherwise) {
  const Json* value = take(name);
  if (!value) return otherwise;
  if (!value->is_string()) wrong(name, fmt::format("is {}, not a text", shown_json(*value)));
  return value->get<std::string>();
}

void JsonFields::ignore(std::initializer_list<const char*> names) {
  for (const char* name : names) taken_.insert(name);
}

void JsonFields::refuse(const char* name, const std::function<bool(const Json&)>& harmless) {
  const Json* value = take(name);
  if (!value || (harmless && harmless(*value))) return;
  wrong(name, fmt::format("is {}, which is not possible here; leave it out", shown_json(*value)));
}

void JsonFields::finish() const {
  for (const auto& [name, value] : object_.items()) {
    if (!taken_.count(name)) wrong(name.substr(0, 60).c_str(), "is not known; leave it out");
  }
}

}  // namespace narae
