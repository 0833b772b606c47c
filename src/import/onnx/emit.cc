// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/emit.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/dims.h"
#include "ops/expand.h"
#include "ops/fill.h"
#include "ops/gather.h"
#include "ops/interpret.h"
#include "ops/matmul.h"
#include "ops/pad.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/transpose.h"
#include "ops/unary.h"

namespace narae::onnx {

namespace {

constexpr int64_t known_limit = 1 << 16;  // elements of any value evaluated while importing

bool all_constant(const std::vector<Dim>& dims) {
  return std::all_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.is_constant(); });
}

// Evaluates what `value` is computed from, each node once.
class Evaluation {
 public:
  std::optional<Tensor> value(Value* value) {
    const auto done = done_.find(value);
    if (done != done_.end()) return done->second;
    std::optional<Tensor> result = compute(value);
    done_[value] = result;
    return result;
  }

 private:
  std::optional<Tensor> compute(Value* value) {
    if (value->is_constant()) return value->tensor();
    if (!is_static(value->shape()) || element_count(static_dims(value->shape())) > known_limit) return {};
    if (element_count(static_dims(value->shape())) == 0)
      return Tensor::allocate(value->dtype(), static_dims(value->shape()));
    if (value->contents() && all_constant(*value->contents())) {
      Tensor tensor = Tensor::allocate(value->dtype(), static_dims(value->shape()));
      for (size_t i = 0; i < value->contents()->size(); ++i) {
        const int64_t element = (*value->contents())[i].value();
        if (tensor.dtype == DType::i64)
          tensor.as<int64_t>()[i] = element;
        else
          set_element(tensor, static_cast<int64_t>(i), static_cast<double>(element));
      }
      return tensor;
    }
    const Node* node = value->producer();
    if (!node || node->op().has(op_random) || !node->bodies().empty()) return {};
    std::vector<Dim> sizes;
    node->attribute_box()->collect_dims(sizes);
    if (!all_constant(sizes)) return {};
    std::vector<Tensor> operands;
    for (Value* operand : node->inputs()) {
      std::optional<Tensor> known = operand ? this->value(operand) : Tensor();
      if (!known) return {};
      operands.push_back(std::move(*known));
    }
    std::vector<Tensor> results = run_reference(*node, operands, [](const Dim& dim) { return dim.value(); });
    return std::move(results[static_cast<size_t>(value->index())]);
  }

  std::unordered_map<Value*, std::optional<Tensor>> done_;
};

std::vector<int64_t> without(const std::vector<int64_t>& axes, size_t rank) {
  for (const int64_t axis : axes) {
    if (axis < 0 || axis >= static_cast<int64_t>(rank))
      fail(ErrorCode::bad_file, "axis {} is outside the rank {}", axis, rank);
  }
  std::vector<int64_t> kept;
  for (int64_t axis = 0; axis < static_cast<int64_t>(rank); ++axis) {
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) kept.push_back(axis);
  }
  return kept;
}

}  // namespace

std::optional<Tensor> Emit::known(Value* value) const { return Evaluation().value(value); }

Value* Emit::constant(Tensor tensor) const { return builder_.graph().add_constant(std::move(tensor)); }
Value* Emit::integers(const std::vector<int64_t>& values) const { return builder_.constant_i64(values); }
Value* Emit::scalar(double value, DType dtype) const { return builder_.scalar(value, dtype); }

Value* Emit::dims(const std::vector<Dim>& values) const {
  if (!all_constant(values)) return builder_.op("dims", {}, DimsAttributes{values, false, DType::i64});
  std::vector<int64_t> numbers;
  for (const Dim& dim : values) numbers.push_back(dim.value());
  return integers(numbers);
}

const Dim& Emit::size(const Value* x, size_t axis) const {
  if (axis >= x->shape().size()) fail(ErrorCode::bad_file, "an operand of rank {} has no axis {}", x->rank(), axis);
  return x->shape()[axis];
}

Value* Emit::reshape(Value* x, Shape shape) const {
  if (x->shape() == shape) return x;
  return builder_.op("reshape", {x}, ReshapeAttributes{std::move(shape)});
}

Value* Emit::squeeze(Value* x, const std::vector<int64_t>& axes) const {
  Shape shape;
  for (const int64_t axis : without(axes, x->shape().size())) shape.push_back(x->shape()[static_cast<size_t>(axis)]);
  return reshape(x, std::move(shape));
}

