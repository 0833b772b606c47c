// SPDX-License-Identifier: Apache-2.0
// What a subcommand says: with --json one object on stdout, otherwise text on stdout; progress goes to stderr. The
// one thing not to get wrong: nothing but Console writes to stdout.
#pragma once

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace narae {

class Console {
 public:
  // The --json flag, bound by each subcommand.
  bool json = false;
  // What the process ends with when nothing was thrown.
  int exit_code = 0;

  // Text for people; nothing with --json.
  template <typename... Args>
  void say(fmt::format_string<Args...> format, Args&&... args) {
    line(fmt::format(format, std::forward<Args>(args)...));
  }
  void line(const std::string& text);
  // Part of a line, shown at once.
  void piece(std::string_view text);
  // The object, or one of several, a line each. Without --json nothing is printed.
  void result(const nlohmann::ordered_json& object);
  // An object on a line of its own, now, with or without --json: what a script waits for.
  void event(const nlohmann::ordered_json& object);
  // {"error":{..}} on stdout with --json, else one line on stderr.
  void error(const std::string& code, const std::string& message, const std::vector<std::string>& context);
  // False when stdout could not take all of it (closed, disk full).
  bool flush();
};

}  // namespace narae
