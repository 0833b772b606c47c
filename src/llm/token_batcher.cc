// SPDX-License-Identifier: Apache-2.0
// TokenBatcher: what the next step computes, and what came of it.
#include "llm/token_batcher.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace narae {
namespace {

// Of row `row` of the results top_tokens and top_logprobs, the first `count`.
std::vector<TokenLogprob> top_of(const Step& step, int32_t row, int32_t count) {
  const Tensor &tokens = step.out.at(2), &logprobs = step.out.at(3);
  std::vector<TokenLogprob> top(static_cast<size_t>(std::min<int64_t>(count, tokens.dims[1])));
  const int64_t first = row * tokens.dims[1];
  for (size_t i = 0; i < top.size(); ++i) {
    const int64_t at = first + static_cast<int64_t>(i);
    top[i] = {static_cast<int32_t>(tokens.as<int64_t>()[at]), logprobs.as<float>()[at]};
  }
  return top;
}

}  // namespace

bool TokenBatcher::runnable(const TokenSequence& sequence) const {
  if (sequence.ended || sequence.holds || sequence.pending() <= 0) return false;
  // A preempted sequence begins again when its last token is known; others may chain.
  return sequence.in_flight == 0 || (sequence.admitted && sequence.chainable);
}

Step* TokenBatcher::next(Time now) {
  end_unwanted(now);
  show_state();  // no step may follow
  if (live_.empty()) return nullptr;
  TokenStep& step = make_step();
  plan(step, now);
  sweep();
  if (step.rows.empty()) {
    free_steps_.push_back(&step);
    return nullptr;
  }
  last_id_ = step.id;
  step.flat.show_begin(step.block.begin);
  step.begun = now;
  stats_.steps.fetch_add(1, std::memory_order_relaxed);
  stats_.computed.fetch_add(step.flat.tokens(), std::memory_order_relaxed);
  return &step;
}

TokenBatcher::TokenStep& TokenBatcher::make_step() {
  if (free_steps_.empty()) {
    const BlockSizes sizes{options_.vocabulary, cache_.page_size(), cache_.pages_for(options_.context),
                           options_.step_tokens};
    steps_.push_back(std::make_unique<TokenStep>(sizes));
    free_steps_.push_back(steps_.back().get());
  }
  TokenStep& step = *free_steps_.back();
  free_steps_.pop_back();
  step.id = last_id_ + 1;
  step.after = 0;
  step.finished = false;
  step.error = nullptr;
  step.rows.clear();
  step.moves.clear();
  step.out.clear();
  step.flat.clear();
  return step;
}

int64_t TokenBatcher::row_budget() const {
  const Time turn = turn_.load(std::memory_order_relaxed);
  if (turn == 0 || token_us_ == 0) return options_.step_tokens;
  const auto rows = static_cast<int64_t>(static_cast<double>(turn) / token_us_);
  int64_t budget = options_.max_batch + 1;  // the oldest prompt goes on in any case
  while (budget < options_.step_tokens && bucket_size(budget + 1) <= rows) budget = bucket_size(budget + 1);
  return std::min<int64_t>(budget, options_.step_tokens);
}

void TokenBatcher::plan(TokenStep& step, Time now) {
  // Those with one token to go are kept a row each of the budget: a long prompt does not stop them.
  int64_t singles = 0;
  for (const TokenSequence* sequence : live_) {
    singles += sequence->admitted && sequence->pending() == 1 && runnable(*sequence);
  }
  int64_t budget = row_budget();
  bool oldest = true, blocked = false;
  for (size_t i = 0; i < live_.size() && budget > 0; ++i) {
    TokenSequence& sequence = *live_[i];
    if (sequence.ended || sequence.holds) continue;
    const bool first = std::exchange(oldest, false);
    if (!runnable(sequence)) continue;
    const bool single = sequence.admitted && sequence.pending() == 1;
    singles -= single;
    const bool waits = !sequence.admitted;
    const int64_t before = step.flat.tokens(), share = single ? 1 : budget - std::max<int64_t>(singles, 0);
    // In turn: nobody is admitted past one that waits for a place.
    if (share > 0 && !(waits && blocked) && !schedule(sequence, step, share, first, now)) {
      const bool gone = sequence.holds || sequence.ended;  // it waits for nothing of ours any more
      oldest |= first && gone;
      blocked |= waits && !gone;
    }
    budget -= step.flat.tokens() - before;
  }
}

