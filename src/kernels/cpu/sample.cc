// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/sample.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tensor/noise.h"

namespace narae::cpu {
namespace {

struct Candidate {
  float value;  // logit / temperature
  int32_t token;
};

// Likelier first; of equals the lower token.
bool likelier(const Candidate& a, const Candidate& b) {
  return a.value > b.value || (a.value == b.value && a.token < b.token);
}

float reduced(const ReduceKernels& reduce, Reduction kind, const float* x, int64_t n) {
  float result;
  ReduceArgs args;
  args.x = x, args.y = &result, args.n = n;
  reduce.reduce(args, kind, 0, 1);
  return result;
}

// The logits with changes and mask, in scratch where there are any.
const float* changed(const SampleRow& row, float* scratch) {
  if (row.changes == 0 && !row.mask) return row.logits;
  std::memcpy(scratch, row.logits, static_cast<size_t>(row.vocabulary) * sizeof(float));
  for (int64_t i = 0; i < row.changes; ++i) {
    float& logit = scratch[row.tokens[i]];
    logit = (logit > 0 ? logit / row.scales[i] : logit * row.scales[i]) + row.adds[i];
  }
  for (int64_t t = 0; row.mask && t < row.vocabulary; ++t) {
    if (!(static_cast<uint32_t>(row.mask[t / 32]) >> (t % 32) & 1)) scratch[t] = -INFINITY;
  }
  return scratch;
}

// The first `count` of the list become the likeliest, in order.
void order_first(Candidate* list, int64_t size, int64_t count) {
  if (count < size) std::nth_element(list, list + count, list + size, likelier);
  std::sort(list, list + std::min(count, size), likelier);
}

// The fewest likeliest that sum up to top_p; more are put into order only as long as they are needed.
int64_t nucleus(Candidate* list, int64_t size, float top_p, float high) {
  double sum = 0, below = 0;
  for (int64_t i = 0; i < size; ++i) sum += std::exp(static_cast<double>(list[i].value) - high);
  int64_t kept = 0, ordered = 0;
  while (kept < size && (kept == 0 || below < static_cast<double>(top_p) * sum)) {
    if (kept == ordered) {
      const int64_t more = std::min<int64_t>(size, std::max<int64_t>(64, 4 * ordered));
      order_first(list + ordered, size - ordered, more - ordered);
      ordered = more;
    }
    below += std::exp(static_cast<double>(list[kept++].value) - high);
  }
  return kept;
}

// A Gumbel variate, -log(-log(u)), added to each value: the highest of the sums is the choice. Only one whose u could
// carry it past the best so far costs its logarithms: that needs -log(u) <= exp(-gap), and 1 - u <= -log(u), and
// exp(gap) is no less than the first terms of its series; the last factor is for rounding.
class Draw {
 public:
  explicit Draw(uint64_t key) : key_(key) {}

  void consider(float value, int32_t token) {
    const float u = noise(key_, token), gap = best_.value - value;
    const float series = 1 + gap * (1 + gap * (1.0f / 2 + gap * (1.0f / 6 + gap * (1.0f / 24))));
    if (gap > 0 && (1 - u) * series > 1.0001f) return;
    const Candidate shifted{value - std::log(-std::log(u)), token};
    if (best_.token < 0 || likelier(shifted, best_)) best_ = shifted;
  }
  int32_t token() const { return best_.token; }

 private:
  uint64_t key_;
  Candidate best_{-INFINITY, -1};
};

// What lies further below the highest value never comes: -log(-log(u)) lies in (-2.9, 17).
constexpr float furthest = 20.0f;

// No limit but the temperature: without a list.
int32_t draw_of_all(const float* logits, const SampleRow& row, int32_t first, float high) {
  Draw draw(row.key);
  draw.consider(high, first);
  for (int32_t t = 0; t < row.vocabulary; ++t) {
    const float value = logits[t] / row.temperature;
    if (value >= high - furthest && t != first) draw.consider(value, t);
  }
  return draw.token();
}

int32_t choose(const ReduceKernels& reduce, const SampleRow& row, void* scratch) {
  auto* own = static_cast<float*>(scratch);
  const float* logits = changed(row, own);
  const float top = reduced(reduce, Reduction::max, logits, row.vocabulary);
  const auto first = static_cast<int32_t>(std::find(logits, logits + row.vocabulary, top) - logits);
  if (first == row.vocabulary || top == -INFINITY) return -1;  // nothing can come, or (NaN) nothing is the highest
  if (!(row.temperature > 0) || row.top_k == 1) return first;
  const float high = top / row.temperature;
  const bool whole = row.top_k > 0 || row.top_p < 1;
  if (!whole && !(row.min_p > 0)) return draw_of_all(logits, row, first, high);
  // What min_p rules out needs no place in the list; top_k and top_p ask for all the others.
  auto* list = reinterpret_cast<Candidate*>(own + row.vocabulary);
  const float least = whole ? -INFINITY : high + std::log(row.min_p) - 1e-3f;
  int64_t size = 0;
  for (int32_t t = 0; t < row.vocabulary; ++t) {
    const float value = logits[t] / row.temperature;
    if (value >= least && value > -INFINITY) list[size++] = {value, t};
  }
  if (row.top_k > 0 && row.top_k < size) {
    std::nth_element(list, list + row.top_k, list + size, likelier);
    size = row.top_k;
  }
  if (row.top_p < 1) size = nucleus(list, size, row.top_p, high);
  if (row.min_p > 0) {
    const auto unlikely = [&](const Candidate& c) { return c.token != first && std::exp(c.value - high) < row.min_p; };
    size = std::remove_if(list, list + size, unlikely) - list;
  }
  Draw draw(row.key);
  for (int64_t i = 0; i < size; ++i) draw.consider(list[i].value, list[i].token);
  return draw.token();
}

}  // namespace

size_t sample_scratch(int64_t vocabulary) {
  return static_cast<size_t>(vocabulary) * (sizeof(float) + sizeof(Candidate));
}

Sampled sample_row(const ReduceKernels& reduce, const SampleRow& row, void* scratch) {
  const int32_t token = choose(reduce, row, scratch);
  if (token < 0) return {token, -INFINITY};
  return {token, row.logits[token] - reduced(reduce, Reduction::log_sum_exp, row.logits, row.vocabulary)};
}

}  // namespace narae::cpu
