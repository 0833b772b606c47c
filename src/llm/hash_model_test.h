// SPDX-License-Identifier: Apache-2.0
// The hash model: its pages hold token ids, and its next token is a hash of what the page tables make visible. A wrong
// copy, an early free, a stale row or a wrong rollback changes the text. What it should say is computed alone, from the
// tokens themselves.
#pragma once

#include <algorithm>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "batch/runner.h"
#include "llm/sampling_params.h"
#include "llm/token_block.h"
#include "tensor/noise.h"

namespace narae {

// Small numbers that a float adds without rounding.
struct HashLogits {
  uint64_t state = 0;
  float operator()(int32_t token) const {
    return static_cast<float>(static_cast<int64_t>(noise_mix(state + static_cast<uint64_t>(token)) % 64) - 32) / 8;
  }
};

inline uint64_t hash_step(uint64_t state, int32_t token) {
  return noise_mix(state ^ (static_cast<uint64_t>(static_cast<uint32_t>(token)) + 0x9e3779b97f4a7c15ULL));
}

// Every odd or every even token, by how many there are.
class ParityConstraint final : public Constraint {
 public:
  void allow(std::span<const int32_t> answer, std::span<uint32_t> allowed) const override {
    const int32_t last = answer.empty() ? 0 : answer.back();
    for (uint32_t& word : allowed) word = (static_cast<uint32_t>(last) + answer.size()) % 2 ? 0xaaaaaaaau : 0x55555555u;
  }
};

// Where late work runs: written down by begin and finish, run by wait, or a little earlier.
class LateWork {
 public:
  virtual ~LateWork() = default;
  virtual void enqueue(std::function<void()> work) = 0;
  virtual void mark(uint64_t step) = 0;       // what is written down so far belongs to `step`
  virtual void run_until(uint64_t step) = 0;  // at least
  virtual int32_t* memory(size_t count) = 0;  // of the device
};

class HashRunner final : public Runner {
 public:
  HashRunner(LateWork& device, int32_t pages, int32_t page_size, int32_t slots, int32_t vocabulary)
      : device_(device), page_size_(page_size), vocabulary_(vocabulary) {
    cells_ = device.memory(static_cast<size_t>(pages) * static_cast<size_t>(page_size));
    last_ = device.memory(static_cast<size_t>(slots));
  }
  std::function<void(const Step&, int half)> before = [](const Step&, int) {};  // may throw
  int64_t tokens = 0;

  void begin(Step& step) override {
    before(step, 1);
    Io& io = ios_[step.id % std::size(ios_)];
    device_.enqueue([this, &step, &io] { forward(step, io); });
  }
  void finish(Step& step) override {
    before(step, 2);
    Io& io = ios_[step.id % std::size(ios_)];
    device_.enqueue([this, &step, &io] { sample(step, io); });
    const auto rows = static_cast<int64_t>(std::size(io.tokens));
    step.out.resize(4);
    step.out[0] = {io.tokens, DType::i32, {rows}, MemoryDomain::host, {}, {}};
    step.out[1] = {io.logprobs, DType::f32, {rows}, MemoryDomain::host, {}, {}};
    step.out[2] = {io.top_tokens, DType::i64, {rows, 1}, MemoryDomain::host, {}, {}};
    step.out[3] = {io.top_logprobs, DType::f32, {rows, 1}, MemoryDomain::host, {}, {}};
    device_.mark(step.id);
  }
  void wait(Step& step) override {
    device_.run_until(step.id);
    before(step, 3);
  }

 private:
  struct Io {
    uint64_t logits[64] = {};
    int32_t tokens[64] = {};
    int64_t top_tokens[64] = {};  // the chosen ones of the rows that ask
    float logprobs[64] = {}, top_logprobs[64] = {};
  };
  static std::span<const int32_t> ints(const Tensor& tensor) {
    return {tensor.as<const int32_t>(), static_cast<size_t>(tensor.count())};
  }
  std::span<const int32_t> in(const Step& step, ForwardInput input) {
    return ints(step.block.begin.at(static_cast<size_t>(input)));
  }
  template <typename T>
  const T* in(const Step& step, SampleOperand operand) {
    return step.block.finish.at(static_cast<size_t>(operand)).as<const T>();
  }