// Adds a row if there is room; false: none for now.
bool TokenBatcher::schedule(TokenSequence& sequence, TokenStep& step, int64_t budget, bool oldest, Time now) {
  Sink& sink = *sequence.request->out;
  // The place of its token comes first: nothing is undone then, when there is none.
  if (!sink.reserve()) {
    hold(sequence, hold_sink_full, now);
    return false;
  }
  const bool fresh = !sequence.admitted;
  if (fresh && !admit_sequence(sequence, step, oldest, now)) {
    sink.unreserve();
    return false;
  }
  const int64_t until = sequence.bound + std::min(sequence.pending(), budget);
  const int64_t reach = make_room(sequence, until, now);
  if (reach <= sequence.bound) {
    sink.unreserve();
    if (fresh) release(sequence);
    const bool alone = admitted_ == (sequence.admitted ? 1 : 0) && step.rows.empty() && last_id_ == completed_;
    if (oldest && alone) {  // nothing will change by itself
      end_ask(*sequence.ask, Finish::failed, now,
              Error(ErrorCode::does_not_fit,
                    fmt::format("{} tokens need {} KV pages, there are {}; give more pages or ask for less",
                                sequence.known + sequence.promised,
                                cache_.pages_for(sequence.known + sequence.promised), cache_.group(0).usable())));
    }
    return false;
  }
  const bool samples = reach == sequence.known + sequence.promised;
  if (!samples) sink.unreserve();
  if (fresh) {
    sequence.request->trace->mark(now, "scheduled");
    if (sequence.life == 0) {
      if (sequence.branch == 0) sequence.ask->cached += sequence.bound;  // of the prompt, which they share
      stats_.cached.fetch_add(sequence.bound, std::memory_order_relaxed);
    }
  }
  add_row(sequence, step, reach - sequence.bound, samples);
  return true;
}

void TokenBatcher::add_row(TokenSequence& sequence, TokenStep& step, int64_t count, bool samples) {
  Row row;
  row.sequence = &sequence;
  row.first = sequence.bound;
  row.count = static_cast<int32_t>(count);
  row.want = samples ? Want::last : Want::none;
  row.life = sequence.life;
  step.flat.add(sequence, row.first, count);
  if (samples) {
    row.output = step.flat.want();
    const bool history = sequence.promised > 0 && sequence.ask->params->needs_history();
    if (history) step.after = std::max(step.after, sequence.last_sample);
    sequence.last_sample = step.id;
    ++sequence.promised;
  }
  sequence.bound += count;
  sequence.last_step = step.id;
  ++sequence.in_flight;
  step.rows.push_back(row);
}

// A slot and the cached part of its prefix, or nothing.
bool TokenBatcher::admit_sequence(TokenSequence& sequence, TokenStep& step, bool oldest, Time now) {
  if (!oldest && !fits(sequence)) return false;
  if (!take_place(sequence, now)) return false;
  sequence.admitted = true;
  ++admitted_;
  sequence.slot = free_slots_.back();
  free_slots_.pop_back();
  cache_.start(sequence, step.id, step.moves);
  return true;
}

// Whether there are pages enough for it beside what the older ones may still need.
bool TokenBatcher::fits(const TokenSequence& sequence) {
  const auto target = [&](const TokenSequence& one) {
    const auto rest = static_cast<double>(one.limit - one.known);
    const auto reserved = static_cast<int64_t>(std::ceil(options_.admission * rest));
    return cache_.pages_for(std::min(one.limit, one.known + std::max<int64_t>(reserved, 1)));
  };
  const int64_t cached = cache_.cached_pages(sequence);
  for (size_t g = 0; g < cache_.groups(); ++g) {
    const PageGroup& group = cache_.group(g);
    // Cached pages may be idle ones, which are counted as to be had.
    int64_t have = group.free() + group.idle() + group.coming(), need = target(sequence) - cached;
    have -= std::min<int64_t>(cached, group.idle());
    for (const TokenSequence* other : live_) {
      if (!other->admitted) continue;
      const auto held = static_cast<int64_t>(other->pages[g].size());
      if (other->age < sequence.age) {
        need += std::max<int64_t>(0, target(*other) - held);
      } else {
        for (const int32_t page : other->pages[g]) have += group.references(page) == 1;
      }
    }
    if (need > have) return false;
  }
  return true;
}

