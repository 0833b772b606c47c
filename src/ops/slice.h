// SPDX-License-Identifier: Apache-2.0
// slice: elements start, start + step, .. before `end` on each listed axis; starts and ends below 0 count from the end
// and both are clamped to the axis, as numpy and ONNX do. What must not go wrong: whether a symbolic start is negative
// may be unknown, so the rule is written in min and max, and slice_range is the only place that knows it.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct SliceAttributes {
  std::vector<Dim> starts, ends;
  std::vector<int64_t> axes;   // each once; negative ones count from the end
  std::vector<int64_t> steps;  // not 0; empty: all 1
  template <class V>
  void fields(V& v) {
    v("starts", starts);
    v("ends", ends);
    v("axes", axes);
    v("steps", steps);
  }
};

// First element and number of elements on an axis of `size`.
struct SliceRange {
  Dim first, count;
};
SliceRange slice_range(const Dim& size, const Dim& start, const Dim& end, int64_t step);

}  // namespace narae