  void forward(const Step& step, Io& io) {
    for (size_t i = step.moves.size(); i-- > 0;) {  // in any order
      const Move& move = step.moves[i];
      if (move.group != 0) continue;  // the other groups hold nothing here
      std::copy_n(cells_ + move.from * page_size_, move.units, cells_ + move.to * page_size_);
      std::fill_n(cells_ + move.to * page_size_ + move.units, page_size_ - move.units, -7);
    }
    const auto ids = in(step, ForwardInput::ids), slots = in(step, ForwardInput::slots);
    const auto places = in(step, ForwardInput::places), starts = in(step, ForwardInput::row_starts);
    const auto lengths = in(step, ForwardInput::lengths), tables = in(step, ForwardInput::page_tables);
    const auto wanted = in(step, ForwardInput::wanted), positions = in(step, ForwardInput::positions);
    for (size_t row = 0; row < ids.size(); ++row) {
      cells_[places[row]] = ids[row] >= 0 ? ids[row] : last_[slots[row]];
      tokens += slots[row] > 0;
    }
    for (size_t s = 0; s < step.rows.size(); ++s) {  // what one salt writes, others cannot read
      for (int32_t row = starts[s]; row < starts[s + 1]; ++row)
        cells_[places[static_cast<size_t>(row)]] += salt_of(step, s);
    }
    const size_t columns = tables.size() / lengths.size();
    size_t output = 0;
    for (size_t s = 0; s < lengths.size(); ++s) {
      const int32_t end = starts[s + 1];
      for (; output < wanted.size() && wanted[output] >= starts[s] && wanted[output] < end; ++output) {
        const int32_t visible = lengths[s] - (end - 1 - wanted[output]);
        NARAE_CHECK(positions[static_cast<size_t>(wanted[output])] == visible - 1);
        uint64_t state = 0;
        for (int32_t position = 0; position < visible; ++position) {
          const int32_t page = tables[s * columns + static_cast<size_t>(position / page_size_)];
          NARAE_CHECK(page > 0);
          state = hash_step(state, cells_[page * page_size_ + position % page_size_] - salt_of(step, s));
        }
        io.logits[output] = state;
      }
    }
  }

  void sample(const Step& step, Io& io) {
    const auto padded = static_cast<size_t>(step.block.finish.at(0).count()), rows = step_outputs(step);
    NARAE_CHECK(padded <= std::size(io.tokens) && padded == in(step, ForwardInput::wanted).size());
    const auto* slots = step.block.finish.at(0).as<const int32_t>();
    for (size_t r = rows; r < padded; ++r) NARAE_CHECK(slots[r] == 0);
    const auto* mask_rows = in<int32_t>(step, SampleOperand::mask_rows);
    const Tensor& masks = step.block.finish.at(static_cast<size_t>(SampleOperand::masks));
    std::vector<float> logits(static_cast<size_t>(vocabulary_));
    for (size_t r = 0; r < rows; ++r) {
      const HashLogits raw{io.logits[r]};
      for (int32_t t = 0; t < vocabulary_; ++t) logits[static_cast<size_t>(t)] = raw(t);
      const auto* starts = in<int32_t>(step, SampleOperand::change_starts);
      for (int32_t i = starts[r]; i < starts[r + 1]; ++i) {
        float& logit = logits[static_cast<size_t>(in<int32_t>(step, SampleOperand::change_tokens)[i])];
        const float scale = in<float>(step, SampleOperand::change_scales)[i];
        logit = (logit > 0 ? logit / scale : logit * scale) + in<float>(step, SampleOperand::change_adds)[i];
      }
      const uint32_t* mask = mask_rows[r] < 0 ? nullptr : masks.as<const uint32_t>() + mask_rows[r] * masks.dims[1];
      const uint64_t key =
          noise_key(static_cast<uint64_t>(in<int64_t>(step, SampleOperand::seeds)[r]),
                    in<int32_t>(step, SampleOperand::branches)[r], in<int32_t>(step, SampleOperand::positions)[r]);
      const float temperature = in<float>(step, SampleOperand::temperatures)[r];
      io.tokens[r] = choose(logits, temperature, key, mask);
      io.logprobs[r] = static_cast<float>(io.logits[r] % 64);
      last_[slots[r]] = io.tokens[r];
    }
    const auto tops = ints(step.block.finish.at(sample_operands));
    for (size_t i = 0; i < tops.size(); ++i) {
      io.top_tokens[i] = io.tokens[tops[i]], io.top_logprobs[i] = io.logprobs[tops[i]];
    }
  }
  static int32_t salt_of(const Step& step, size_t sequence) {
    return 1000 * static_cast<int32_t>(step.rows[sequence].sequence->request->salt);
  }
  static size_t step_outputs(const Step& step) {
    size_t count = 0;
    for (const Row& row : step.rows) count += row.want != Want::none;
    return count;
  }

