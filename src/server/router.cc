// SPDX-License-Identifier: Apache-2.0
#include "server/router.h"

#include <algorithm>

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

}  // namespace narae
