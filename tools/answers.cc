// SPDX-License-Identifier: Apache-2.0
#include "answers.h"

#include "base/error.h"

namespace narae {

std::unique_ptr<Ask> Answers::ask(std::vector<int32_t> ids, const SamplingParams& params,
                                  std::function<void(std::string_view)> show) {
  auto ask = std::make_unique<Ask>();
  ask->request = std::make_shared<Request>();
  ask->request->in.tokens = std::move(ids);
  ask->request->params = std::make_shared<SamplingParams>(params);
  ask->request->out->on_news([this] { ring(); });
  ask->stream = std::make_unique<TextStream>(*executor_.model().tokenizer, stops_);
  ask->show = std::move(show);
  ask->sent = executor_.now();
  if (executor_.enqueue(ask->request) != Refusal::none) fail(ErrorCode::failed, "the queue is full");
  open_.push_back(ask.get());
  return ask;
}

Ask& Answers::next() {
  NARAE_CHECK(!open_.empty());
  for (;;) {
    for (size_t i = 0; i < open_.size(); ++i) {
      Ask& ask = *open_[i];
      read(ask);
      if (!ask.request->out->finished()) continue;
      open_.erase(open_.begin() + static_cast<ptrdiff_t>(i));
      return ask;
    }
    std::unique_lock<std::mutex> lock(mutex_);
    bell_.wait(lock, [&] { return news_; });
    news_ = false;
  }
}

void Answers::ring() {
  const std::lock_guard<std::mutex> lock(mutex_);
  news_ = true;
  bell_.notify_one();
}

void Answers::read(Ask& ask) {
  Piece pieces[64];
  while (const size_t count = ask.request->out->read(pieces)) {
    ask.last = executor_.now();
    if (!ask.first) ask.first = ask.last;
    const size_t before = ask.text.size();
    for (size_t i = 0; i < count; ++i) {
      if (!ask.stream->push(pieces[i], ask.text)) executor_.cancel(ask.request);
    }
    if (ask.show) ask.show(std::string_view(ask.text).substr(before));
  }
}

nlohmann::ordered_json result_of(const Ask& ask) {
  const Ending& ending = ask.request->out->ending();
  const Finish finish = ask.stream->stopped() ? Finish::stop : ending.finish;
  if (finish == Finish::failed || finish == Finish::cancelled || finish == Finish::expired) {
    throw ending.error ? *ending.error : Error(ErrorCode::failed, "the request was cancelled");
  }
  const auto tokens = static_cast<double>(ask.stream->ids().size());
  const double seconds = static_cast<double>(ask.last - ask.first) * 1e-6;
  return {{"id", ask.id},
          {"prompt_ids", ask.request->in.tokens},
          {"ids", ask.stream->ids()},
          {"text", ask.text},
          {"finish_reason", ask.stream->finish() == Finish::stop ? "stop" : "length"},
          {"first_token_ms", static_cast<double>(ask.first - ask.sent) * 1e-3},
          {"decode_tokens_per_s", tokens > 1 && seconds > 0 ? (tokens - 1) / seconds : 0.0},
          {"cached_tokens", ending.cached_tokens},
          {"preemptions", ending.preemptions}};
}

}  // namespace narae
