// SPDX-License-Identifier: Apache-2.0
// One request of a connection and its answer, as the protocols see them: nothing of HTTP's wire is known here.
#pragma once

#include <fmt/core.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace narae {

struct HttpRequest {
  std::string id;  // of the client's X-Request-Id, or a new one; every reply bears it
  std::string method;
  std::string path;  // of the target, still percent-encoded
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int64_t received_ns = 0;  // steady clock, when the last byte was there
  // The value, whatever the case of the name; empty: not there.
  std::string_view header(std::string_view name) const;
};

struct HttpReply {
  int status = 200;
  std::string type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// An error of the HTTP surface, thrown by handlers: becomes the protocol's own form of an error.
struct HttpError {
  int status;
  std::string message;
  int retry_after = 0;  // seconds; 0: not said
};

template <typename... Args>
[[noreturn]] void http_fail(int status, fmt::format_string<Args...> format, Args&&... args) {
  throw HttpError{status, fmt::format(format, std::forward<Args>(args)...)};
}

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  virtual ~Exchange() = default;
  virtual HttpRequest& request() = 0;
  // Once, from any thread. After begin_parts() it only ends the connection: the client sees that something is missing.
  virtual void reply(HttpReply reply) = 0;
  // A reply in parts instead, from where soon() runs: the head with the first part, then others up to the last.
  virtual void begin_parts(HttpReply head) = 0;
  virtual void part(std::string text, bool last) = 0;
  // Bytes of parts that the client has not taken yet; `call` hears of it, each time, when all are taken.
  virtual size_t unsent() const = 0;
  virtual void on_sent(std::function<void()> call) = 0;
  // Called at most once, when the client leaves before the reply; not after it. Set from the connection's own thread.
  virtual void on_disconnect(std::function<void()> call) = 0;
  // Runs `work` where it may take long (the prep pool), or where the connection lives. What it throws becomes the
  // reply.
  virtual void later(std::function<void()> work) = 0;
  virtual void soon(std::function<void()> work) = 0;
};
using ExchangePtr = std::shared_ptr<Exchange>;

}  // namespace narae
