// SPDX-License-Identifier: Apache-2.0
#include "ops/gather_nd.h"

#include "ops/define.h"
#include "ops/indices.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  check_index_type(c, 1);
  const Shape &x = c.shape(0), &indices = c.shape(1);
  const int64_t batch = c.attributes<GatherNdAttributes>().batch_dims;
  if (indices.empty() || !indices.back().is_constant()) {
    fail(ErrorCode::bad_file, "indices of shape {}: the number of coordinates must be known", shape_text(indices));
  }
  const int64_t depth = indices.back().value();
  if (batch < 0 || batch >= static_cast<int64_t>(indices.size()) || depth < 0 ||
      batch + depth > static_cast<int64_t>(x.size())) {
    fail(ErrorCode::bad_file, "{} coordinates after {} shared axes, the operand has {}", depth, batch, x.size());
  }
  for (size_t i = 0; i < static_cast<size_t>(batch); ++i) c.require_equal(x[i], indices[i], "shared axes of gather_nd");
  Shape shape(indices.begin(), indices.end() - 1);
  shape.insert(shape.end(), x.begin() + batch + depth, x.end());
  c.set_output(0, c.dtype(0), std::move(shape));
}

void reference(ReferenceContext& c) {
  const Tensor &x = c.inputs[0], &indices = c.inputs[1], &y = c.outputs[0];
  const auto batch = static_cast<size_t>(c.attributes<GatherNdAttributes>().batch_dims);
  const auto depth = static_cast<size_t>(indices.dims.back());
  const Dims strides = row_strides(x.dims);
  const int64_t batches = element_count(Dims(x.dims.begin(), x.dims.begin() + static_cast<int64_t>(batch)));
  const int64_t rows = element_count(Dims(indices.dims.begin(), indices.dims.end() - 1));
  const int64_t block = element_count(Dims(x.dims.begin() + static_cast<int64_t>(batch), x.dims.end()));
  const int64_t slice = element_count(Dims(x.dims.begin() + static_cast<int64_t>(batch + depth), x.dims.end()));
  const size_t bytes = static_cast<size_t>(slice) * dtype_size(x.dtype), size = dtype_size(x.dtype);
  for (int64_t row = 0; row < rows; ++row) {
    int64_t offset = row / (rows / batches) * block;
    for (size_t k = 0; k < depth; ++k) {
      const int64_t index = element_as_int(indices, row * static_cast<int64_t>(depth) + static_cast<int64_t>(k));
      offset += checked_index(index, x.dims[batch + k], "gather_nd") * strides[batch + k];
    }
    if (bytes) {
      std::memcpy(y.as<char>() + static_cast<size_t>(row) * bytes, x.as<char>() + static_cast<size_t>(offset) * size,
                  bytes);
    }
  }
}

}  // namespace

const OpDef* gather_nd_op() {
  static const OpDef def = define_op<GatherNdAttributes>("gather_nd", 2, 2, 0, infer, reference);
  return &def;
}

}  // namespace narae
