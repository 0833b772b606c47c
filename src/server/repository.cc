// SPDX-License-Identifier: Apache-2.0
// KServe v2, Triton's extension "model repository": index, load, unload. Loading runs in the prep pool; names are
// looked up among those the server was started with, never taken as paths.
#include <nlohmann/json.hpp>

#include "server/router.h"

namespace narae {
namespace {

using Json = nlohmann::ordered_json;

// The body of index and load: empty or an object with members that change nothing.
Json body_of(const HttpRequest& request) {
  if (request.body.empty()) return Json::object();
  Json json = Json::parse(request.body, nullptr, false);
  if (json.is_discarded() || !json.is_object()) http_fail(400, "the body is to be a JSON object, or empty");
  return json;
}

Json index_json(const ModelRepository& repository, bool ready_only) {
  Json list = Json::array();
  for (const ModelRepository::Entry& entry : repository.index()) {
    if (ready_only && entry.state != ModelState::ready) continue;
    Json item = {{"name", entry.name}, {"version", entry.version}, {"state", model_state_name(entry.state)}};
    if (!entry.reason.empty()) item["reason"] = entry.reason;
    list.push_back(std::move(item));
  }
  return list;
}

void check_parameters(const Json& body) {
  const auto parameters = body.find("parameters");
  if (parameters == body.end() || parameters->is_null()) return;
  if (!parameters->is_object()) http_fail(400, "\"parameters\" is to be an object");
  for (const auto& [name, value] : parameters->items()) {
    if (name == "unload_dependents") continue;
    http_fail(400, "the parameter \"{}\" is not known; models are loaded from where the server was started with",
              name.substr(0, 60));
  }
}

}  // namespace

void add_repository_routes(Router& router, ServerState& state) {
  router.add(
      "POST", "/v2/repository/index",
      [&state](const ExchangePtr& exchange, const PathValues&) {
        const Json body = body_of(exchange->request());
        const auto ready = body.find("ready");
        const bool ready_only = ready != body.end() && ready->is_boolean() && ready->get<bool>();
        reply_json(*exchange, index_json(state.repository, ready_only));
      },
      kserve_error);
  const auto add_change = [&](const char* pattern, void (ModelRepository::*change)(const std::string&)) {
    router.add(
        "POST", pattern,
        [&state, change](const ExchangePtr& exchange, const PathValues& values) {
          check_parameters(body_of(exchange->request()));
          const std::string name = values.find("model")->second;
          if (!state.repository.knows(name)) {
            http_fail(404, "there is no model \"{}\"; /v2/repository/index lists them", name);
          }
          if (!state.ready()) http_fail(503, "models are still being loaded, or the server is stopping");
          exchange->later([exchange, &state, change, name] {
            guarded(*exchange, kserve_error, [&] {
              (state.repository.*change)(name);
              exchange->reply({});
            });
          });
        },
        kserve_error);
  };
  add_change("/v2/repository/models/{model}/load", &ModelRepository::load);
  add_change("/v2/repository/models/{model}/unload", &ModelRepository::unload);
}

}  // namespace narae
