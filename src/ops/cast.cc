// SPDX-License-Identifier: Apache-2.0
#include "ops/cast.h"

#include <limits>

#include "ops/contents.h"
#include "ops/define.h"
#include "ops/ops.h"

namespace narae {

namespace {

struct Range {
  double low, high;  // high: the first value that no longer fits
};
Range integer_range(DType dtype) {
  const int bits = static_cast<int>(dtype_size(dtype)) * 8;
  const bool is_signed = dtype == DType::i8 || dtype == DType::i16 || dtype == DType::i32 || dtype == DType::i64;
  return is_signed ? Range{-std::ldexp(1.0, bits - 1), std::ldexp(1.0, bits - 1)} : Range{0.0, std::ldexp(1.0, bits)};
}

// The Dim as the narrower type would hold it; false when that is not known.
bool cast_content(const Dim& from, DType dtype, Dim& to) {
  to = from;
  if (dtype == DType::boolean) {
    const PossibleOrders can = possible_orders(from, Dim(0));
    if (can.equal && (can.less || can.greater)) return false;
    to = Dim(!can.equal);
    return true;
  }
  return content_fits(to, dtype);
}

void infer(InferContext& c) {
  const DType dtype = c.attributes<CastAttributes>().dtype;
  c.set_output(0, dtype, c.shape(0));
  std::vector<Dim> contents;
  if (!known_contents(c, 0, contents)) return;
  for (Dim& dim : contents) {
    if (!cast_content(Dim(dim), dtype, dim)) return;
  }
  c.set_contents(0, std::move(contents));
}

void from_float(const Tensor& x, const Tensor& y, int64_t i) {
  const double value = element_as_double(x, i);
  if (is_float(y.dtype)) {
    set_element(y, i, value);
  } else if (y.dtype == DType::boolean) {
    y.as<uint8_t>()[i] = value != 0.0;
  } else {
    set_integer(y, i, saturate_to_integer(std::trunc(value), y.dtype));
  }
}

void from_integer(const Tensor& x, const Tensor& y, int64_t i) {
  const int64_t value = element_as_int(x, i);
  if (!is_float(y.dtype)) {
    set_integer(y, i, value);
  } else if (y.dtype == DType::f64) {
    y.as<double>()[i] = x.dtype == DType::u64 ? static_cast<double>(x.as<uint64_t>()[i]) : static_cast<double>(value);
  } else {
    const float single = x.dtype == DType::u64 ? static_cast<float>(x.as<uint64_t>()[i]) : static_cast<float>(value);
    set_element(y, i, single);
  }
}

void reference(ReferenceContext& c) {
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const int64_t count = x.count();
  for (int64_t i = 0; i < count; ++i) is_float(x.dtype) ? from_float(x, y, i) : from_integer(x, y, i);
}

uint16_t emit(const Node& node, ScalarProgram& program, std::span<const uint16_t> operands) {
  const DType from = node.input(0)->dtype(), to = node.output(0)->dtype();
  if (to == DType::boolean) return program.emit(ScalarOp::ne, operands[0], program.constant(0.0f));
  return program.emit(is_float(from) && !is_float(to) ? ScalarOp::trunc : ScalarOp::copy, operands[0]);
}

}  // namespace

int64_t saturate_to_integer(double value, DType dtype) {
  if (std::isnan(value)) return 0;
  const Range range = integer_range(dtype);
  if (value >= range.high) {
    if (dtype == DType::i64) return std::numeric_limits<int64_t>::max();
    return dtype == DType::u64 ? -1 : static_cast<int64_t>(range.high - 1);
  }
  if (value < range.low) value = range.low;
  return dtype == DType::u64 ? static_cast<int64_t>(static_cast<uint64_t>(value)) : static_cast<int64_t>(value);
}

void set_integer(const Tensor& tensor, int64_t index, int64_t value) {
  if (tensor.dtype == DType::boolean) {
    tensor.as<uint8_t>()[index] = value != 0;
    return;
  }
  visit_storage(tensor.dtype, [&](auto tag) { tensor.as<decltype(tag)>()[index] = static_cast<decltype(tag)>(value); });
}

const OpDef* cast_op() {
  static const OpDef def = [] {
    OpDef cast = define_op<CastAttributes>("cast", 1, 1, op_pointwise, infer, reference);
    cast.scalar = emit;
    return cast;
  }();
  return &def;
}

}  // namespace narae
