// SPDX-License-Identifier: Apache-2.0
// One connection: header, body, handler, answer, again. All of it runs on the one thread of its context, except reply()
// and later(), which come from anywhere. While a handler works, the socket is watched for the client's leaving.
#include "server/http/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <sstream>

#include "base/clock.h"
#include "base/error.h"

namespace narae {

namespace beast = boost::beast;
namespace http = beast::http;
namespace asio = boost::asio;
using boost::system::error_code;

class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(HttpShared& shared, const Router& router, asio::ip::tcp::socket socket)
      : shared_(shared), router_(router), stream_(std::move(socket)) {
    const std::lock_guard<std::mutex> lock(shared_.mutex);
    shared_.connections.insert(this);
  }
  ~Connection() {
    const std::lock_guard<std::mutex> lock(shared_.mutex);
    shared_.connections.erase(this);
  }
  void begin() {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] {
      error_code ignored;
      self->stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
      self->wait_for_request();
    });
  }
  void close_if_idle() {
    asio::post(stream_.get_executor(), [self = shared_from_this()] {
      if (self->idle_) self->stream_.cancel();
    });
  }
  bool try_shared(std::shared_ptr<Connection>& out) {
    out = weak_from_this().lock();
    return out != nullptr;
  }

 private:
  class OneExchange;
  using Parser = http::request_parser<http::string_body>;

  std::chrono::seconds budget(size_t bytes) const {
    return std::chrono::seconds(shared_.options.stall_seconds + static_cast<int>(bytes >> 16));
  }
  void wait_for_request();
  void read_header();
  void on_header(error_code error);
  void read_body();
  void on_body(error_code error);
  void handle();
  void watch();
  void on_watched(error_code error, uint64_t number);
  void watch_for_end();
  void answer(HttpReply reply, uint64_t number);
  void refuse(int status, const std::string& message);
  void write(HttpReply reply, bool keep);
  void on_written(error_code error, bool keep);
  void begin_parts(HttpReply head);
  void add_part(const std::string& text, bool last);
  void write_parts();
  void on_part_written(error_code error);
  void finish_parts();
  void break_parts(uint64_t number);
  void leave();
  void log(int status);
  void close();

  HttpShared& shared_;
  const Router& router_;
  beast::tcp_stream stream_;
  asio::steady_timer watch_timer_{stream_.get_executor()};
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::shared_ptr<OneExchange> exchange_;  // while a handler works
  std::optional<http::response<http::string_body>> response_;
  struct Parts {
    explicit Parts(bool in_chunks) : chunked(in_chunks) {}
    std::string waiting, writing;  // framed
    bool chunked, last = false, dead = false;
  };
  std::optional<Parts> parts_;  // while a reply goes out in parts
  uint64_t number_ = 0;         // of the request
  bool idle_ = false, keep_alive_ = false, head_only_ = false, http11_ = false;
};

class Connection::OneExchange final : public Exchange {
 public:
  OneExchange(std::shared_ptr<Connection> connection, HttpRequest request, uint64_t number)
      : connection_(std::move(connection)), request_(std::move(request)), number_(number) {}
  HttpRequest& request() override { return request_; }
  void reply(HttpReply reply) override {
    if (replied_.exchange(true)) {
      return asio::post(connection_->stream_.get_executor(),
                        [connection = connection_, number = number_] { connection->break_parts(number); });
    }
    asio::post(connection_->stream_.get_executor(),
               [self = std::static_pointer_cast<OneExchange>(shared_from_this()), made = std::move(reply)]() mutable {
                 self->leave_ = nullptr;
                 self->connection_->answer(std::move(made), self->number_);
               });
  }
  void begin_parts(HttpReply head) override {
    if (!replied_.exchange(true)) connection_->begin_parts(std::move(head));
  }
  void part(std::string text, bool last) override { connection_->add_part(text, last); }
  size_t unsent() const override {
    const auto& parts = connection_->parts_;
    return parts ? parts->waiting.size() + parts->writing.size() : 0;
  }
  void on_sent(std::function<void()> call) override { sent_ = std::move(call); }
  void on_disconnect(std::function<void()> call) override {
    if (gone_) return call();
    leave_ = std::move(call);
  }
  void later(std::function<void()> work) override { asio::post(connection_->shared_.prep, std::move(work)); }
  void soon(std::function<void()> work) override {
    asio::dispatch(connection_->stream_.get_executor(), std::move(work));
  }
  bool replied() const { return replied_; }
  void disconnected() {
    gone_ = true;
    if (const auto call = std::exchange(leave_, nullptr)) call();
  }
  void sent() {
    if (const auto call = sent_) call();
  }
  // Nobody is told of anything any more.
  void forget() { leave_ = sent_ = nullptr; }

