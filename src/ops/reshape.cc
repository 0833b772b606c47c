// SPDX-License-Identifier: Apache-2.0
#include "ops/reshape.h"

#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  const auto& a = c.attributes<ReshapeAttributes>();
  c.require_equal(element_count(c.shape(0)), element_count(a.shape),
                  fmt::format("reshape of {} to {}", shape_text(c.shape(0)), shape_text(a.shape)));
  c.set_output(0, c.dtype(0), a.shape);
  if (const auto* contents = c.contents(0); contents && a.shape.size() <= 1) c.set_contents(0, *contents);
}

void reference(ReferenceContext& c) {
  if (c.inputs[0].bytes()) std::memcpy(c.outputs[0].data, c.inputs[0].data, c.inputs[0].bytes());
}

}  // namespace

const OpDef* reshape_op() {
  static const OpDef def = define_op<ReshapeAttributes>("reshape", 1, 1, op_view, infer, reference);
  return &def;
}

}  // namespace narae