// A free slot and a place in the batch.
bool TokenBatcher::take_place(TokenSequence& sequence, Time now) {
  while (admitted_ >= options_.max_batch) {
    TokenSequence* victim = victim_for(sequence);
    if (!victim) return false;
    preempt(*victim, now);
  }
  return !free_slots_.empty();
}

// Pages up to `until`, or for a part of it; returns how far they reach.
int64_t TokenBatcher::make_room(TokenSequence& sequence, int64_t until, Time now) {
  for (;;) {
    const int64_t reach = cache_.reserve(sequence, until);
    if (reach > sequence.bound) return reach;
    // Pages that steps in flight give back are waited for before more is taken from anyone.
    bool coming = last_id_ > completed_;
    for (size_t g = 0; g < cache_.groups(); ++g) {
      const PageGroup& group = cache_.group(g);
      const auto lacking = cache_.pages_for(sequence.bound + 1) - static_cast<int64_t>(sequence.pages[g].size());
      coming &= group.coming() + group.idle() >= lacking;
    }
    if (coming) return reach;
    TokenSequence* victim = victim_for(sequence);
    if (!victim) return reach;
    preempt(*victim, now);
  }
}

// Whose pages and place it may take: a held sequence's, else the youngest's that is younger than itself.
TokenSequence* TokenBatcher::victim_for(const TokenSequence& sequence) {
  for (size_t i = live_.size(); i-- > 0;) {
    if (live_[i]->admitted && live_[i]->holds && live_[i] != &sequence) return live_[i];
  }
  for (size_t i = live_.size(); i-- > 0 && live_[i]->age > sequence.age;) {
    if (live_[i]->admitted) return live_[i];
  }
  return nullptr;
}

void TokenBatcher::preempt(TokenSequence& sequence, Time now) {
  release(sequence);
  ++sequence.life;
  ++sequence.ask->preemptions;
  stats_.preemptions.fetch_add(1, std::memory_order_relaxed);
  sequence.request->trace->mark(now, "preempted", sequence.holds ? "held" : "pages");
}

void TokenBatcher::resize(int32_t pages) {
  for (size_t g = 0; g < cache_.groups(); ++g) {
    for (TokenSequence* sequence : live_) {
      if (!sequence->admitted) continue;
      const std::vector<int32_t>& own = sequence->pages[g];
      if (std::any_of(own.begin(), own.end(), [&](int32_t page) { return page >= pages; })) preempt(*sequence, 0);
    }
    cache_.group(g).resize(pages);
  }
  stats_.pages_total = cache_.group(0).usable();
}

int64_t TokenBatcher::pages_in_use() const {
  int64_t pages = 0;
  for (size_t g = 0; g < cache_.groups(); ++g) {
    const PageGroup& group = cache_.group(g);
    pages += group.usable() - group.free() - group.idle();
  }
  return pages;
}

void TokenBatcher::audit() const {
  int32_t admitted = 0;
  for (const TokenSequence* sequence : live_) {
    NARAE_CHECK(!sequence->ended && static_cast<size_t>(sequence->known) == sequence->tokens.size());
    NARAE_CHECK(sequence->settled <= sequence->bound && sequence->bound <= sequence->known + sequence->promised);
    NARAE_CHECK(sequence->promised <= sequence->in_flight && sequence->known <= sequence->limit);
    NARAE_CHECK((sequence->slot > 0) == sequence->admitted);
    admitted += sequence->admitted;
    for (const std::vector<int32_t>& pages : sequence->pages) {
      NARAE_CHECK(sequence->admitted || pages.empty());
      NARAE_CHECK(static_cast<int64_t>(pages.size()) >= cache_.pages_for(sequence->bound));
    }
  }
  NARAE_CHECK(admitted == admitted_ && admitted <= options_.max_batch);
  NARAE_CHECK(free_slots_.size() + slot_limbo_.size() + static_cast<size_t>(admitted) + 1 ==
              static_cast<size_t>(slots_));
  for (size_t g = 0; g < cache_.groups(); ++g) {
    std::vector<int32_t> references(static_cast<size_t>(options_.groups[g].pages), 0);
    for (const TokenSequence* sequence : live_) {
      if (!sequence->admitted) continue;
      for (const int32_t page : sequence->pages[g]) ++references[static_cast<size_t>(page)];
    }
    cache_.group(g).audit(references);
  }
}