 private:
  std::shared_ptr<Connection> connection_;
  HttpRequest request_;
  uint64_t number_;
  std::atomic<bool> replied_{false};
  bool gone_ = false;
  std::function<void()> leave_, sent_;
};

void Connection::wait_for_request() {
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(shared_.options.max_header));
  parser_->body_limit(shared_.options.max_body);
  if (buffer_.size() > 0) return read_header();
  if (shared_.draining) return close();
  idle_ = true;
  stream_.expires_after(std::chrono::seconds(shared_.options.idle_seconds));
  stream_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](error_code error, size_t bytes) {
    self->idle_ = false;
    if (error) return self->close();
    self->buffer_.commit(bytes);
    self->read_header();
  });
}

void Connection::read_header() {
  stream_.expires_after(std::chrono::seconds(shared_.options.header_seconds));
  http::async_read_header(stream_, buffer_, *parser_,
                          [self = shared_from_this()](error_code error, size_t) { self->on_header(error); });
}

void Connection::on_header(error_code error) {
  if (error == http::error::body_limit) {
    return refuse(413,
                  fmt::format("the body is larger than the {} bytes that are read at most", shared_.options.max_body));
  }
  if (error == http::error::header_limit) {
    return refuse(
        431, fmt::format("the header is larger than the {} bytes that are read at most", shared_.options.max_header));
  }
  if (error == beast::error::timeout) return refuse(408, "the header did not come in time");
  if (error && error.category() == http::make_error_code(http::error::bad_method).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message) {
    return refuse(400, "this is no HTTP/1.1 request: " + error.message());
  }
  if (error) return close();
  if (parser_->get()[http::field::expect] != "100-continue") return read_body();
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  stream_.expires_after(budget(0));
  asio::async_write(stream_, asio::buffer(kContinue), [self = shared_from_this()](error_code failed, size_t) {
    failed ? self->close() : self->read_body();
  });
}

void Connection::read_body() {
  const auto length = parser_->content_length();
  stream_.expires_after(budget(length ? static_cast<size_t>(*length) : shared_.options.max_body / 16));
  http::async_read(stream_, buffer_, *parser_,
                   [self = shared_from_this()](error_code error, size_t) { self->on_body(error); });
}

void Connection::on_body(error_code error) {
  if (error == http::error::body_limit) {
    return refuse(413,
                  fmt::format("the body is larger than the {} bytes that are read at most", shared_.options.max_body));
  }
  if (error == beast::error::timeout) return refuse(408, "the body did not come in time");
  if (error && error.category() == http::make_error_code(http::error::bad_method).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message) {
    return refuse(400, "the body is malformed: " + error.message());
  }
  if (error) return close();
  handle();
}

