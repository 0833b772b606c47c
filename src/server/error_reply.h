// SPDX-License-Identifier: Apache-2.0
// What handlers throw becomes a reply in the form of their protocol.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "batch/queue.h"
#include "server/exchange.h"

namespace narae {

// The body of an error, by protocol.
using ErrorForm = std::function<std::string(int status, const std::string& message)>;
// {"error": message}
std::string kserve_error(int status, const std::string& message);
// {"error": {"message", "type", "param", "code"}}
std::string openai_error(int status, const std::string& message);
// Of the protocol that a path belongs to.
ErrorForm error_form(std::string_view path);

// Runs `body`; HttpError, Error and everything else becomes the reply.
void guarded(Exchange& exchange, const ErrorForm& form, const std::function<void()>& body);
void reply_error(Exchange& exchange, const ErrorForm& form, const HttpError& error);
void reply_json(Exchange& exchange, const nlohmann::ordered_json& object);

// Why a request ended without an answer: throws HttpError or Error.
[[noreturn]] void throw_ending(const Ending& ending);
// Why it was not taken, which is not Refusal::none: throws HttpError. `advice` follows "try again later".
[[noreturn]] void throw_refusal(Refusal refusal, const std::string& model, size_t max_queue, const char* advice = "");

}  // namespace narae
