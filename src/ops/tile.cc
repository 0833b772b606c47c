// SPDX-License-Identifier: Apache-2.0
#include "ops/tile.h"

#include "ops/contents.h"
#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  const auto& repeats = c.attributes<TileAttributes>().repeats;
  Shape shape = c.shape(0);
  if (repeats.size() != shape.size()) fail(ErrorCode::bad_file, "{} repeats for rank {}", repeats.size(), shape.size());
  for (size_t i = 0; i < shape.size(); ++i) shape[i] = shape[i] * repeats[i];
  c.set_output(0, c.dtype(0), std::move(shape));
  const auto* contents = c.contents(0);
  size_t count;
  if (!contents || !countable(c.node().output()->shape(), count)) return;
  std::vector<Dim> result;
  for (size_t i = 0; i < count; ++i) result.push_back((*contents)[i % contents->size()]);
  c.set_contents(0, std::move(result));
}

void reference(ReferenceContext& c) {
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const Dims strides = row_strides(x.dims);
  visit_storage(x.dtype, [&](auto tag) {
    using T = decltype(tag);
    for_each_index(y.dims, [&](const Dims& index, int64_t i) {
      int64_t offset = 0;
      for (size_t axis = 0; axis < index.size(); ++axis) offset += index[axis] % x.dims[axis] * strides[axis];
      y.as<T>()[i] = x.as<T>()[offset];
    });
  });
}

}  // namespace

const OpDef* tile_op() {
  static const OpDef def = define_op<TileAttributes>("tile", 1, 1, 0, infer, reference);
  return &def;
}

}  // namespace narae
