// SPDX-License-Identifier: Apache-2.0
// The reader's side of a request: tokens of its branches to pieces, and what became of it.
#include "api/executor_state.h"
#include "llm/sampling_params.h"

namespace narae::api {
namespace {

narae_finish to_c(Finish finish) {
  switch (finish) {
    case Finish::none: return NARAE_FINISH_NONE;
    case Finish::done:
    case Finish::stop: return NARAE_FINISH_STOP;
    case Finish::length: return NARAE_FINISH_LENGTH;
    case Finish::cancelled: return NARAE_FINISH_CANCELLED;
    case Finish::expired: return NARAE_FINISH_EXPIRED;
    case Finish::failed: return NARAE_FINISH_FAILED;
  }
  return NARAE_FINISH_FAILED;
}

}  // namespace

RequestState::RequestState(std::shared_ptr<ExecutorState> executor, Asked asked)
    : executor_(std::move(executor)),
      request_(std::move(asked.request)),
      calls_back_(asked.call != nullptr),
      call_(asked.call),
      user_(asked.user),
      reader_(*executor_->model().tokenizer, request_, asked.stops,
              [this](int32_t branch) { executor_->stop_branch(request_, branch); }),
      tops_(reader_.branches().size()),
      sent_(executor_->now()) {}

void RequestState::mute() {
  const std::lock_guard<std::recursive_mutex> lock(calling_);
  call_ = nullptr;
}

bool RequestState::take() {
  if (ended_) return false;
  if (reader_.next(current_)) {
    last_ = executor_->now();
    auto& tops = tops_[static_cast<size_t>(current_.branch)];
    for (const TokenLogprob& one : current_.top) tops.push_back({one.token, one.logprob});
    if (!first_) first_ = last_;
    if (current_.finish == Finish::failed || current_.finish == Finish::expired) keep_error();
    return true;
  }
  if (!reader_.ended()) return false;
  keep_error();
  last_ = std::max(last_, executor_->now());
  const std::lock_guard<std::mutex> lock(end_mutex_);
  ended_ = true;
  end_bell_.notify_all();
  return false;
}

void RequestState::keep_error() {
  const Ending& ending = request_->out->ending();
  if (error_ || !ending.error) return;
  error_ = std::make_unique<narae_error>(
      narae_error{static_cast<narae_status>(static_cast<int>(ending.error->code())), *ending.error});
}

narae_piece RequestState::view() const {
  narae_piece c = NARAE_PIECE_INIT;
  c.text = current_.text.c_str();
  c.text_bytes = current_.text.size();
  if (current_.finish == Finish::failed || current_.finish == Finish::expired) c.error = error_.get();
  c.branch = current_.branch;
  c.token = current_.token;
  c.logprob = current_.logprob;
  c.finish = to_c(current_.finish);
  c.top_count = current_.top.size();
  const std::vector<narae_token_logprob>& tops = tops_[static_cast<size_t>(current_.branch)];
  if (c.top_count > 0) c.top = tops.data() + (tops.size() - c.top_count);
  return c;
}

bool RequestState::deliver() {
  while (take()) {
    const std::lock_guard<std::recursive_mutex> lock(calling_);
    const narae_piece piece = view();
    if (call_ && call_(user_, &piece) != 0) cancel();
  }
  return ended_;
}

bool RequestState::next(narae_piece& piece) {
  if (calls_back_) fail(ErrorCode::usage, "the request has a callback, which hears of every piece");
  const std::lock_guard<std::mutex> lock(reading_);
  while (!take()) {
    if (ended_) return false;
    request_->out->wait();
  }
  give(&piece, view());
  return true;
}

void RequestState::wait() {
  if (calls_back_) {
    if (executor_->on_reader_thread()) fail(ErrorCode::usage, "a callback cannot wait for the end of a request");
    std::unique_lock<std::mutex> lock(end_mutex_);
    end_bell_.wait(lock, [&] { return ended_.load(); });
  } else {
    const std::lock_guard<std::mutex> lock(reading_);
    while (!ended_) {
      if (!take() && !ended_) request_->out->wait();
    }
  }
  if (error_) throw error_->what;
  if (request_->out->ending().finish == Finish::cancelled) {
    throw Cancelled{Error(ErrorCode::failed, "the request was cancelled")};
  }
}

void RequestState::require_end() const {
  if (!ended_) fail(ErrorCode::usage, "the request has not ended; narae_request_wait waits for that");
}

narae_answer RequestState::answer(int32_t index) const {
  require_end();
  if (index < 0 || static_cast<size_t>(index) >= reader_.branches().size()) {
    fail(ErrorCode::usage, "there is no branch {}: the request has {}", index, reader_.branches().size());
  }
  const AnswerReader::Branch& branch = reader_.branches()[static_cast<size_t>(index)];
  narae_answer c = NARAE_ANSWER_INIT;
  c.text = branch.text.c_str();
  c.text_bytes = branch.text.size();
  c.tokens = branch.stream.ids().data();
  c.logprobs = branch.logprobs.data();
  c.token_count = branch.stream.ids().size();
  c.finish = to_c(branch.finish);
  const std::vector<narae_token_logprob>& tops = tops_[static_cast<size_t>(index)];
  c.top = tops.data();
  c.top_count = c.token_count > 0 ? tops.size() / c.token_count : 0;
  return c;
}

narae_request_stats RequestState::stats() const {
  require_end();
  const Ending& ending = request_->out->ending();
  narae_request_stats c = NARAE_REQUEST_STATS_INIT;
  if (ending.new_tokens > 0) c.first_token_ms = static_cast<double>(first_ - sent_) * 1e-3;
  c.total_ms = static_cast<double>(last_ - sent_) * 1e-3;
  c.prompt_tokens = static_cast<int64_t>(request_->in.tokens.size());
  c.cached_tokens = ending.cached_tokens;
  c.new_tokens = ending.new_tokens;
  c.preemptions = ending.preemptions;
  return c;
}

}  // namespace narae::api
