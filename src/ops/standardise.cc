// SPDX-License-Identifier: Apache-2.0
#include "ops/standardise.h"

#include <cmath>

#include "ops/reduce.h"

namespace narae {

RowStatistics standardise(std::vector<double>& values, int64_t first, int64_t count, double epsilon) {
  const auto begin = values.begin() + first, end = begin + count;
  double sum = 0, squares = 0;
  for (auto at = begin; at != end; ++at) sum += *at;
  const double mean = sum / static_cast<double>(count);
  for (auto at = begin; at != end; ++at) squares += (*at - mean) * (*at - mean);
  const double inv_deviation = 1 / std::sqrt(squares / static_cast<double>(count) + epsilon);
  for (auto at = begin; at != end; ++at) *at = (*at - mean) * inv_deviation;
  return {mean, inv_deviation};
}

StandardisedValues standardise(Builder& b, Value* x, const std::vector<int64_t>& axes, double epsilon) {
  const ReduceAttributes along{axes, true};
  Value* mean = b.op("reduce_mean", {x}, along);
  Value* centred = b.op("sub", {x, mean});
  Value* variance = b.op("reduce_mean", {b.op("square", {centred})}, along);
  Value* inv_deviation = b.op("rsqrt", {b.op("add", {variance, b.scalar(epsilon, x->dtype())})});
  return {b.op("mul", {centred, inv_deviation}), mean, inv_deviation};
}

}  // namespace narae