 public:
  static int32_t choose(std::span<const float> logits, float temperature, uint64_t key, const uint32_t* mask) {
    int32_t best = -1;
    float most = -std::numeric_limits<float>::infinity();
    for (int32_t t = 0; t < static_cast<int32_t>(logits.size()); ++t) {
      if (mask && !(mask[t / 32] >> (t % 32) & 1)) continue;
      const float value = logits[static_cast<size_t>(t)] + temperature * noise(key, t);
      if (value > most) best = t, most = value;
    }
    return best;
  }

 private:
  LateWork& device_;
  int32_t page_size_, vocabulary_;
  int32_t* cells_;
  int32_t* last_;
  Io ios_[4];
};

// The same request alone, by the definitions of its parameters: the tokens of a branch.
inline std::vector<int32_t> hash_answer(const std::vector<int32_t>& prompt, const SamplingParams& params,
                                        int32_t branch, int32_t vocabulary, int64_t limit, Finish& finish) {
  std::vector<int32_t> all = prompt, answer;
  std::vector<float> logits(static_cast<size_t>(vocabulary));
  std::vector<uint32_t> mask(static_cast<size_t>(vocabulary + 31) / 32);
  uint64_t state = 0;
  for (const int32_t token : prompt) state = hash_step(state, token);
  for (;;) {
    const auto answered = static_cast<int64_t>(answer.size());
    for (int32_t t = 0; t < vocabulary; ++t) {
      float& logit = logits[static_cast<size_t>(t)];
      logit = HashLogits{state}(t);
      const auto said = static_cast<float>(std::count(answer.begin(), answer.end(), t));
      if (std::find(all.begin(), all.end(), t) != all.end()) {
        logit = logit > 0 ? logit / params.repetition_penalty : logit * params.repetition_penalty;
      }
      for (const LogitBias& bias : params.logit_bias) logit += bias.token == t ? bias.bias : 0;
      logit -= said * params.frequency_penalty + (said > 0 ? params.presence_penalty : 0);
      const bool stops = std::count(params.stop_ids.begin(), params.stop_ids.end(), t) > 0;
      if (stops && answered < params.min_tokens) logit = -std::numeric_limits<float>::infinity();
    }
    if (params.constraint) params.constraint->allow(answer, mask);
    const uint64_t key = noise_key(params.seed, branch, static_cast<int64_t>(all.size()));
    const int32_t token =
        HashRunner::choose(logits, params.temperature, key, params.constraint ? mask.data() : nullptr);
    if (token < 0) {
      finish = Finish::failed;
      return answer;
    }
    state = hash_step(state, token);
    all.push_back(token);
    answer.push_back(token);
    const bool stops = std::count(params.stop_ids.begin(), params.stop_ids.end(), token) > 0;
    finish = stops ? Finish::stop : static_cast<int64_t>(all.size()) >= limit ? Finish::length : Finish::none;
    if (finish != Finish::none) return answer;
  }
}

}  // namespace narae
