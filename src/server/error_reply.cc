// SPDX-License-Identifier: Apache-2.0
#include "server/error_reply.h"

#include <new>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace narae {
namespace {

int status_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::usage:
    case ErrorCode::bad_file:
    case ErrorCode::does_not_fit: return 400;
    default: return 500;
  }
}

}  // namespace

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

void reply_json(Exchange& exchange, const nlohmann::ordered_json& object) {
  HttpReply reply;
  reply.body = object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  exchange.reply(std::move(reply));
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

void throw_refusal(Refusal refusal, const std::string& model, size_t max_queue, const char* advice) {
  if (refusal == Refusal::closed) throw HttpError{503, fmt::format("model \"{}\" is being unloaded", model), 1};
  throw HttpError{
      503,
      fmt::format("the queue of model \"{}\" is full ({} requests wait); try again later{}", model, max_queue, advice),
      1};
}

}  // namespace narae