void TokenBatcher::late(Step& step) {
  auto& own = static_cast<TokenStep&>(step);
  for (const Row& row : step.rows) {
    const auto& sequence = static_cast<const TokenSequence&>(*row.sequence);
    if (row.want == Want::none) continue;
    const int64_t position = row.first + row.count;
    own.flat.add_sample(sequence, position, position - sequence.prompt < sequence.ask->params->min_tokens);
  }
  own.flat.show_finish(step.block.finish);
}

void TokenBatcher::complete(Step& step, Time now) {
  NARAE_CHECK(step.id == completed_ + 1);
  completed_ = step.id;
  const auto& own = static_cast<TokenStep&>(step);
  if (own.flat.tokens() > options_.max_batch) {
    const double us = static_cast<double>(now - own.begun) / static_cast<double>(own.flat.tokens());
    token_us_ = token_us_ == 0 ? us : 0.75 * token_us_ + 0.25 * us;
  }
  for (const Row& row : step.rows) settle(row, step, now);
  for (const Row& row : step.rows) {
    if (row.sequence->request) row.sequence->request->out->flush();
  }
  cache_.completed(step.id);
  std::erase_if(slot_limbo_, [&](const SlotOnItsWay& one) {
    if (one.last_step > step.id) return false;
    free_slots_.push_back(one.slot);
    return true;
  });
  // Ended before, and not named by a later step.
  for (const Row& row : step.rows) {
    auto& sequence = static_cast<TokenSequence&>(*row.sequence);
    if (sequence.swept && sequence.in_flight == 0) recycle(sequence);
  }
  sweep();
  free_steps_.push_back(static_cast<TokenStep*>(&step));
  show_state();
}

void TokenBatcher::show_state() {
  const PageGroup& group = cache_.group(0);
  stats_.live.store(static_cast<int64_t>(live_.size()), std::memory_order_relaxed);
  stats_.admitted.store(admitted_, std::memory_order_relaxed);
  stats_.pages_idle.store(group.idle(), std::memory_order_relaxed);
  stats_.pages_used.store(group.usable() - group.free() - group.idle(), std::memory_order_relaxed);
}

void TokenBatcher::settle(const Row& row, const Step& step, Time now) {
  auto& sequence = static_cast<TokenSequence&>(*row.sequence);
  --sequence.in_flight;
  if (sequence.ended) return;
  if (step.error) return end_ask(*sequence.ask, Finish::failed, now, error_of(step.error));
  if (row.life == sequence.life) {
    sequence.settled = row.first + row.count;
    cache_.publish(sequence);
    if (sequence.branch == 0 && sequence.settled >= sequence.prompt) {
      for (TokenSequence* sibling : sequence.ask->branches) lift(*sibling, hold_prompt, now);
    }
  }
  if (row.want == Want::none) return;
  const auto output = static_cast<size_t>(row.output);
  const int32_t token = step.out.at(0).as<int32_t>()[output];
  const float logprob = step.out.size() > 1 ? step.out[1].as<float>()[output] : 0;
  if (token < 0 || token >= options_.vocabulary) {
    return end_ask(*sequence.ask, Finish::failed, now,
                   Error(ErrorCode::failed, "no token may come next: the constraint or the biases forbid all"));
  }
  Piece piece{sequence.branch, token, logprob, Finish::none, {}};
  const int32_t top = static_cast<const TokenStep&>(step).flat.top_row(row.output);
  if (top >= 0) piece.top = top_of(step, top, sequence.ask->params->top_logprobs);
  accept(sequence, std::move(piece), now);
}

void TokenBatcher::accept(TokenSequence& sequence, Piece piece, Time now) {
  TokenAsk& ask = *sequence.ask;
  const SamplingParams& params = *ask.params;
  const int32_t token = piece.token;
  --sequence.promised;
  sequence.tokens.push_back(token);
  ++sequence.known;
  sequence.changes.count(token);
  ++ask.answered;
  stats_.sampled.fetch_add(1, std::memory_order_relaxed);
  if (!std::exchange(ask.first_token, true)) ask.request->trace->mark(now, "first token");
  const bool stops = std::find(params.stop_ids.begin(), params.stop_ids.end(), token) != params.stop_ids.end() &&
                     sequence.known - sequence.prompt > params.min_tokens;
  const Finish finish = stops ? Finish::stop : sequence.known >= sequence.limit ? Finish::length : Finish::none;
  piece.finish = finish;
  if (finish == Finish::none) return ask.request->out->push(piece);
  end_branch(sequence, finish, now, &piece);
  if (ask.open == 0) close_ask(ask, finish, now, std::nullopt);
}

}  // namespace narae
