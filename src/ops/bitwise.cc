// SPDX-License-Identifier: Apache-2.0
// Bits of integers, operands of one type that broadcast as numpy does. A shift by the number of bits or more leaves
// nothing; right shifts of signed integers keep the sign.
#include "ops/cast.h"
#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  for (size_t i = 0; i < c.input_count(); ++i) {
    if (!is_integer(c.dtype(i)) || c.dtype(i) != c.dtype(0)) {
      fail(ErrorCode::bad_file, "operand {} is {}; all must be of one integer type", i, dtype_name(c.dtype(i)));
    }
  }
  c.set_output(0, c.dtype(0), c.input_count() == 2 ? c.broadcast(c.shape(0), c.shape(1)) : c.shape(0));
}

using Bits = int64_t (*)(int64_t a, int64_t b, int bits);

int64_t bits_and(int64_t a, int64_t b, int) { return a & b; }
int64_t bits_or(int64_t a, int64_t b, int) { return a | b; }
int64_t bits_xor(int64_t a, int64_t b, int) { return a ^ b; }
int64_t shift_left(int64_t a, int64_t b, int bits) {
  return b < 0 || b >= bits ? 0 : static_cast<int64_t>(static_cast<uint64_t>(a) << b);
}
// Unsigned elements arrive without sign, but for u64.
int64_t shift_right(int64_t a, int64_t b, int bits) { return b < 0 || b >= bits ? (a < 0 ? -1 : 0) : a >> b; }

template <Bits bits>
void reference(ReferenceContext& c) {
  const Tensor &a = c.inputs[0], &b = c.inputs[1], &y = c.outputs[0];
  const Dims sa = broadcast_strides(a.dims, y.dims), sb = broadcast_strides(b.dims, y.dims);
  const int width = static_cast<int>(dtype_size(y.dtype)) * 8;
  for_each_index(y.dims, [&](const Dims& index, int64_t i) {
    const int64_t x = element_as_int(a, offset_of(index, sa)), by = element_as_int(b, offset_of(index, sb));
    if (bits == shift_right && y.dtype == DType::u64) {
      y.as<uint64_t>()[i] = by < 0 || by >= width ? 0 : static_cast<uint64_t>(x) >> by;
    } else {
      set_integer(y, i, bits(x, by, width));
    }
  });
}

void reference_not(ReferenceContext& c) {
  const int64_t count = c.inputs[0].count();
  for (int64_t i = 0; i < count; ++i) set_integer(c.outputs[0], i, ~element_as_int(c.inputs[0], i));
}

}  // namespace

#define NARAE_BITWISE_OP(name, bits, traits)                                                       \
  const OpDef* name##_op() {                                                                       \
    static const OpDef def = define_op<NoAttributes>(#name, 2, 2, traits, infer, reference<bits>); \
    return &def;                                                                                   \
  }
NARAE_BITWISE_OP(bitwise_and, bits_and, op_commutative)
NARAE_BITWISE_OP(bitwise_or, bits_or, op_commutative)
NARAE_BITWISE_OP(bitwise_xor, bits_xor, op_commutative)
NARAE_BITWISE_OP(shift_left, shift_left, 0)
NARAE_BITWISE_OP(shift_right, shift_right, 0)

const OpDef* bitwise_not_op() {
  static const OpDef def = define_op<NoAttributes>("bitwise_not", 1, 1, 0, infer, reference_not);
  return &def;
}

}  // namespace narae