void Connection::handle() {
  auto message = parser_->release();
  HttpRequest request;
  request.received_ns = now_ns();
  request.method = std::string(message.method_string());
  http11_ = message.version() == 11;
  keep_alive_ = message.keep_alive() && http11_;
  head_only_ = request.method == "HEAD";
  if (head_only_) request.method = "GET";
  const std::string_view target(message.target().data(), message.target().size());
  request.path = std::string(target.substr(0, target.find('?')));
  for (const auto& field : message) {
    request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  request.body = std::move(message.body());
  const std::string_view given = request.header("X-Request-Id");
  const bool fits = !given.empty() && given.size() <= 128 &&
                    std::all_of(given.begin(), given.end(), [](char c) { return c > ' ' && c < 127; });
  request.id = fits ? std::string(given) : shared_.fresh_id();
  stream_.expires_never();
  shared_.counters.requests.fetch_add(1, std::memory_order_relaxed);
  exchange_ = std::make_shared<OneExchange>(shared_from_this(), std::move(request), ++number_);
  const std::shared_ptr<OneExchange> exchange = exchange_;
  router_.handle(exchange);
  watch();
}

// Whoever leaves before the answer is noticed: the socket becomes readable with nothing to read.
void Connection::watch() {
  if (!exchange_ || (exchange_->replied() && !parts_)) return;
  if (buffer_.size() > 0) return watch_for_end();
  stream_.socket().async_wait(
      asio::ip::tcp::socket::wait_read,
      [self = shared_from_this(), number = number_](error_code error) { self->on_watched(error, number); });
}

void Connection::on_watched(error_code error, uint64_t number) {
  if (error || !exchange_ || number != number_) return;
  char byte;
  const ssize_t got = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got > 0) return watch_for_end();
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return watch();
  leave();
}

// The next request is there already: only the end of the connection counts, which is looked for now and then.
void Connection::watch_for_end() {
  watch_timer_.expires_after(std::chrono::milliseconds(100));
  watch_timer_.async_wait([self = shared_from_this(), number = number_](error_code error) {
    if (error || !self->exchange_ || number != self->number_) return;
    if (self->exchange_->replied() && !self->parts_) return;
    pollfd state{self->stream_.socket().native_handle(), POLLRDHUP, 0};
    if (::poll(&state, 1, 0) > 0) return self->leave();
    self->watch_for_end();
  });
}

// The client does not want the answer any more, or does not take it.
void Connection::leave() {
  if (parts_) {
    if (std::exchange(parts_->dead, true)) return;
    parts_->waiting.clear();
  }
  shared_.counters.disconnected.fetch_add(1, std::memory_order_relaxed);
  exchange_->disconnected();
}

void Connection::answer(HttpReply reply, uint64_t number) {
  if (number != number_) return;
  error_code ignored;
  stream_.socket().cancel(ignored);  // the watch
  watch_timer_.cancel();
  write(std::move(reply), keep_alive_ && !shared_.draining);
  exchange_.reset();
}

// An answer to what is no request: nothing more is read from this connection.
void Connection::refuse(int status, const std::string& message) {
  shared_.counters.requests.fetch_add(1, std::memory_order_relaxed);
  HttpReply reply;
  reply.status = status;
  const auto target = parser_ ? parser_->get().target() : beast::string_view();
  reply.body = error_form({target.data(), target.size()})(status, message);
  head_only_ = false;
  write(std::move(reply), false);
}

void Connection::write(HttpReply reply, bool keep) {
  (reply.status < 400 ? shared_.counters.answered : shared_.counters.refused).fetch_add(1, std::memory_order_relaxed);
  response_.emplace(static_cast<http::status>(reply.status), 11);
  response_->set(http::field::content_type, reply.type);
  for (const auto& [name, value] : reply.headers) response_->set(name, value);
  response_->set("X-Request-Id", exchange_ ? exchange_->request().id : shared_.fresh_id());
  log(reply.status);
  response_->keep_alive(keep);
  response_->body() = std::move(reply.body);
  const size_t bytes = response_->body().size();
  response_->content_length(bytes);
  if (head_only_) response_->body().clear();
  stream_.expires_after(budget(bytes));
  http::async_write(stream_, *response_,
                    [self = shared_from_this(), keep](error_code error, size_t) { self->on_written(error, keep); });
}

void Connection::log(int status) {
  if (!shared_.options.log_all && (status < 500 || status == 503)) return;
  const HttpRequest* request = exchange_ ? &exchange_->request() : nullptr;  // none: it could not be read
  const std::string line =
      request ? fmt::format("narae: request {} {} {} {} {:.1f} ms\n", request->id, request->method, request->path,
                            status, static_cast<double>(now_ns() - request->received_ns) * 1e-6)
              : fmt::format("narae: request - - {}\n", status);
  std::fwrite(line.data(), 1, line.size(), stderr);  // a log that cannot be written stops nothing
}

