// SPDX-License-Identifier: Apache-2.0
#include "http_client.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "base/error.h"

namespace narae {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::asio::ip::tcp;

struct HttpClient::Parts {
  std::string host, name, port;  // the name is the host without the brackets of an IPv6 address
  boost::asio::io_context io;
  std::optional<tcp::socket> socket;
  beast::flat_buffer buffer;
};

HttpClient::HttpClient(const std::string& url) : parts_(std::make_unique<Parts>()) {
  std::string rest = url.rfind("http://", 0) == 0 ? url.substr(7) : url;
  while (!rest.empty() && rest.back() == '/') rest.pop_back();
  const size_t colon = rest.rfind(':');
  if (rest.empty() || rest.find('/') != std::string::npos || colon == std::string::npos || colon + 1 == rest.size()) {
    fail(ErrorCode::usage, "\"{}\" is no URL of a server; give http://HOST:PORT", url);
  }
  parts_->host = rest.substr(0, colon);
  parts_->name = parts_->host;
  if (rest.front() == '[' && parts_->host.back() == ']') {
    parts_->name = parts_->host.substr(1, parts_->host.size() - 2);
  } else if (parts_->host.find(':') != std::string::npos) {
    fail(ErrorCode::usage, "\"{}\" is no URL of a server; an IPv6 address goes in brackets, http://[::1]:PORT", url);
  }
  parts_->port = rest.substr(colon + 1);
}

HttpClient::~HttpClient() = default;

HttpAnswer HttpClient::call(const std::string& method, const std::string& path, const std::string& body,
                            const HttpHeaders& headers, const std::function<void(std::string_view)>& on_part) {
  try {
    if (!parts_->socket) {
      parts_->socket.emplace(parts_->io);
      boost::asio::connect(*parts_->socket, tcp::resolver(parts_->io).resolve(parts_->name, parts_->port));
      parts_->socket->set_option(tcp::no_delay(true));
      parts_->buffer.clear();
    }
    http::request<http::string_body> request(http::string_to_verb(method), path, 11);
    request.set(http::field::host, parts_->host);
    for (const auto& [name, value] : headers) request.set(name, value);
    request.body() = body;
    request.prepare_payload();
    http::write(*parts_->socket, request);
    http::response_parser<http::string_body> parser;
    parser.body_limit(size_t{1} << 32);
    auto hear = [&](uint64_t, beast::string_view part, boost::system::error_code&) {
      on_part({part.data(), part.size()});
      return part.size();
    };
    if (on_part) parser.on_chunk_body(hear);
    http::read(*parts_->socket, parts_->buffer, parser);
    HttpAnswer answer{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
    if (!parser.get().keep_alive()) parts_->socket.reset();
    return answer;
  } catch (const boost::system::system_error& error) {
    parts_->socket.reset();
    fail(ErrorCode::failed, "{}:{}: {}", parts_->host, parts_->port, error.code().message());
  }
}

}  // namespace narae
