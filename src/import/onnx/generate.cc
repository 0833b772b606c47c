// SPDX-License-Identifier: Apache-2.0
// Operators that make values from shapes and indices: constants, ranges, masks, windows.
#include <cmath>

#include "base/error.h"
#include "import/onnx/onnx_ops.h"
#include "import/onnx/shape_math.h"
#include "import/onnx/to_tensor.h"
#include "ops/fill.h"
#include "ops/one_hot.h"
#include "ops/trilu.h"

namespace narae::onnx {

namespace {

// iota over the size of `axis` of a value of `rank`, shaped [.., n, ..] to broadcast against it.
Value* positions(const Emit& e, const Dim& size, size_t axis, size_t rank) {
  Shape shape(rank, Dim(1));
  shape[axis] = size;
  return e.reshape(e.iota(size, DType::i64), shape);
}

// cosine window a0 - a1 cos(2 pi i / n) + a2 cos(4 pi i / n), n = size for periodic ones, else size - 1.
Results cosine_window(OnnxNode& n, double a0, double a1, double a2) {
  const Emit& e = n.emit();
  const bool periodic = n.integer("periodic", 1) != 0;
  const DType result = to_dtype(static_cast<ElementType>(n.integer("output_datatype", 1)));
  const std::vector<Dim> size = n.dims(0, "size");
  if (size.size() != 1) fail(ErrorCode::bad_file, "size has {} elements, not one", size.size());
  const DType wide = DType::f64;
  Value* length = e.cast(e.dims({periodic ? size[0] : size[0] - Dim(1)}), wide);
  Value* angle = e.div(e.mul(e.iota(size[0], wide), 2.0 * 3.14159265358979323846), length);
  Value* window = e.sub(e.number(a0, angle), e.mul(e.unary("cos", angle), a1));
  if (a2 != 0) window = e.add(window, e.mul(e.unary("cos", e.mul(angle, 2.0)), a2));
  return {e.cast(window, result)};
}

}  // namespace

Results onnx_constant(OnnxNode& n) {
  const Emit& e = n.emit();
  if (n.has_attribute("value")) return {e.constant(n.tensor("value"))};
  if (n.has_attribute("value_float")) return {e.scalar(n.number("value_float"), DType::f32)};
  if (n.has_attribute("value_floats")) {
    const std::vector<double> values = n.numbers("value_floats");
    return {e.constant(Tensor::of<float>(DType::f32, {static_cast<int64_t>(values.size())},
                                         std::vector<float>(values.begin(), values.end())))};
  }
  if (n.has_attribute("value_int")) return {e.constant(Tensor::of<int64_t>(DType::i64, {}, {n.integer("value_int")}))};
  if (n.has_attribute("value_ints")) return {e.integers(n.integers("value_ints"))};
  fail(ErrorCode::bad_file, "it holds no number (strings and sparse values are not supported)");
}

Results onnx_constant_of_shape(OnnxNode& n) {
  const Emit& e = n.emit();
  const std::vector<Dim> shape = n.dims(0, "shape");
  Tensor value = n.has_attribute("value") ? n.tensor("value") : Tensor::of<float>(DType::f32, {}, {0.0f});
  if (value.count() != 1) fail(ErrorCode::bad_file, "value has {} elements, not one", value.count());
  const double number = element_as_double(value, 0);
  const bool exact = is_float(value.dtype) || std::fabs(number) < 9e15;
  if (exact) return {e.fill(shape, number, value.dtype)};
  value.dims = {};
  return {e.expand(e.constant(std::move(value)), shape)};
}

Results onnx_range(OnnxNode& n) {
  const Emit& e = n.emit();
  RangeAttributes range;
  range.dtype = n.in(0)->dtype();
  const auto whole = [&](size_t i) { return n.in(i)->contents() || e.known(n.in(i)); };
  const bool sizes = n.in(1)->contents() && whole(0) && whole(2);  // a float may carry a size too
  if (is_float(range.dtype) && !sizes) {
    range.float_start = n.constant_number(0, "start");
    range.float_limit = n.constant_number(1, "limit");
    range.float_delta = n.constant_number(2, "delta");
    return {e.builder().op("range", {}, range)};
  }
  const std::vector<Dim> start = n.dims(0, "start"), limit = n.dims(1, "limit"), delta = n.dims(2, "delta");
  if (start.size() != 1 || limit.size() != 1 || delta.size() != 1)
    fail(ErrorCode::bad_file, "operands are not scalars");
  if (!is_float(range.dtype) && (delta[0].low() > 0 || delta[0].high() < 0)) {
    range.start = start[0];
    range.limit = limit[0];
    range.delta = delta[0];
    return {e.builder().op("range", {}, range)};
  }
  Value* steps = e.iota(range_count(start[0], limit[0], delta[0]), range.dtype);
  return {e.add(e.mul(steps, e.reshape(n.in(2), {})), e.reshape(n.in(0), {}))};
}

Results onnx_eye_like(OnnxNode& n) {
  Value* x = n.in(0);
  const DType dtype = n.has_attribute("dtype") ? to_dtype(static_cast<ElementType>(n.integer("dtype"))) : x->dtype();
  return {n.emit().builder().op("eye_like", {x}, EyeLikeAttributes{dtype, n.integer("k", 0)})};
}

Results onnx_trilu(OnnxNode& n) {
  const Emit& e = n.emit();
  Value* x = n.in(0);
  const bool upper = n.integer("upper", 1) != 0;
  const std::optional<Tensor> k = n.has(1) ? e.known(n.in(1)) : Tensor::of<int64_t>(DType::i64, {}, {0});
  if (k && k->count() == 1) return {e.builder().op("trilu", {x}, TriluAttributes{upper, element_as_int(*k, 0)})};
  // The diagonal is data: compare places.
  if (x->rank() < 2) fail(ErrorCode::bad_file, "needs rank 2 or more");
  const size_t rank = x->shape().size();
  Value* rows = e.add(positions(e, x->shape()[rank - 2], 0, 2), e.reshape(n.in(1), {}));
  Value* columns = positions(e, x->shape()[rank - 1], 1, 2);
  return {e.where(e.binary(upper ? "ge" : "le", columns, rows), x, e.number(0, x))};
}

Results onnx_one_hot(OnnxNode& n) {
  const Emit& e = n.emit();
  OneHotAttributes attributes;
  attributes.axis = static_cast<int64_t>(normal_axis(n.integer("axis", -1), n.in(0)->shape().size() + 1));
  const std::vector<Dim> depth = n.dims(1, "depth");
  if (depth.size() != 1) fail(ErrorCode::bad_file, "depth has {} elements, not one", depth.size());
  attributes.depth = depth[0];
  return {e.builder().op("one_hot", {e.cast(n.in(0), DType::i64), n.in(2)}, attributes)};
}

Results onnx_hann_window(OnnxNode& n) { return cosine_window(n, 0.5, 0.5, 0); }
Results onnx_hamming_window(OnnxNode& n) { return cosine_window(n, 25.0 / 46.0, 1.0 - 25.0 / 46.0, 0); }
Results onnx_blackman_window(OnnxNode& n) { return cosine_window(n, 0.42, 0.5, 0.08); }

}  // namespace narae::onnx
