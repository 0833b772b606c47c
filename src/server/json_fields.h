// SPDX-License-Identifier: Apache-2.0
// The members of a JSON object of a request, each taken once by name and type; what is left over in the end is refused
// by name. A member that is null counts as not there. All throw Error usage naming the member.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace narae {

class JsonFields {
 public:
  using Json = nlohmann::json;

  // `where` begins the errors; empty: the members' names alone. Refers to `object`.
  explicit JsonFields(const Json& object, std::string where = {});

  const Json* take(const char* name);  // null: not there
  const Json& need(const char* name);
  bool take_bool(const char* name, bool otherwise);
  double take_number(const char* name, double otherwise);
  int64_t take_integer(const char* name, int64_t otherwise, int64_t low, int64_t high);
  std::string take_text(const char* name, std::string otherwise = {});
  // Members that change nothing here.
  void ignore(std::initializer_list<const char*> names);
  // A member that Narae cannot serve: only what `harmless` says changes nothing may stand there.
  void refuse(const char* name, const std::function<bool(const Json&)>& harmless = {});
  // Refuses what was not asked for.
  void finish() const;

  [[noreturn]] void wrong(const char* name, const std::string& what) const;

 private:
  const Json& object_;
  std::string where_;
  std::set<std::string> taken_;
};

// A body as a JSON object that is not nested too deeply. Throws HttpError, Error usage.
nlohmann::json json_body(std::string_view text);
// A value as an error shows it, cut.
std::string shown_json(const nlohmann::json& value);
// A whole number of 64 bits from `low` to `high`.
bool whole_between(const nlohmann::json& value, int64_t low, int64_t high);

}  // namespace narae
