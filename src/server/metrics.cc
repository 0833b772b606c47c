// SPDX-License-Identifier: Apache-2.0
// GET /metrics: Prometheus text.
#include "server/router.h"

namespace narae {

void add_metrics_routes(Router& router, ServerState& state) {
  router.add(
      "GET", "/metrics",
      [&state](const ExchangePtr& exchange, const PathValues&) {
        HttpReply reply;
        reply.type = "text/plain; version=0.0.4; charset=utf-8";
        reply.body = metrics_text(state.repository, state.counters);
        exchange->reply(std::move(reply));
      },
      kserve_error);
}

}  // namespace narae
