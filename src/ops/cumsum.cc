// SPDX-License-Identifier: Apache-2.0
#include "ops/cumsum.h"

#include "ops/cast.h"
#include "ops/define.h"
#include "ops/elements.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  normal_axis(c.attributes<CumsumAttributes>().axis, static_cast<int64_t>(c.shape(0).size()));
  c.set_output(0, c.dtype(0), c.shape(0));
}

template <bool product>
void reference(ReferenceContext& c) {
  const auto& a = c.attributes<CumsumAttributes>();
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const int64_t axis = normal_axis(a.axis, static_cast<int64_t>(x.dims.size()));
  const AxisSplit split(x.dims, axis, axis + 1);
  for (int64_t line = 0; line < split.outer * split.inner; ++line) {
    const int64_t base = line / split.inner * split.size * split.inner + line % split.inner;
    double sum = product ? 1.0 : 0.0;
    uint64_t whole = product ? 1 : 0;
    for (int64_t k = 0; k < split.size; ++k) {
      const int64_t at = base + (a.reverse ? split.size - 1 - k : k) * split.inner;
      const double before = sum;
      const uint64_t whole_before = whole;
      if (is_float(x.dtype)) {
        const double next = element_as_double(x, at);
        sum = product ? sum * next : sum + next;
        set_element(y, at, a.exclusive ? before : sum);
      } else {
        const auto next = static_cast<uint64_t>(element_as_int(x, at));
        whole = product ? whole * next : whole + next;
        set_integer(y, at, static_cast<int64_t>(a.exclusive ? whole_before : whole));
      }
    }
  }
}

}  // namespace

const OpDef* cumsum_op() {
  static const OpDef def = define_op<CumsumAttributes>("cumsum", 1, 1, 0, infer, reference<false>);
  return &def;
}
const OpDef* cumprod_op() {
  static const OpDef def = define_op<CumsumAttributes>("cumprod", 1, 1, 0, infer, reference<true>);
  return &def;
}

}  // namespace narae