void Connection::on_written(error_code error, bool keep) {
  response_.reset();
  if (error || !keep) return close();
  wait_for_request();
}

void Connection::begin_parts(HttpReply head) {
  shared_.counters.answered.fetch_add(1, std::memory_order_relaxed);
  parts_.emplace(http11_);
  http::response<http::empty_body> message(static_cast<http::status>(head.status), 11);
  message.set(http::field::content_type, head.type);
  for (const auto& [name, value] : head.headers) message.set(name, value);
  if (http11_) message.chunked(true);
  message.set("X-Request-Id", exchange_->request().id);
  message.keep_alive(keep_alive_ && http11_);
  log(head.status);
  std::ostringstream text;
  text << message.base();
  parts_->waiting = text.str();
  add_part(head.body, false);
}

void Connection::add_part(const std::string& text, bool last) {
  if (!parts_ || parts_->last) return;
  parts_->last = last;
  if (!parts_->dead) {
    if (parts_->chunked && !text.empty()) {
      parts_->waiting += fmt::format("{:x}\r\n", text.size()) + text + "\r\n";
    } else {
      parts_->waiting += text;
    }
    if (last && parts_->chunked) parts_->waiting += "0\r\n\r\n";
  }
  if (parts_->writing.empty()) write_parts();
}

void Connection::write_parts() {
  if (parts_->waiting.empty()) {
    if (parts_->last) finish_parts();
    return;
  }
  parts_->writing = std::exchange(parts_->waiting, {});
  stream_.expires_after(budget(parts_->writing.size()));
  asio::async_write(stream_, asio::buffer(parts_->writing),
                    [self = shared_from_this()](error_code error, size_t) { self->on_part_written(error); });
}

void Connection::on_part_written(error_code error) {
  if (error) leave();
  parts_->writing.clear();
  stream_.expires_never();
  if (!parts_->dead && !parts_->last && parts_->waiting.empty()) return exchange_->sent();
  write_parts();
}

void Connection::finish_parts() {
  const bool keep = !parts_->dead && keep_alive_ && http11_ && !shared_.draining;
  parts_.reset();
  exchange_->forget();
  exchange_.reset();
  error_code ignored;
  stream_.socket().cancel(ignored);  // the watch
  watch_timer_.cancel();
  keep ? wait_for_request() : close();
}

// An error in the middle of an answer.
void Connection::break_parts(uint64_t number) {
  if (number != number_ || !parts_ || parts_->last) return;
  parts_->dead = parts_->last = true;
  parts_->waiting.clear();
  if (parts_->writing.empty()) finish_parts();
}

void Connection::close() {
  // What was sent reaches the client before the connection is reset: it may still be sending a body nobody reads.
  error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  stream_.expires_after(std::chrono::seconds(1));
  const auto rest = std::make_shared<std::array<char, 4096>>();
  const auto drain = [self = shared_from_this(), rest](const auto& again, int left) -> void {
    self->stream_.async_read_some(asio::buffer(*rest), [self, again, left, rest](error_code error, size_t) {
      if (error || left == 0) {
        error_code last;
        self->stream_.socket().close(last);
        return;
      }
      again(again, left - 1);
    });
  };
  drain(drain, 256);
}

void HttpShared::close_idle() {
  std::vector<std::shared_ptr<Connection>> all;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    std::shared_ptr<Connection> one;
    for (Connection* connection : connections) {
      if (connection->try_shared(one)) all.push_back(std::move(one));
    }
  }
  for (const auto& connection : all) connection->close_if_idle();
}

void begin_connection(HttpShared& shared, const Router& router, asio::ip::tcp::socket socket) {
  std::make_shared<Connection>(shared, router, std::move(socket))->begin();
}

}  // namespace narae
