// SPDX-License-Identifier: Apache-2.0
#include "ops/kv.h"

#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer_token_source(InferContext& c) {
  for (size_t i = 0; i < 3; ++i) {
    if (c.dtype(i) != DType::i32 || c.shape(i).size() != 1) {
      fail(ErrorCode::bad_file, "operand {} of token_source is {}{}, not a list of i32", i, dtype_name(c.dtype(i)),
           shape_text(c.shape(i)));
    }
  }
  c.require_equal(c.shape(0)[0], c.shape(1)[0], "one slot per row");
  c.set_output(0, DType::i32, c.shape(0));
}

void reference_token_source(ReferenceContext& c) {
  const auto *ids = c.inputs[0].as<int32_t>(), *slots = c.inputs[1].as<int32_t>(), *last = c.inputs[2].as<int32_t>();
  for (int64_t i = 0; i < c.inputs[0].count(); ++i) {
    if (ids[i] < 0 && (slots[i] < 0 || slots[i] >= c.inputs[2].count())) {
      fail(ErrorCode::does_not_fit, "slot {} of row {} is outside [0, {})", slots[i], i, c.inputs[2].count());
    }
    c.outputs[0].as<int32_t>()[i] = ids[i] >= 0 ? ids[i] : last[slots[i]];
  }
}

void infer_kv_write(InferContext& c) {
  const Shape &state = c.shape(0), &x = c.shape(1);
  if (state.empty() || x.size() != state.size() || c.shape(2).size() != 1 || c.dtype(2) != DType::i32) {
    fail(ErrorCode::bad_file, "kv_write takes a state [places, ..], rows [T, ..] and i32 places [T], not {}, {}, {}{}",
         shape_text(state), shape_text(x), dtype_name(c.dtype(2)), shape_text(c.shape(2)));
  }
  const bool narrows = c.dtype(1) == DType::f32 && (c.dtype(0) == DType::f16 || c.dtype(0) == DType::bf16);
  if (c.dtype(0) != c.dtype(1) && !narrows) {
    fail(ErrorCode::bad_file, "kv_write of {} into a state of {}", dtype_name(c.dtype(1)), dtype_name(c.dtype(0)));
  }
  for (size_t i = 1; i < state.size(); ++i) c.require_equal(state[i], x[i], "kv_write: a row and a place");
  c.require_equal(x[0], c.shape(2)[0], "kv_write: one place per row");
  c.set_output(0, c.dtype(0), state);
}

void reference_kv_write(ReferenceContext& c) {
  const Tensor &state = c.inputs[0], &x = c.inputs[1], &y = c.outputs[0];
  if (state.bytes() && y.data != state.data) std::memcpy(y.data, state.data, state.bytes());
  const int64_t rows = x.dims[0], width = rows ? x.count() / rows : 0;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t place = c.inputs[2].as<int32_t>()[row];
    if (place < 0 || place >= y.dims[0]) {
      fail(ErrorCode::does_not_fit, "place {} of row {} is outside [0, {})", place, row, y.dims[0]);
    }
    if (x.dtype == y.dtype) {
      const size_t bytes = static_cast<size_t>(width) * dtype_size(x.dtype);
      if (bytes)
        std::memcpy(y.as<char>() + static_cast<size_t>(place) * bytes, x.as<char>() + static_cast<size_t>(row) * bytes,
                    bytes);
      continue;
    }
    for (int64_t i = 0; i < width; ++i) set_element(y, place * width + i, element_as_double(x, row * width + i));
  }
}

}  // namespace

const OpDef* token_source_op() {
  static const OpDef def = define_op<NoAttributes>("token_source", 3, 3, 0, infer_token_source, reference_token_source);
  return &def;
}
const OpDef* kv_write_op() {
  static const OpDef def = define_op<NoAttributes>("kv_write", 3, 3, op_updates, infer_kv_write, reference_kv_write);
  return &def;
}

}  // namespace narae
