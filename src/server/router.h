// SPDX-License-Identifier: Apache-2.0
// Paths -> handlers. Each file of endpoints adds its own (routes.inc). A pattern is literal but for {name}, which
// stands for one non-empty segment; segments are percent-decoded after the path was cut, so a name never spans two.
#pragma once

#include <map>

#include "serve/metrics.h"
#include "serve/request_book.h"
#include "server/error_reply.h"

namespace narae {

using PathValues = std::map<std::string, std::string, std::less<>>;
// Runs in the connection's thread; it must not block. It keeps the Exchange where the answer comes later.
using Handler = std::function<void(const ExchangePtr& exchange, const PathValues& values)>;

class Router {
 public:
  void add(std::string method, const std::string& pattern, Handler handler, ErrorForm form);
  // Answers, now or later; also when nothing fits (404, 405 with Allow).
  void handle(const ExchangePtr& exchange) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Handler handler;
    ErrorForm form;
  };
  std::vector<Route> routes_;
};

// What endpoints serve from.
struct ServerState {
  ModelRepository& repository;
  ServerCounters& counters;
  std::function<bool()> ready;  // all models of the start are loaded, and it is not stopping
  RequestBook requests{};
};

// All endpoints of routes.inc.
Router make_router(ServerState& state);
// /metrics alone, for a port of its own.
Router make_metrics_router(ServerState& state);

}  // namespace narae
