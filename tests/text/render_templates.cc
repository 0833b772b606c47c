// SPDX-License-Identifier: Apache-2.0
// A line {"template", "context", "now"} on standard input -> a line {"text"} or {"error"} on standard output.
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "text/chat_template.h"

int main() {
  using Json = nlohmann::ordered_json;
  for (std::string line; std::getline(std::cin, line);) {
    Json answer;
    try {
      const Json asked = Json::parse(line);
      const narae::ChatTemplate made(asked.at("template").get_ref<const std::string&>());
      answer["text"] = made.render(asked.at("context"), asked.at("now").get<std::time_t>());
    } catch (const narae::Error& error) {
      answer["error"] = error.what();
    }
    std::cout << answer.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
  }
}
