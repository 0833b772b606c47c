// SPDX-License-Identifier: Apache-2.0
#include "ops/expand.h"

#include "ops/contents.h"
#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  c.set_output(0, c.dtype(0), c.broadcast(c.shape(0), c.attributes<ExpandAttributes>().shape));
  const auto* contents = c.contents(0);
  size_t count;
  if (!contents || !countable(c.node().output()->shape(), count)) return;
  std::vector<Dim> result;
  for (size_t i = 0; i < count; ++i) result.push_back(content_at(*contents, i));
  c.set_contents(0, std::move(result));
}

void reference(ReferenceContext& c) {
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const Dims strides = broadcast_strides(x.dims, y.dims);
  visit_storage(x.dtype, [&](auto tag) {
    using T = decltype(tag);
    for_each_index(y.dims, [&](const Dims& index, int64_t i) { y.as<T>()[i] = x.as<T>()[offset_of(index, strides)]; });
  });
}

}  // namespace

const OpDef* expand_op() {
  static const OpDef def = define_op<ExpandAttributes>("expand", 1, 1, 0, infer, reference);
  return &def;
}

}  // namespace narae
