// SPDX-License-Identifier: Apache-2.0
// Decides which tokens of which sequences a step computes. There is no prefill phase and no decode phase: a sequence
// has tokens computed and tokens known, and each step lets the first catch up with the second, oldest sequences first,
// under a budget of token rows. The one thing not to get wrong: the oldest sequence that can run makes progress.
//
// Short of pages it takes back, in this order: idle pages of the prefix index, held sequences, the youngest one; who is
// preempted computes its tokens again later.
#pragma once

#include <atomic>

#include "batch/batcher.h"
#include "llm/kv_cache.h"
#include "llm/token_block.h"

namespace narae {

struct TokenBatchOptions {
  int64_t vocabulary = 0;
  int64_t context = 0;        // tokens of a sequence at most
  int32_t max_batch = 8;      // sequences of a step
  int32_t step_tokens = 512;  // token rows of a step; above max_batch, so that a prompt moves beside full decoding
  int32_t slots = 0;          // with slot 0; 0: twice the batch and one
  std::vector<StateGroup> groups;
  bool prefix_cache = true;
  double admission = 0.5;   // share of the rest of each answer reserved on admission: 1 never preempts, 0 fills up
  bool late_inputs = true;  // what needs the history of a sequence comes late; false: that sequence sits out meanwhile
  Time patience = 30'000'000;  // us that a full Sink may stay full
  int32_t max_branches = 16;
  uint64_t weights = 0;  // revision; part of the root of the prefix index
};

// Read by other threads.
struct TokenStats {
  std::atomic<int64_t> steps{0}, computed{0}, cached{0}, sampled{0}, preemptions{0};
  std::atomic<int64_t> live{0}, admitted{0}, pages_used{0}, pages_idle{0}, pages_total{0};
};

class TokenBatcher final : public Batcher {
 public:
  // Error usage naming the option that cannot be.
  explicit TokenBatcher(TokenBatchOptions options);
  ~TokenBatcher() override;
  size_t wants() const override;
  size_t live() const override { return asks_.size(); }
  void admit(Arrivals& arrivals, Time now) override;
  Step* next(Time now) override;
  Time wake() const override;
  void late(Step& step) override;
  void complete(Step& step, Time now) override;

  // Changes the number of pages of every group (at most those of the options); what lies beyond is preempted.
  void resize(int32_t pages);
  // Prompt chunks are cut so that a step takes about this long (us; 0: only by step_tokens), for the sake of others on
  // the same cores. Any thread.
  void set_turn(Time turn) { turn_ = turn; }
  // Slots that exist, for the per-sequence states.
  int32_t slots() const { return slots_; }
  const TokenBatchOptions& options() const { return options_; }
  const TokenStats& stats() const { return stats_; }
  // For tests: what is there, oldest first, and CHECKs of all that must hold between calls.
  std::span<TokenSequence* const> sequences() const { return live_; }
  int64_t pages_in_use() const;
  void audit() const;

 private:
  struct TokenStep : Step {
    explicit TokenStep(const BlockSizes& sizes) : flat(sizes) {}
    TokenBlock flat;
    Time begun = 0;
  };
  struct SlotOnItsWay {
    int32_t slot;
    uint64_t last_step;
  };

  // Requests.
  void add(const RequestPtr& request, Time now);
  void check(const Request& request, const SamplingParams& params) const;
  TokenSequence& make_sequence(TokenAsk& ask, int32_t branch, Time now);
  void end_branch(TokenSequence& sequence, Finish finish, Time now, const Piece* last = nullptr);
  void end_ask(TokenAsk& ask, Finish finish, Time now, std::optional<Error> error = std::nullopt);
  void close_ask(TokenAsk& ask, Finish finish, Time now, std::optional<Error> error);
  void end_unwanted(Time now);
  void sweep();
  void hold(TokenSequence& sequence, HoldBits bits, Time now);
  void lift(TokenSequence& sequence, HoldBits bits, Time now);

  // Planning.
  bool runnable(const TokenSequence& sequence) const;
  int64_t row_budget() const;
  void plan(TokenStep& step, Time now);
  bool schedule(TokenSequence& sequence, TokenStep& step, int64_t budget, bool oldest, Time now);
  bool admit_sequence(TokenSequence& sequence, TokenStep& step, bool oldest, Time now);
  bool fits(const TokenSequence& sequence);
  bool take_place(TokenSequence& sequence, Time now);
  int64_t make_room(TokenSequence& sequence, int64_t until, Time now);
  TokenSequence* victim_for(const TokenSequence& sequence);
  void preempt(TokenSequence& sequence, Time now);
  void release(TokenSequence& sequence);
  void add_row(TokenSequence& sequence, TokenStep& step, int64_t count, bool samples);
  TokenStep& make_step();

  // Results.
  void settle(const Row& row, const Step& step, Time now);
  void accept(TokenSequence& sequence, Piece piece, Time now);
  void recycle(TokenSequence& sequence);
  void show_state();

  TokenBatchOptions options_;
  KvCache cache_;
  int32_t slots_;
  std::vector<int32_t> free_slots_;
  std::vector<SlotOnItsWay> slot_limbo_;
  std::vector<TokenSequence*> live_;  // oldest first
  std::vector<std::unique_ptr<TokenAsk>> asks_;
  std::vector<std::unique_ptr<TokenAsk>> closed_asks_;  // answered, but named by steps in flight
  std::vector<std::unique_ptr<TokenSequence>> sequences_;
  std::vector<TokenSequence*> free_sequences_;
  std::vector<std::unique_ptr<TokenStep>> steps_;
  std::vector<TokenStep*> free_steps_;
  uint64_t last_id_ = 0, completed_ = 0, next_age_ = 0;
  int32_t admitted_ = 0;
  bool ended_some_ = false;
  std::atomic<Time> turn_{0};
  double token_us_ = 0;  // of late, in steps with prompts
  TokenStats stats_;
};

}  // namespace narae
