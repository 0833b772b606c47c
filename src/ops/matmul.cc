// SPDX-License-Identifier: Apache-2.0
#include "ops/matmul.h"

#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

bool is_byte(DType type) { return type == DType::u8 || type == DType::i8; }

void infer(InferContext& c) {
  const auto& attributes = c.attributes<MatmulAttributes>();
  Shape a = c.shape(0), b = c.shape(1);
  if (a.size() < 2 || b.size() < 2) fail(ErrorCode::bad_file, "operands of rank {} and {}", a.size(), b.size());
  const bool bytes = is_byte(c.dtype(0)) && is_byte(c.dtype(1));
  if (c.dtype(0) != c.dtype(1) && !bytes) {
    fail(ErrorCode::bad_file, "operands are {} and {}", dtype_name(c.dtype(0)), dtype_name(c.dtype(1)));
  }
  if (attributes.transpose_a) std::swap(a[a.size() - 1], a[a.size() - 2]);
  if (attributes.transpose_b) std::swap(b[b.size() - 1], b[b.size() - 2]);
  const Dim m = a[a.size() - 2], n = b.back();
  c.require_equal(a.back(), b[b.size() - 2], "inner sizes of matmul");
  a.resize(a.size() - 2);
  b.resize(b.size() - 2);
  Shape result = c.broadcast(a, b);
  result.push_back(m);
  result.push_back(n);
  c.set_output(0, bytes ? DType::i32 : c.dtype(0), std::move(result));
}

void reference(ReferenceContext& c) {
  const auto& attributes = c.attributes<MatmulAttributes>();
  const Tensor &a = c.inputs[0], &b = c.inputs[1], &y = c.outputs[0];
  const size_t rank = y.dims.size();
  const int64_t m = y.dims[rank - 2], n = y.dims[rank - 1];
  const int64_t k = a.dims[a.dims.size() - (attributes.transpose_a ? 2 : 1)];
  const int64_t a_row = attributes.transpose_a ? 1 : k, a_col = attributes.transpose_a ? m : 1;
  const int64_t b_row = attributes.transpose_b ? 1 : n, b_col = attributes.transpose_b ? k : 1;
  const Dims batch(y.dims.begin(), y.dims.end() - 2);
  auto batch_strides = [&](const Tensor& t, int64_t matrix) {
    Dims strides = broadcast_strides(Dims(t.dims.begin(), t.dims.end() - 2), batch);
    for (int64_t& stride : strides) stride *= matrix;
    return strides;
  };
  const Dims sa = batch_strides(a, m * k), sb = batch_strides(b, k * n);
  const bool fast = a.dtype == DType::f32;
  std::vector<double> row(static_cast<size_t>(n));
  for_each_index(batch, [&](const Dims& index, int64_t position) {
    const int64_t base_a = offset_of(index, sa), base_b = offset_of(index, sb);
    for (int64_t i = 0; i < m; ++i) {
      std::fill(row.begin(), row.end(), 0.0);
      for (int64_t p = 0; p < k; ++p) {
        const int64_t at_a = base_a + i * a_row + p * a_col, at_b = base_b + p * b_row;
        const double x = fast ? a.as<float>()[at_a] : element_as_double(a, at_a);
        for (int64_t j = 0; j < n; ++j) {
          row[static_cast<size_t>(j)] +=
              x * (fast ? b.as<float>()[at_b + j * b_col] : element_as_double(b, at_b + j * b_col));
        }
      }
      for (int64_t j = 0; j < n; ++j) set_element(y, (position * m + i) * n + j, row[static_cast<size_t>(j)]);
    }
  });
}

}  // namespace

const OpDef* matmul_op() {
  static const OpDef def = define_op<MatmulAttributes>("matmul", 2, 2, op_contraction, infer, reference);
  return &def;
}

}  // namespace narae
