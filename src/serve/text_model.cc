// SPDX-License-Identifier: Apache-2.0
#include "serve/text_model.h"

#include <algorithm>

#include "base/error.h"

namespace narae {
namespace {

constexpr size_t usual_unread = 256;  // tokens that may wait for their reader

}  // namespace

TextModel::TextModel(std::string name, std::string version, LanguageModel model, Runtime& runtime, int instances,
                     const ExecutorOptions& options)
    : Model(std::move(name), std::move(version)),
      executor_(std::move(model), runtime.devices(instances), &runtime.budget(), options),
      max_queue_(options.queue.max_requests) {}

RequestPtr TextModel::make_request(TextCall call) const {
  executor_.check(call.prompt, call.params);
  auto request = std::make_shared<Request>();
  request->name = std::move(call.id);
  request->priority = std::clamp(call.priority, -100, 100);
  request->salt = call.salt;
  if (call.timeout > 0) request->deadline = executor_.now() + call.timeout;
  request->in.tokens = std::move(call.prompt);
  if (!call.ignore_eos) {
    call.params.stop_ids.insert(call.params.stop_ids.end(), model().stop_ids.begin(), model().stop_ids.end());
  }
  const auto branches = static_cast<size_t>(call.params.n);
  request->out = std::make_shared<Sink>(std::max(usual_unread, 16 * branches), branches);
  request->params = std::make_shared<SamplingParams>(std::move(call.params));
  return request;
}

Refusal TextModel::submit(const RequestPtr& request, std::function<void()> on_news) {
  request->out->on_news(std::move(on_news));
  const Refusal refusal = executor_.enqueue(request);
  if (refusal != Refusal::none) {
    request->out->on_news(nullptr);
    statistics().rejected.fetch_add(1, std::memory_order_relaxed);
  }
  return refusal;
}

void TextModel::account(const Request& request, int64_t parse_ns) {
  count_request(statistics(), request, 1, parse_ns, 0);
  const Ending& ending = request.out->ending();
  const RequestTimes times = times_of(*request.trace);
  text_statistics_.prompt_tokens.fetch_add(static_cast<uint64_t>(ending.prompt_tokens), std::memory_order_relaxed);
  text_statistics_.cached_tokens.fetch_add(static_cast<uint64_t>(ending.cached_tokens), std::memory_order_relaxed);
  text_statistics_.new_tokens.fetch_add(static_cast<uint64_t>(ending.new_tokens), std::memory_order_relaxed);
  if (!times.first_token) return;
  const auto ms = [](Time time) { return static_cast<double>(time) * 1e-3; };
  text_statistics_.first_token_ms.add(ms(times.first_token - times.queued));
  const int64_t branches = dynamic_cast<const SamplingParams&>(*request.params).n;
  const int64_t gaps = ending.new_tokens / branches - 1;
  if (gaps > 0) text_statistics_.inter_token_ms.add(ms(times.ended - times.first_token) / static_cast<double>(gaps));
}

}  // namespace narae
