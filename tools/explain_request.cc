// SPDX-License-Identifier: Apache-2.0
// narae explain request: what happened to a request at a server, and when.
#include "explain_request.h"

#include "base/error.h"
#include "http_client.h"

namespace narae {
namespace {

using Json = nlohmann::ordered_json;

void explain_request(const std::string& url, const std::string& id, Console& console) {
  if (id.empty() || id.find_first_of(" /?#%") != id.npos) {
    fail(ErrorCode::usage, "\"{}\" is no id of a request; X-Request-Id of an answer says it", id);
  }
  const HttpAnswer answer = HttpClient(url).call("GET", "/v2/requests/" + id, "");
  const Json json = Json::parse(answer.body, nullptr, false);
  if (answer.status != 200 || !json.is_object() || !json.contains("timeline")) {
    const bool told = json.is_object() && json.contains("error") && json.at("error").is_string();
    fail(ErrorCode::failed, "{}: {}", answer.status,
         told ? json.at("error").get<std::string>() : answer.body.substr(0, 300));
  }
  console.say("request {} of model {}", id, json.value("model", ""));
  for (const Json& mark : json.at("timeline")) {
    const std::string reason = mark.value("reason", "");
    console.say("{:12.3f} ms  {}{}", static_cast<double>(mark.value("at_us", int64_t{0})) * 1e-3,
                mark.value("event", ""), reason.empty() ? "" : ": " + reason);
  }
  console.result({{"timeline", json.at("timeline")}});
}

}  // namespace

CLI::App* add_explain_request(CLI::App& explain, Console& console) {
  CLI::App* command = explain.add_subcommand("request", "what happened to a request at a server, and when");
  struct Flags {
    std::string url, id;
  };
  auto flags = std::make_shared<Flags>();
  command->add_option("URL", flags->url, "http://HOST:PORT of `narae serve`")->required();
  command->add_option("ID", flags->id, "the X-Request-Id of its answer, or the id it was sent with")->required();
  command->add_flag("--json", console.json, "one JSON object on stdout, all else on stderr");
  command->callback([flags, &console] { explain_request(flags->url, flags->id, console); });
  return command;
}

}  // namespace narae
