// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 on one or two ports: an I/O pool that reads, routes and writes, and a prep pool for what may take long. A
// connection serves one request after the other; every request that was read whole gets exactly one answer.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "server/router.h"

namespace narae {

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 8000, metrics_port = 8002;  // 0: any free one; metrics_port -1: none
  int io_threads = 1, prep_threads = 3;
  size_t max_connections = 4096;
  size_t max_header = 16 << 10, max_body = size_t{256} << 20;
  int idle_seconds = 75;    // between requests
  int header_seconds = 10;  // from a request's first byte to the end of its header
  int stall_seconds = 20;   // for a body or an answer, and one more for each 64 KB
  bool log_all = false;     // a line on stderr for each request; else only for those that failed here (5xx)
};

class HttpServer {
 public:
  // Listens at once. Throws Error failed naming the address that cannot be had.
  HttpServer(HttpOptions options, ServerCounters& counters);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;
  int metrics_port() const;  // -1: none
  // Answers by the routers, which must live until stop() has returned.
  void start(const Router& router, const Router& metrics_router);
  // SIGTERM and SIGINT: the first calls `on_stop` in a pool's thread, a second one ends the process at once.
  void on_signal(std::function<void()> on_stop);
  bool draining() const;
  // Takes no more connections, closes idle ones, answers what was read; returns when nothing is left, or after
  // `seconds`.
  void drain(double seconds);
  void stop();  // at once

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace narae
