// SPDX-License-Identifier: Apache-2.0
// Requests: enqueued, fetched piece by piece or told, cancelled, read as a whole.
#include <cmath>

#include "api/boundary.h"
#include "api/executor_state.h"
#include "api/prompts.h"
#include "llm/prompt.h"
#include "llm/sampling_params.h"

namespace narae::api {
namespace {

constexpr int32_t max_branches = 16;
constexpr int64_t fewest_waiting = 256, most_waiting = 65536;  // tokens that a Sink holds

SamplingParams sampling_of(const narae_sampling& c, const LanguageModel& model) {
  SamplingParams params;
  params.temperature = c.temperature;
  params.top_k = c.top_k;
  params.top_p = c.top_p;
  params.min_p = c.min_p;
  params.repetition_penalty = c.repetition_penalty;
  params.presence_penalty = c.presence_penalty;
  params.frequency_penalty = c.frequency_penalty;
  params.min_tokens = c.min_tokens;
  params.max_tokens = c.max_tokens;
  params.seed = c.seed;
  params.n = c.n;
  params.top_logprobs = c.top_logprobs;
  if (c.logit_bias_count > 0) wanted(c.logit_bias, "logit_bias");
  for (size_t i = 0; i < c.logit_bias_count; ++i) {
    params.logit_bias.push_back({c.logit_bias[i].token, c.logit_bias[i].bias});
  }
  if (c.stop_id_count > 0) wanted(c.stop_ids, "stop_ids");
  if (c.ignore_eos == 0) params.stop_ids = model.stop_ids;
  params.stop_ids.insert(params.stop_ids.end(), c.stop_ids, c.stop_ids + c.stop_id_count);
  check_sampling(params, model.vocabulary, max_branches);
  return params;
}

std::vector<std::string> stops_of(const narae_sampling& c) {
  std::vector<std::string> stops;
  if (c.stop_count > 0) wanted(c.stops, "stops");
  for (size_t i = 0; i < c.stop_count; ++i) stops.emplace_back(&wanted(c.stops[i], "a stop text"));
  return stops;
}

std::vector<int32_t> prompt_of(const narae_request_options& c, const LanguageModel& model) {
  if ((c.tokens != nullptr) + (c.text != nullptr) + (c.messages != nullptr) != 1) {
    fail(ErrorCode::usage, "a request needs exactly one of tokens, text and messages");
  }
  if (c.tokens) return {c.tokens, c.tokens + c.token_count};
  return c.text ? text_prompt(model, c.text) : chat_tokens(model, c.messages);
}

std::shared_ptr<RequestState> make_request(const std::shared_ptr<ExecutorState>& executor,
                                           const narae_request_options& c) {
  const narae_sampling defaults = NARAE_SAMPLING_INIT;
  const narae_sampling sampling = known_fields(c.sampling, defaults);
  const LanguageModel& model = executor->model();
  RequestState::Asked asked;
  asked.request = std::make_shared<Request>();
  Request& request = *asked.request;
  request.in.tokens = prompt_of(c, model);
  auto params = std::make_shared<SamplingParams>(sampling_of(sampling, model));
  const int64_t most = std::clamp(params->max_tokens, fewest_waiting, most_waiting);
  request.out = std::make_shared<Sink>(static_cast<size_t>(std::min(most * params->n, most_waiting)),
                                       static_cast<size_t>(params->n));
  request.params = std::move(params);
  request.priority = c.priority;
  request.salt = c.salt;
  if (!(c.timeout_ms >= 0 && c.timeout_ms <= 1e12)) {
    fail(ErrorCode::usage, "timeout_ms is {}; give 0 for none, or up to 1e12", c.timeout_ms);
  }
  if (c.timeout_ms > 0) request.deadline = executor->now() + static_cast<Time>(std::ceil(c.timeout_ms * 1e3));
  asked.stops = stops_of(sampling);
  asked.call = c.on_piece;
  asked.user = c.user;
  return std::make_shared<RequestState>(executor, std::move(asked));
}

}  // namespace
}  // namespace narae::api

using namespace narae::api;  // NOLINT: the C functions below are its only purpose

extern "C" {

narae_status narae_executor_enqueue(narae_executor* executor, const narae_request_options* options,
                                    narae_request** request, narae_error** error) {
  return guarded(error, [&] {
    const std::shared_ptr<ExecutorState>& state = wanted(executor, "executor").state;
    const narae_request_options defaults = NARAE_REQUEST_OPTIONS_INIT;
    const narae_request_options given = known_fields(&wanted(options, "options"), defaults);
    if (!given.on_piece) wanted(request, "request");
    const std::shared_ptr<RequestState> made = make_request(state, given);
    auto handle = request ? std::make_unique<narae_request>(narae_request{made}) : nullptr;
    // The first callback may come before this returns, and look at the handle.
    narae_request* const before = request ? *request : nullptr;
    if (request) *request = handle.get();
    try {
      state->enqueue(made);
    } catch (...) {
      if (request) *request = before;
      throw;
    }
    static_cast<void>(handle.release());  // the caller's now
  });
}

void narae_request_free(narae_request* request) {
  if (!request) return;
  request->state->cancel();
  request->state->mute();
  delete request;
}

void narae_request_cancel(narae_request* request) {
  if (request) request->state->cancel();
}

narae_status narae_request_next(narae_request* request, narae_piece* piece, int32_t* got, narae_error** error) {
  return guarded(error, [&] {
    RequestState& state = *wanted(request, "request").state;
    wanted(got, "got");
    *got = state.next(wanted(piece, "piece")) ? 1 : 0;
  });
}

narae_status narae_request_wait(narae_request* request, narae_error** error) {
  return guarded(error, [&] { wanted(request, "request").state->wait(); });
}

narae_status narae_request_answer(const narae_request* request, int32_t branch, narae_answer* answer,
                                  narae_error** error) {
  return guarded(error, [&] { give(answer, wanted(request, "request").state->answer(branch)); });
}

narae_status narae_request_get_stats(const narae_request* request, narae_request_stats* stats, narae_error** error) {
  return guarded(error, [&] { give(stats, wanted(request, "request").state->stats()); });
}

}  // extern "C"