Value* Emit::unsqueeze(Value* x, const std::vector<int64_t>& axes) const {
  Shape shape(x->shape().size() + axes.size(), Dim(1));
  size_t from = 0;
  for (const int64_t axis : without(axes, shape.size())) shape[static_cast<size_t>(axis)] = x->shape()[from++];
  return reshape(x, std::move(shape));
}

Value* Emit::transpose(Value* x, const std::vector<int64_t>& permutation) const {
  if (std::is_sorted(permutation.begin(), permutation.end())) return x;
  return builder_.op("transpose", {x}, TransposeAttributes{permutation});
}

Value* Emit::clip(Value* x, double low, double high) const {
  if (x->dtype() == DType::f32) return builder_.op("clip", {x}, ClipAttributes{low, high});
  return binary("min", binary("max", x, number(low, x)), number(high, x));
}

Value* Emit::iota(const Dim& count, DType dtype) const {
  if (is_float(dtype)) return cast(iota(count, DType::i64), dtype);
  RangeAttributes attributes;
  attributes.limit = count;
  attributes.dtype = dtype;
  return builder_.op("range", {}, attributes);
}

Value* Emit::where(Value* condition, Value* a, Value* b) const { return builder_.op("select", {condition, a, b}); }

Value* Emit::cast(Value* x, DType dtype) const {
  return x->dtype() == dtype ? x : builder_.op("cast", {x}, CastAttributes{dtype});
}

Value* Emit::expand(Value* x, Shape shape) const {
  if (x->shape() == shape) return x;
  return builder_.op("expand", {x}, ExpandAttributes{std::move(shape)});
}

Value* Emit::fill(Shape shape, double value, DType dtype) const {
  return builder_.op("fill", {}, FillAttributes{std::move(shape), value, dtype});
}

Value* Emit::concat(Values xs, int64_t axis) const {
  if (xs.size() == 1) return xs[0];
  return builder_.op("concat", std::move(xs), ConcatAttributes{axis});
}

Value* Emit::slice(Value* x, int64_t axis, const Dim& start, const Dim& length, int64_t step) const {
  NARAE_CHECK(step > 0);
  if (start == Dim(0) && step == 1 && length == size(x, static_cast<size_t>(axis))) return x;
  return builder_.op("slice", {x}, SliceAttributes{{start}, {start + length * Dim(step)}, {axis}, {step}});
}

Value* Emit::pad(Value* x, const std::vector<Dim>& before, const std::vector<Dim>& after, Value* fill) const {
  PadAttributes attributes;
  attributes.pads = before;
  attributes.pads.insert(attributes.pads.end(), after.begin(), after.end());
  const bool nothing =
      std::all_of(attributes.pads.begin(), attributes.pads.end(), [](const Dim& d) { return d == Dim(0); });
  return nothing ? x : builder_.op("pad", {x, fill}, attributes);
}

Value* Emit::reduce(std::string_view kind, Value* x, const std::vector<int64_t>& axes, bool keep_dims) const {
  return builder_.op(fmt::format("reduce_{}", kind), {x}, ReduceAttributes{axes, keep_dims});
}

Value* Emit::softmax(Value* x, int64_t axis) const { return builder_.op("softmax", {x}, SoftmaxAttributes{axis}); }
Value* Emit::log_softmax(Value* x, int64_t axis) const {
  return builder_.op("log_softmax", {x}, SoftmaxAttributes{axis});
}
Value* Emit::hardmax(Value* x, int64_t axis) const { return builder_.op("hardmax", {x}, SoftmaxAttributes{axis}); }

Value* Emit::gather(Value* x, Value* indices, int64_t axis) const {
  if (indices->dtype() != DType::i64 && indices->dtype() != DType::i32) indices = cast(indices, DType::i64);
  return builder_.op("gather", {x, indices}, GatherAttributes{axis});
}

// Operands of rank 1 are a row on the left and a column on the right; the axis made for them goes again.
Value* Emit::matmul(Value* a, Value* b) const {
  const bool row = a->rank() == 1, column = b->rank() == 1;
  if (a->rank() == 0 || b->rank() == 0) fail(ErrorCode::bad_file, "a scalar is no matrix");
  if (row) a = unsqueeze(a, {0});
  if (column) b = unsqueeze(b, {1});
  Value* y = builder_.op("matmul", {a, b}, MatmulAttributes{});
  std::vector<int64_t> made;
  if (row) made.push_back(y->rank() - 2);
  if (column) made.push_back(y->rank() - 1);
  return squeeze(y, made);
}

}  // namespace narae::onnx
