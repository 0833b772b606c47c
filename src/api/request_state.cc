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
      sent_(executor_->now()) {
  const int32_t branches = dynamic_cast<const SamplingParams&>(*request_->params).n;
  for (int32_t i = 0; i < branches; ++i) {
    branches_.push_back({TextStream(*executor_->model().tokenizer, asked.stops), {}, {}, Finish::none});
  }
}

void RequestState::mute() {
  const std::lock_guard<std::recursive_mutex> lock(calling_);
  call_ = nullptr;
}

void RequestState::add(const Piece& piece) {
  Branch& branch = branches_.at(static_cast<size_t>(piece.branch));
  if (branch.finish != Finish::none) return;  // behind a stop text
  const size_t before = branch.text.size();
  const bool goes_on = branch.stream.push(piece, branch.text);
  if (piece.token >= 0) branch.logprobs.push_back(piece.logprob);
  branch.finish = branch.stream.finish();
  if (!goes_on && piece.finish == Finish::none) executor_->stop_branch(request_, piece.branch);
  last_ = executor_->now();
  if (!first_) first_ = last_;
  events_.push_back({piece, branch.text.substr(before)});
  events_.back().piece.finish = branch.finish;
}

// Branches that nobody ended go the way of the request.
void RequestState::add_ends() {
  const Ending& ending = request_->out->ending();
  if (ending.error && !error_) {
    error_ = std::make_unique<narae_error>(
        narae_error{static_cast<narae_status>(static_cast<int>(ending.error->code())), *ending.error});
  }
  for (size_t i = 0; i < branches_.size(); ++i) {
    if (branches_[i].finish != Finish::none) continue;
    Piece piece;
    piece.branch = static_cast<int32_t>(i);
    piece.finish = ending.finish;
    add(piece);
  }
}

bool RequestState::take() {
  while (events_.empty()) {
    if (ended_) return false;
    Piece piece;
    if (request_->out->read({&piece, 1})) {
      if (piece.finish == Finish::failed || piece.finish == Finish::expired) continue;  // told with its error
      add(piece);
      continue;
    }
    if (!request_->out->finished()) return false;
    add_ends();
    if (!events_.empty()) break;
    last_ = std::max(last_, executor_->now());
    const std::lock_guard<std::mutex> lock(end_mutex_);
    ended_ = true;
    end_bell_.notify_all();
    return false;
  }
  current_ = std::move(events_.front());
  events_.pop_front();
  return true;
}

narae_piece RequestState::view() const {
  narae_piece c = NARAE_PIECE_INIT;
  const Piece& piece = current_.piece;
  c.text = current_.text.c_str();
  c.text_bytes = current_.text.size();
  if (piece.finish == Finish::failed || piece.finish == Finish::expired) c.error = error_.get();
  c.branch = piece.branch;
  c.token = piece.token;
  c.logprob = piece.logprob;
  c.finish = to_c(piece.finish);
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
  if (index < 0 || static_cast<size_t>(index) >= branches_.size()) {
    fail(ErrorCode::usage, "there is no branch {}: the request has {}", index, branches_.size());
  }
  const Branch& branch = branches_[static_cast<size_t>(index)];
  narae_answer c = NARAE_ANSWER_INIT;
  c.text = branch.text.c_str();
  c.text_bytes = branch.text.size();
  c.tokens = branch.stream.ids().data();
  c.logprobs = branch.logprobs.data();
  c.token_count = branch.stream.ids().size();
  c.finish = to_c(branch.finish);
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
