// SPDX-License-Identifier: Apache-2.0
// GET /v2/requests/ID: what happened to a request of late, and when (`narae explain request`).
#include <nlohmann/json.hpp>

#include "server/router.h"

namespace narae {

void add_requests_routes(Router& router, ServerState& state) {
  router.add(
      "GET", "/v2/requests/{id}",
      [&state](const ExchangePtr& exchange, const PathValues& values) {
        using Json = nlohmann::ordered_json;
        const std::string& id = values.find("id")->second;
        const auto entry = state.requests.find(id);
        if (!entry) {
          http_fail(404, "there is no request \"{}\" among the last ones; X-Request-Id of an answer says its id",
                    id.substr(0, 200));
        }
        const Trace& trace = *entry->trace;
        Json timeline = Json::array();
        for (size_t i = 0; i < trace.size(); ++i) {
          timeline.push_back(
              {{"at_us", trace[i].at - trace[0].at}, {"event", trace[i].event}, {"reason", trace[i].reason}});
        }
        reply_json(*exchange, {{"id", id}, {"model", entry->model}, {"timeline", timeline}});
      },
      kserve_error);
}

}  // namespace narae
