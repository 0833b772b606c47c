// SPDX-License-Identifier: Apache-2.0
// TokenBatcher: how requests come and go. Every request gets exactly one ending, every branch exactly one end.
#include <algorithm>
#include <utility>

#include "llm/prompt.h"
#include "llm/token_batcher.h"

namespace narae {

TokenBatcher::TokenBatcher(TokenBatchOptions options)
    : options_(std::move(options)),
      cache_(options_.groups, options_.prefix_cache),
      slots_(options_.slots ? options_.slots : 2 * options_.max_batch + 1) {
  if (options_.vocabulary < 1) fail(ErrorCode::usage, "vocabulary is {}; it has at least 1 token", options_.vocabulary);
  if (options_.context < 2) fail(ErrorCode::usage, "context is {}; at least 2 tokens are needed", options_.context);
  if (options_.max_batch < 1) fail(ErrorCode::usage, "max_batch is {}; it must be at least 1", options_.max_batch);
  if (options_.step_tokens <= options_.max_batch) {
    fail(ErrorCode::usage, "step_tokens is {}; it must be above max_batch = {}", options_.step_tokens,
         options_.max_batch);
  }
  if (slots_ <= options_.max_batch) {
    fail(ErrorCode::usage, "slots is {}; a batch of {} needs {}", slots_, options_.max_batch, options_.max_batch + 1);
  }
  if (!(options_.admission >= 0 && options_.admission <= 1)) {
    fail(ErrorCode::usage, "admission is {}; it is a share, between 0 and 1", options_.admission);
  }
  if (options_.max_branches < 1 || options_.max_branches > 64) {
    fail(ErrorCode::usage, "max_branches is {}; it must be between 1 and 64", options_.max_branches);
  }
  for (int32_t slot = slots_ - 1; slot > 0; --slot) free_slots_.push_back(slot);
  stats_.pages_total = cache_.group(0).usable();
}

TokenBatcher::~TokenBatcher() = default;

size_t TokenBatcher::wants() const {
  size_t running = 0;
  for (const TokenSequence* sequence : live_) running += sequence->holds == 0;
  const auto most = static_cast<size_t>(options_.max_batch);
  return running < most && live_.size() < 4 * most ? most - running : 0;
}

void TokenBatcher::admit(Arrivals& arrivals, Time now) {
  for (const RequestPtr& request : arrivals.requests) {
    try {
      add(request, now);
    } catch (const Error& error) {
      end_request(*request, Finish::failed, now, error);
    }
  }
  for (const Lifted& lifted : arrivals.lifted) {
    for (TokenSequence* sequence : live_) {
      if (sequence->request == lifted.request) lift(*sequence, lifted.holds, now);
    }
  }
  arrivals.requests.clear();
  arrivals.lifted.clear();
  if (!arrivals.stop) return;
  for (const auto& ask : asks_) ask->request->cancelled = true;
}

void TokenBatcher::check(const Request& request, const SamplingParams& params) const {
  check_sampling(params, options_.vocabulary, options_.max_branches);
  check_prompt(request.in.tokens, options_.vocabulary, options_.context);
  const auto prompt = static_cast<int64_t>(request.in.tokens.size());
  if (prompt >= cache_.most_tokens()) {
    fail(ErrorCode::does_not_fit,
         "the prompt has {} tokens, all KV pages together hold {}; shorten it or give more pages", prompt,
         cache_.most_tokens());
  }
}

void TokenBatcher::add(const RequestPtr& request, Time now) {
  const auto* params = dynamic_cast<const SamplingParams*>(request->params.get());
  if (!params) fail(ErrorCode::usage, "a token request needs sampling parameters");
  check(*request, *params);
  asks_.push_back(std::make_unique<TokenAsk>());
  TokenAsk& ask = *asks_.back();
  ask.request = request;
  ask.params = params;
  ask.open = params->n;
  for (int32_t branch = 0; branch < params->n; ++branch) {
    TokenSequence& sequence = make_sequence(ask, branch, now);
    ask.branches.push_back(&sequence);
    live_.push_back(&sequence);
    // The others find the pages of the prompt once the first has computed them.
    const bool shares = branch > 0 && options_.prefix_cache && sequence.prompt > cache_.page_size();
    sequence.holds = 0;
    hold(sequence, request->holds | (shares ? hold_prompt : 0), now);
  }
}

TokenSequence& TokenBatcher::make_sequence(TokenAsk& ask, int32_t branch, Time now) {
  if (free_sequences_.empty()) {
    sequences_.push_back(std::make_unique<TokenSequence>());
    free_sequences_.push_back(sequences_.back().get());
  }
  TokenSequence& sequence = *free_sequences_.back();
  free_sequences_.pop_back();
  const Request& request = *ask.request;
  sequence.request = ask.request;
  sequence.ask = &ask;
  sequence.branch = branch;
  sequence.tokens = request.in.tokens;
  sequence.prompt = sequence.known = static_cast<int64_t>(request.in.tokens.size());
  const int64_t most = std::min(options_.context, cache_.most_tokens());
  sequence.limit = std::min(most, ask.params->max_tokens > most ? most : sequence.prompt + ask.params->max_tokens);
  sequence.tokens.reserve(static_cast<size_t>(sequence.limit));
  sequence.settled = sequence.bound = sequence.promised = 0;
  sequence.slot = 0;
  sequence.in_flight = 0;
  sequence.last_step = sequence.last_sample = 0;
  sequence.age = ++next_age_;
  sequence.life = 0;
  sequence.admitted = sequence.ended = sequence.swept = false;
  sequence.chainable = options_.late_inputs || !ask.params->needs_history();
  sequence.root = {options_.weights, request.adapter, request.salt};
  sequence.changes.start(*ask.params, request.in.tokens);
  return sequence;
}

void TokenBatcher::hold(TokenSequence& sequence, HoldBits bits, Time now) {
  if (!bits) return;
  if (!sequence.holds) sequence.held_since = now;
  sequence.holds |= bits;
  if (sequence.branch > 1) return;  // it is the same story
  sequence.request->trace->mark(now, "held", bits & hold_sink_full ? "sink full" : bits & hold_prompt ? "prompt" : "");
}

void TokenBatcher::lift(TokenSequence& sequence, HoldBits bits, Time now) {
  if (!(sequence.holds & bits)) return;
  sequence.holds &= ~bits;
  if (sequence.branch <= 1) sequence.request->trace->mark(now, "lifted");
}

void TokenBatcher::release(TokenSequence& sequence) {
  if (!sequence.admitted) return;
  cache_.release(sequence);
  if (sequence.last_step > completed_) {
    slot_limbo_.push_back({sequence.slot, sequence.last_step});
  } else {
    free_slots_.push_back(sequence.slot);
  }
  sequence.slot = 0;
  sequence.admitted = false;
  --admitted_;
}

// `last`: the token that ends it, on a reserved place.
void TokenBatcher::end_branch(TokenSequence& sequence, Finish finish, Time now, const Piece* last) {
  NARAE_CHECK(!sequence.ended);
  TokenAsk& ask = *sequence.ask;
  Sink& sink = *sequence.request->out;
  if (last) {
    sink.push(*last);
  } else {
    sink.push_end({sequence.branch, -1, 0, finish});
  }
  for (int64_t i = 0; i < sequence.promised; ++i) sink.unreserve();
  release(sequence);
  sequence.ended = ended_some_ = true;
  --ask.open;
  if (sequence.branch == 0) {
    for (TokenSequence* sibling : ask.branches) lift(*sibling, hold_prompt, now);
  }
}

void TokenBatcher::close_ask(TokenAsk& ask, Finish finish, Time now, std::optional<Error> error) {
  Ending ending;
  ending.finish = finish;
  ending.error = std::move(error);
  ending.prompt_tokens = static_cast<int64_t>(ask.request->in.tokens.size());
  ending.cached_tokens = ask.cached;
  ending.new_tokens = ask.answered;
  ending.preemptions = ask.preemptions;
  ask.request->trace->mark_end(now, finish_name(finish));
  ask.request->out->end(std::move(ending));
  ask.request->out->flush();
}

void TokenBatcher::end_ask(TokenAsk& ask, Finish finish, Time now, std::optional<Error> error) {
  if (ask.open == 0) return;
  for (TokenSequence* sequence : ask.branches) {
    if (!sequence->ended) end_branch(*sequence, finish, now);
  }
  close_ask(ask, finish, now, std::move(error));
}

// Cancelled, late, or with a reader who does not read.
void TokenBatcher::end_unwanted(Time now) {
  for (size_t i = 0; i < live_.size(); ++i) {
    TokenSequence& sequence = *live_[i];
    if (sequence.ended) continue;
    const Request& request = *sequence.request;
    if (request.cancelled.load(std::memory_order_relaxed)) {
      end_ask(*sequence.ask, Finish::cancelled, now);
    } else if (request.stopped.load(std::memory_order_relaxed) >> sequence.branch & 1) {
      end_branch(sequence, Finish::stop, now);
      if (sequence.ask->open == 0) close_ask(*sequence.ask, Finish::stop, now, std::nullopt);
    } else if (request.deadline <= now) {
      end_ask(*sequence.ask, Finish::expired, now,
              Error(ErrorCode::failed, "the deadline passed before the answer ended"));
    } else if ((sequence.holds & hold_sink_full) && sequence.held_since + options_.patience <= now) {
      end_ask(*sequence.ask, Finish::expired, now,
              Error(ErrorCode::failed, fmt::format("the answer was not read for {} s", options_.patience / 1'000'000)));
    }
  }
  sweep();
}

Time TokenBatcher::wake() const {
  Time soonest = never;
  for (const TokenSequence* sequence : live_) {
    soonest = std::min(soonest, sequence->request->deadline);
    if (sequence->holds & hold_sink_full) soonest = std::min(soonest, sequence->held_since + options_.patience);
  }
  return soonest;
}

void TokenBatcher::recycle(TokenSequence& sequence) {
  TokenAsk& ask = *sequence.ask;
  std::erase(ask.branches, &sequence);
  sequence.request = nullptr;
  sequence.ask = nullptr;
  free_sequences_.push_back(&sequence);
  if (ask.branches.empty()) std::erase_if(closed_asks_, [&](const auto& one) { return one.get() == &ask; });
}

// Ended sequences leave the list; those that a step in flight names are used again when it completes.
void TokenBatcher::sweep() {
  if (!std::exchange(ended_some_, false)) return;
  for (size_t i = 0; i < asks_.size();) {
    if (asks_[i]->open > 0) {
      ++i;
      continue;
    }
    closed_asks_.push_back(std::move(asks_[i]));
    asks_.erase(asks_.begin() + static_cast<ptrdiff_t>(i));
  }
  size_t kept = 0;
  for (TokenSequence* sequence : live_) {
    if (!sequence->ended) {
      live_[kept++] = sequence;
    } else if (sequence->in_flight == 0) {
      recycle(*sequence);
    } else {
      sequence->swept = true;
    }
  }
  live_.resize(kept);
}

}  // namespace narae
