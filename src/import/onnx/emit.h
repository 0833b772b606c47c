// SPDX-License-Identifier: Apache-2.0
// Narae's own ops as the importer calls them: thin functions over Builder, so that the mapping of an ONNX operator
// reads like its definition. A call that changes nothing returns its operand.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "graph/builder.h"

namespace narae::onnx {

using Values = std::vector<Value*>;

class Emit {
 public:
  explicit Emit(Builder& builder) : builder_(builder) {}
  Builder& builder() const { return builder_; }

  // The contents of a value that depends on constants only: evaluated here by references when it is small (at most 2^16
  // elements along the way). Nothing: depends on a graph input, or is too large.
  std::optional<Tensor> known(Value* value) const;

  Value* constant(Tensor tensor) const;
  Value* integers(const std::vector<int64_t>& values) const;  // i64 [n]
  Value* scalar(double value, DType dtype) const;
  Value* number(double value, const Value* like) const { return scalar(value, like->dtype()); }
  Value* dims(const std::vector<Dim>& values) const;  // i64 [n] that carries `values` as contents
  Value* iota(const Dim& count, DType dtype) const;   // 0, 1, ... count - 1

  // Pointwise. unary() is for any op without attributes.
  Value* unary(std::string_view op, Value* x) const { return builder_.op(op, {x}); }
  Value* binary(std::string_view op, Value* a, Value* b) const { return builder_.op(op, {a, b}); }
  Value* add(Value* a, Value* b) const { return binary("add", a, b); }
  Value* sub(Value* a, Value* b) const { return binary("sub", a, b); }
  Value* mul(Value* a, Value* b) const { return binary("mul", a, b); }
  Value* div(Value* a, Value* b) const { return binary("div", a, b); }
  Value* add(Value* a, double b) const { return add(a, number(b, a)); }
  Value* sub(Value* a, double b) const { return sub(a, number(b, a)); }
  Value* mul(Value* a, double b) const { return mul(a, number(b, a)); }
  Value* div(Value* a, double b) const { return div(a, number(b, a)); }
  Value* where(Value* condition, Value* a, Value* b) const;
  Value* cast(Value* x, DType dtype) const;
  Value* clip(Value* x, double low, double high) const;

  const Dim& size(const Value* x, size_t axis) const;  // Error bad_file where x has no such axis

  // Same elements, other places. Sizes may be Dims.
  Value* reshape(Value* x, Shape shape) const;
  Value* squeeze(Value* x, const std::vector<int64_t>& axes) const;    // normal axes
  Value* unsqueeze(Value* x, const std::vector<int64_t>& axes) const;  // normal axes of the result
  Value* transpose(Value* x, const std::vector<int64_t>& permutation) const;
  Value* expand(Value* x, Shape shape) const;  // numpy broadcasting; `shape` is the result's
  Value* concat(Values xs, int64_t axis) const;
  Value* fill(Shape shape, double value, DType dtype) const;
  // Elements start, start + step, ... (length of them) of one axis; step is positive, start not counted from the end.
  Value* slice(Value* x, int64_t axis, const Dim& start, const Dim& length, int64_t step = 1) const;
  // `before` and `after` per axis, constant mode, not negative.
  Value* pad(Value* x, const std::vector<Dim>& before, const std::vector<Dim>& after, Value* fill) const;

  // Reductions over normal axes: "sum", "mean", "max", "min", "prod", "l1", "l2", ...: reduce_KIND is an op.
  Value* reduce(std::string_view kind, Value* x, const std::vector<int64_t>& axes, bool keep_dims) const;
  Value* softmax(Value* x, int64_t axis) const;
  Value* log_softmax(Value* x, int64_t axis) const;
  Value* hardmax(Value* x, int64_t axis) const;
  Value* matmul(Value* a, Value* b) const;

  // Numpy take along `axis`; negative indices count from the end.
  Value* gather(Value* x, Value* indices, int64_t axis) const;

 private:
  Builder& builder_;
};

}  // namespace narae::onnx
