// SPDX-License-Identifier: Apache-2.0
// What the connections of a server share, and how one is begun.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <mutex>
#include <random>
#include <set>

#include "base/hash.h"
#include "server/http/http_server.h"

namespace narae {

class Connection;

struct HttpShared {
  HttpOptions options;
  ServerCounters& counters;
  std::atomic<bool> draining{false};
  std::mutex mutex;
  std::set<Connection*> connections;
  // Behind what connections touch when they go: they may go with the context.
  // One thread each, so that a connection needs no lock.
  std::vector<std::unique_ptr<boost::asio::io_context>> contexts;
  boost::asio::thread_pool prep;
  const uint64_t first_id = uint64_t{std::random_device()()} << 32;
  std::atomic<uint64_t> next_id{0};

  HttpShared(HttpOptions wanted, ServerCounters& counted)
      : options(std::move(wanted)), counters(counted), prep(static_cast<size_t>(options.prep_threads)) {
    for (int i = 0; i < options.io_threads; ++i) contexts.push_back(std::make_unique<boost::asio::io_context>(1));
  }
  size_t open_connections() {
    const std::lock_guard<std::mutex> lock(mutex);
    return connections.size();
  }
  std::string fresh_id() { return fmt::format("{:016x}", hash_combine(first_id, next_id.fetch_add(1))); }
  // Idle connections close; the others after their answer.
  void close_idle();
};

// `router` must live as long as the shared.
void begin_connection(HttpShared& shared, const Router& router, boost::asio::ip::tcp::socket socket);

}  // namespace narae
