// SPDX-License-Identifier: Apache-2.0
#include "server/http/http_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "server/http/connection.h"

namespace narae {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

tcp::acceptor listen_at(asio::io_context& io, const std::string& host, int port) {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(host, error);
  if (error) fail(ErrorCode::usage, "--host {} is no address; give one such as 127.0.0.1 or 0.0.0.0", host);
  tcp::acceptor acceptor(io);
  const tcp::endpoint endpoint(address, static_cast<unsigned short>(port));
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    fail(ErrorCode::failed, "cannot listen at {} port {}: {}; give another port, or 0 for any free one", host, port,
         error.message());
  }
  return acceptor;
}

// What a handler lets escape ends nothing but itself.
void run_all(asio::io_context& context) {
  for (;;) {
    try {
      context.run();
      return;
    } catch (const std::exception& error) {
      const std::string line = fmt::format("narae: a connection failed: {}\n", error.what());
      std::fwrite(line.data(), 1, line.size(), stderr);
    }
  }
}

}  // namespace

struct HttpServer::Parts {
  Parts(HttpOptions options, ServerCounters& counters)
      : shared(std::move(options), counters), signals(first()), retry(first()) {
    for (const auto& context : shared.contexts) work.push_back(asio::make_work_guard(*context));
    acceptors.push_back(listen_at(first(), shared.options.host, shared.options.port));
    if (shared.options.metrics_port >= 0) {
      acceptors.push_back(listen_at(first(), shared.options.host, shared.options.metrics_port));
    }
  }
  asio::io_context& first() { return *shared.contexts.front(); }
  void accept(size_t which) {
    asio::io_context& context = *shared.contexts[next++ % shared.contexts.size()];
    acceptors[which].async_accept(context, [this, which](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || shared.draining) return;
      if (error) {  // such as no free file: not at once again
        retry.expires_after(std::chrono::milliseconds(100));
        return retry.async_wait([this, which](error_code stopped) {
          if (!stopped) accept(which);
        });
      }
      shared.counters.connections.fetch_add(1, std::memory_order_relaxed);
      if (shared.open_connections() < shared.options.max_connections)
        begin_connection(shared, *routers[which], std::move(socket));
      accept(which);
    });
  }

  HttpShared shared;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> work;
  asio::signal_set signals;
  asio::steady_timer retry;
  std::vector<tcp::acceptor> acceptors;
  const Router* routers[2] = {};
  size_t next = 0;  // context of the next connection
  std::vector<std::thread> threads;
};

HttpServer::HttpServer(HttpOptions options, ServerCounters& counters)
    : parts_(std::make_unique<Parts>(std::move(options), counters)) {}

HttpServer::~HttpServer() { stop(); }

int HttpServer::port() const { return parts_->acceptors[0].local_endpoint().port(); }

int HttpServer::metrics_port() const {
  return parts_->acceptors.size() > 1 ? parts_->acceptors[1].local_endpoint().port() : -1;
}

void HttpServer::start(const Router& router, const Router& metrics_router) {
  parts_->routers[0] = &router;
  parts_->routers[1] = &metrics_router;
  for (size_t i = 0; i < parts_->acceptors.size(); ++i) parts_->accept(i);
  for (const auto& context : parts_->shared.contexts) {
    parts_->threads.emplace_back([&context] { run_all(*context); });
  }
}

void HttpServer::on_signal(std::function<void()> on_stop) {
  parts_->signals.add(SIGTERM);
  parts_->signals.add(SIGINT);
  parts_->signals.async_wait([this, call = std::move(on_stop)](error_code error, int) {
    if (error) return;
    parts_->signals.async_wait([](error_code again, int number) {
      if (!again) std::_Exit(128 + number);
    });
    call();
  });
}

bool HttpServer::draining() const { return parts_->shared.draining; }

void HttpServer::drain(double seconds) {
  parts_->shared.draining = true;
  for (tcp::acceptor& acceptor : parts_->acceptors) {
    asio::post(acceptor.get_executor(), [&acceptor] {
      error_code ignored;
      acceptor.close(ignored);
    });
  }
  const double end = now_seconds() + seconds;
  while (parts_->shared.open_connections() > 0 && now_seconds() < end) {
    parts_->shared.close_idle();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void HttpServer::stop() {
  parts_->shared.draining = true;
  parts_->shared.prep.join();
  for (const auto& context : parts_->shared.contexts) context->stop();
  for (std::thread& thread : parts_->threads) thread.join();
  parts_->threads.clear();
}

}  // namespace narae
