// SPDX-License-Identifier: Apache-2.0
// select: y = condition ? a : b, the three broadcast as numpy does (ONNX Where). The condition is boolean.
#include "ops/contents.h"
#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void carry_contents(InferContext& c) {
  size_t count;
  if (!countable(c.node().output()->shape(), count)) return;
  std::vector<Dim> condition, a, b;
  const bool has_condition = known_contents(c, 0, condition);
  const bool has_a = known_contents(c, 1, a), has_b = known_contents(c, 2, b);
  if (!c.contents(1) && !c.contents(2)) return;
  std::vector<Dim> contents;
  for (size_t i = 0; i < count; ++i) {
    const bool decided = has_condition && content_at(condition, i).is_constant();
    if (decided && content_at(condition, i) != Dim(0) && has_a) {
      contents.push_back(content_at(a, i));
    } else if (decided && content_at(condition, i) == Dim(0) && has_b) {
      contents.push_back(content_at(b, i));
    } else if (has_a && has_b && content_at(a, i) == content_at(b, i)) {
      contents.push_back(content_at(a, i));
    } else {
      return;
    }
  }
  c.set_contents(0, std::move(contents));
}

void infer(InferContext& c) {
  if (c.dtype(0) != DType::boolean) fail(ErrorCode::bad_file, "the condition is {}, not bool", dtype_name(c.dtype(0)));
  if (c.dtype(1) != c.dtype(2)) {
    fail(ErrorCode::bad_file, "the choices are {} and {}; both must have one type", dtype_name(c.dtype(1)),
         dtype_name(c.dtype(2)));
  }
  c.set_output(0, c.dtype(1), c.broadcast(c.broadcast(c.shape(0), c.shape(1)), c.shape(2)));
  carry_contents(c);
}

void reference(ReferenceContext& c) {
  const Tensor &condition = c.inputs[0], &a = c.inputs[1], &b = c.inputs[2], &y = c.outputs[0];
  const Dims sc = broadcast_strides(condition.dims, y.dims);
  const Dims sa = broadcast_strides(a.dims, y.dims), sb = broadcast_strides(b.dims, y.dims);
  visit_storage(y.dtype, [&](auto tag) {
    using T = decltype(tag);
    for_each_index(y.dims, [&](const Dims& index, int64_t i) {
      y.as<T>()[i] = condition.as<uint8_t>()[offset_of(index, sc)] ? a.as<T>()[offset_of(index, sa)]
                                                                   : b.as<T>()[offset_of(index, sb)];
    });
  });
}

uint16_t emit(const Node&, ScalarProgram& program, std::span<const uint16_t> operands) {
  return program.emit(ScalarOp::select, operands[0], operands[1], operands[2]);
}

}  // namespace

const OpDef* select_op() {
  static const OpDef def = [] {
    OpDef select = define_op<NoAttributes>("select", 3, 3, op_pointwise, infer, reference);
    select.scalar = emit;
    return select;
  }();
  return &def;
}

}  // namespace narae
