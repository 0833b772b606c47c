// SPDX-License-Identifier: Apache-2.0
#include "server/router.h"

#include <algorithm>
#include <new>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace narae {

#define NARAE_ROUTES(name) void add_##name##_routes(Router& router, ServerState& state);
#include "server/routes.inc"
#undef NARAE_ROUTES

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 32;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1, low = high < 0 ? -1 : hex_digit(text[i + 2]);
    if (low < 0) http_fail(400, "the path holds a '%' that is not followed by two hexadecimal digits");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> segments;
  for (size_t begin = 1; begin <= path.size() && !path.empty();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    segments.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  if (segments.size() > 1 && segments.back().empty()) segments.pop_back();
  return segments;
}

bool matches(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return false;
  for (size_t i = 0; i < path.size(); ++i) {
    if (pattern[i][0] == '{' ? path[i].empty() : pattern[i] != path[i]) return false;
  }
  return true;
}

constexpr int kMostNesting = 64;
constexpr size_t kMaxJson = 32 << 20;  // a parsed number takes eight times its shortest text

int status_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::usage:
    case ErrorCode::bad_file:
    case ErrorCode::does_not_fit: return 400;
    default: return 500;
  }
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
  const auto same = [](char a, char b) { return (a | 32) == (b | 32) && (a >= 'A' || a == b); };
  for (const auto& [known, value] : headers) {
    if (known.size() == name.size() && std::equal(name.begin(), name.end(), known.begin(), same)) return value;
  }
  return {};
}

void Router::add(std::string method, const std::string& pattern, Handler handler, ErrorForm form) {
  routes_.push_back({std::move(method), segments_of(pattern), std::move(handler), std::move(form)});
}

void Router::handle(const ExchangePtr& exchange) const {
  const HttpRequest& request = exchange->request();
  const std::vector<std::string> path = segments_of(request.path);
  std::string allowed;
  for (const Route& route : routes_) {
    if (!matches(route.segments, path)) continue;
    if (route.method != request.method) {
      if (allowed.find(route.method) == std::string::npos) allowed += (allowed.empty() ? "" : ", ") + route.method;
      continue;
    }
    return guarded(*exchange, route.form, [&] {
      PathValues values;
      for (size_t i = 0; i < path.size(); ++i) {
        const std::string& pattern = route.segments[i];
        if (pattern[0] == '{') values[pattern.substr(1, pattern.size() - 2)] = percent_decoded(path[i]);
      }
      route.handler(exchange, values);
    });
  }
  if (allowed.empty()) {
    return reply_error(*exchange, error_form(request.path),
                       {404, fmt::format("there is nothing at {}; models are at /v2/models/NAME", request.path)});
  }
  HttpReply reply;
  reply.status = 405;
  reply.headers.emplace_back("Allow", allowed);
  reply.body = error_form(request.path)(
      405, fmt::format("{} is not possible at {}; use {}", request.method, request.path, allowed));
  exchange->reply(std::move(reply));
}

Router make_router(ServerState& state) {
  Router router;
#define NARAE_ROUTES(name) add_##name##_routes(router, state);
#include "server/routes.inc"
#undef NARAE_ROUTES
  return router;
}

Router make_metrics_router(ServerState& state) {
  Router router;
  add_metrics_routes(router, state);
  return router;
}

void reply_error(Exchange& exchange, const ErrorForm& form, const HttpError& error) {
  HttpReply reply;
  reply.status = error.status;
  reply.body = form(error.status, error.message);
  if (error.retry_after > 0) reply.headers.emplace_back("Retry-After", std::to_string(error.retry_after));
  exchange.reply(std::move(reply));
}

void guarded(Exchange& exchange, const ErrorForm& form, const std::function<void()>& body) {
  HttpError failure{500, "internal error"};
  try {
    return body();
  } catch (const HttpError& error) {
    failure = error;
  } catch (const Error& error) {
    failure = {status_of(error), error.what()};
  } catch (const std::bad_alloc&) {
    failure = {503, "the machine has not enough free memory for this request", 1};
  } catch (const std::exception& error) {
    failure.message = error.what();
  }
  reply_error(exchange, form, failure);
}

ErrorForm error_form(std::string_view path) { return path.substr(0, 4) == "/v1/" ? openai_error : kserve_error; }

std::string kserve_error(int, const std::string& message) {
  const nlohmann::json object = {{"error", message}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string openai_error(int status, const std::string& message) {
  const char* type = status == 404   ? "not_found_error"
                     : status == 503 ? "overloaded_error"
                     : status >= 500 ? "server_error"
                                     : "invalid_request_error";
  const nlohmann::ordered_json error = {{"message", message}, {"type", type}, {"param", nullptr}, {"code", status}};
  const nlohmann::ordered_json object = {{"error", error}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// How many brackets are open at a time: what is nested a hundred thousand deep would overflow the stack of whoever
// walks through it.
int deepest_nesting(std::string_view text) {
  int depth = 0, deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '[' || c == '{')) {
      deepest = std::max(deepest, ++depth);
    } else if (!quoted && (c == ']' || c == '}')) {
      --depth;
    }
  }
  return deepest;
}

nlohmann::json json_body(std::string_view text) {
  if (text.size() > kMaxJson) {
    http_fail(413, "the JSON has {} bytes, {} are read at most; send large tensors in binary", text.size(), kMaxJson);
  }
  if (deepest_nesting(text) > kMostNesting) {
    fail(ErrorCode::usage, "the JSON is nested deeper than {} lists and objects", kMostNesting);
  }
  nlohmann::json json;
  try {
    json = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    fail(ErrorCode::usage, "the body is no valid JSON: byte {} is not expected", error.byte);
  } catch (const nlohmann::json::exception&) {  // such as a number of a thousand digits
    fail(ErrorCode::usage, "the body is no valid JSON: a number is out of range");
  }
  if (!json.is_object()) fail(ErrorCode::usage, "the body is to be a JSON object, not {}", json.type_name());
  return json;
}

void throw_ending(const Ending& ending) {
  switch (ending.finish) {
    case Finish::expired: throw HttpError{504, ending.error ? ending.error->what() : "the timeout passed"};
    case Finish::cancelled: throw HttpError{503, "the request was cancelled: the server is stopping"};
    default: break;
  }
  if (ending.error) throw Error(*ending.error);
  fail(ErrorCode::internal, "a request ended as {} without an error", finish_name(ending.finish));
}

}  // namespace narae
