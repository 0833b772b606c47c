// SPDX-License-Identifier: Apache-2.0
// (x - mean) / sqrt(variance + epsilon) over rows: what layer, instance and group norms share.
#pragma once

#include <vector>

#include "graph/builder.h"

namespace narae {

struct RowStatistics {
  double mean = 0, inv_deviation = 0;
};

// Rewrites values[first, first + count).
RowStatistics standardise(std::vector<double>& values, int64_t first, int64_t count, double epsilon);

struct StandardisedValues {
  Value *x, *mean, *inv_deviation;  // statistics keep their axes as ones
};
// The same as nodes, over `axes` of x.
StandardisedValues standardise(Builder& b, Value* x, const std::vector<int64_t>& axes, double epsilon);

}  // namespace narae
