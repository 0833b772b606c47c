// SPDX-License-Identifier: Apache-2.0
#include "ops/sample.h"

#include <limits>
#include <numeric>

#include "ops/define.h"
#include "ops/ops.h"
#include "tensor/noise.h"

namespace narae {
namespace {

constexpr size_t at(SampleOperand operand) { return static_cast<size_t>(operand); }

void infer_sample(InferContext& c) {
  const Shape& logits = c.shape(0);
  for (size_t i = 0; i < sample_operands; ++i) {
    const SampleOperandForm& form = sample_forms[i];
    const size_t rank = form.extent == SampleExtent::logits || form.extent == SampleExtent::mask ? 2 : 1;
    if (c.dtype(i) != form.dtype || c.shape(i).size() != rank) {
      fail(ErrorCode::bad_file, "operand {} of sample, {}, is {}{}, not {} of rank {}", i, form.name,
           dtype_name(c.dtype(i)), shape_text(c.shape(i)), dtype_name(form.dtype), rank);
    }
  }
  const Dim& changes = c.shape(at(SampleOperand::change_tokens))[0];
  for (size_t i = 0; i < sample_operands; ++i) {
    const Dim& size = c.shape(i)[0];
    switch (sample_forms[i].extent) {
      case SampleExtent::row: c.require_equal(size, logits[0], "sample: one entry per row of logits"); break;
      case SampleExtent::row_start:
        c.require_equal(size, logits[0] + Dim(1), "sample: starts of the changes and their end");
        break;
      case SampleExtent::change: c.require_equal(size, changes, "sample: lists of changes"); break;
      case SampleExtent::logits:
      case SampleExtent::mask: break;
    }
  }
  c.set_output(0, DType::i32, {logits[0]});
  c.set_output(1, DType::f32, {logits[0]});
}

struct Row {
  const ReferenceContext& c;
  int64_t row;
  template <typename T>
  T of(SampleOperand operand) const {
    return c.inputs[at(operand)].as<T>()[row];
  }
};

std::vector<double> changed_logits(const ReferenceContext& c, int64_t row) {
  using enum SampleOperand;
  const int64_t vocabulary = c.inputs[0].dims[1];
  const float* from = c.inputs[0].as<float>() + row * vocabulary;
  std::vector<double> logits(from, from + vocabulary);
  const int32_t* starts = c.inputs[at(change_starts)].as<int32_t>() + row;
  if (starts[0] < 0 || starts[1] < starts[0] || starts[1] > c.inputs[at(change_tokens)].count()) {
    fail(ErrorCode::does_not_fit, "changes [{}, {}) of row {}", starts[0], starts[1], row);
  }
  for (int32_t i = starts[0]; i < starts[1]; ++i) {
    const int32_t token = c.inputs[at(change_tokens)].as<int32_t>()[i];
    if (token < 0 || token >= vocabulary) fail(ErrorCode::does_not_fit, "a change of token {}", token);
    const double scale = c.inputs[at(change_scales)].as<float>()[i], add = c.inputs[at(change_adds)].as<float>()[i];
    double& logit = logits[static_cast<size_t>(token)];
    logit = (logit > 0 ? logit / scale : logit * scale) + add;
  }
  const int32_t mask = Row{c, row}.of<int32_t>(mask_rows);
  const Dims& sizes = c.inputs[at(masks)].dims;
  if (mask < 0) return logits;
  if (mask >= sizes[0] || sizes[1] * 32 < vocabulary) fail(ErrorCode::does_not_fit, "mask {} of row {}", mask, row);
  const int32_t* words = c.inputs[at(masks)].as<int32_t>() + mask * sizes[1];
  for (int64_t t = 0; t < vocabulary; ++t) {
    if (!(static_cast<uint32_t>(words[t / 32]) >> (t % 32) & 1)) {
      logits[static_cast<size_t>(t)] = -std::numeric_limits<double>::infinity();
    }
  }
  return logits;
}

// Tokens that may come, likeliest first.
std::vector<int32_t> candidates(const Row& r, const std::vector<double>& scaled) {
  using enum SampleOperand;
  std::vector<int32_t> order(scaled.size());
  std::iota(order.begin(), order.end(), 0);
  const auto value = [&](int32_t t) { return scaled[static_cast<size_t>(t)]; };
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return value(a) > value(b); });
  const auto k = static_cast<size_t>(std::max(0, r.of<int32_t>(top_ks)));
  if (k > 0 && k < order.size()) order.resize(k);
  double sum = 0, below = 0;
  for (const int32_t t : order) sum += std::exp(value(t) - value(order[0]));
  size_t kept = 0;
  while (kept < order.size() && (kept == 0 || below < r.of<float>(top_ps) * sum)) {
    below += std::exp(value(order[kept++]) - value(order[0]));
  }
  order.resize(kept);
  while (order.size() > 1 && std::exp(value(order.back()) - value(order[0])) < r.of<float>(min_ps)) order.pop_back();
  return order;
}

int32_t choose(const Row& r, std::vector<double> logits) {
  using enum SampleOperand;
  const double temperature = r.of<float>(temperatures);
  if (*std::max_element(logits.begin(), logits.end()) == -INFINITY) return -1;
  if (!(temperature > 0)) return static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  for (double& logit : logits) logit /= temperature;
  const uint64_t key =
      noise_key(static_cast<uint64_t>(r.of<int64_t>(seeds)), r.of<int32_t>(branches), r.of<int32_t>(positions));
  int32_t best = 0;
  double high = -std::numeric_limits<double>::infinity();
  for (const int32_t t : candidates(r, logits)) {
    const double shifted = logits[static_cast<size_t>(t)] - std::log(-std::log(static_cast<double>(noise(key, t))));
    if (shifted > high || (shifted == high && t < best)) best = t, high = shifted;
  }
  return best;
}

void reference_sample(ReferenceContext& c) {
  const int64_t vocabulary = c.inputs[0].dims[1];
  for (int64_t row = 0; row < c.inputs[0].dims[0]; ++row) {
    const int32_t token = choose({c, row}, changed_logits(c, row));
    const float* logits = c.inputs[0].as<float>() + row * vocabulary;
    double sum = 0;
    const double high = *std::max_element(logits, logits + vocabulary);
    for (int64_t t = 0; t < vocabulary; ++t) sum += std::exp(logits[t] - high);
    c.outputs[0].as<int32_t>()[row] = token;
    c.outputs[1].as<float>()[row] = token < 0 ? -INFINITY : static_cast<float>(logits[token] - high - std::log(sum));
  }
}

}  // namespace

const OpDef* sample_op() {
  static const OpDef def =
      define_op<NoAttributes>("sample", sample_operands, sample_operands, 0, infer_sample, reference_sample);
  return &def;
}

}  // namespace narae
