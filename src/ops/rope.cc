// SPDX-License-Identifier: Apache-2.0
#include "ops/rope.h"

#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer_rope(InferContext& c) {
  const Shape& x = c.shape(0);
  if (x.size() != 3 || c.shape(1).size() != 1 || c.shape(2).size() != 1) {
    fail(ErrorCode::bad_file, "rope takes x [T, heads, D], positions [T] and frequencies [D' / 2], not {}, {} and {}",
         shape_text(x), shape_text(c.shape(1)), shape_text(c.shape(2)));
  }
  const bool floats = is_float(c.dtype(0)) && c.dtype(0) != DType::f64 && c.dtype(2) == DType::f32;
  if (!floats || c.dtype(1) != DType::i32) {
    fail(ErrorCode::bad_file, "rope takes f32, f16 or bf16, i32 and f32, not {}, {} and {}", dtype_name(c.dtype(0)),
         dtype_name(c.dtype(1)), dtype_name(c.dtype(2)));
  }
  c.require_equal(x[0], c.shape(1)[0], "one position per row");
  const Dim &width = x[2], &pairs = c.shape(2)[0];
  if (width.is_constant() && pairs.is_constant() && 2 * pairs.value() > width.value()) {
    fail(ErrorCode::bad_file, "{} frequencies for heads of size {}", pairs.value(), width.value());
  }
  c.set_output(0, c.dtype(0), x);
}

void reference_rope(ReferenceContext& c) {
  const Tensor &x = c.inputs[0], &positions = c.inputs[1], &frequencies = c.inputs[2], &y = c.outputs[0];
  const auto& attributes = c.attributes<RopeAttributes>();
  const int64_t heads = x.dims[1], width = x.dims[2], pairs = frequencies.dims[0];
  if (2 * pairs > width) fail(ErrorCode::does_not_fit, "{} frequencies for heads of size {}", pairs, width);
  const int64_t step = attributes.interleaved ? 2 : 1, apart = attributes.interleaved ? 1 : pairs;
  for (int64_t row = 0; row < x.dims[0] * heads; ++row) {
    const int64_t at = row * width;
    for (int64_t i = 2 * pairs; i < width; ++i) set_element(y, at + i, element_as_double(x, at + i));
    for (int64_t i = 0; i < pairs; ++i) {
      const double angle = static_cast<double>(positions.as<int32_t>()[row / heads]) * frequencies.as<float>()[i];
      const double cosine = std::cos(angle) * attributes.scale, sine = std::sin(angle) * attributes.scale;
      const double a = element_as_double(x, at + step * i), b = element_as_double(x, at + step * i + apart);
      set_element(y, at + step * i, a * cosine - b * sine);
      set_element(y, at + step * i + apart, b * cosine + a * sine);
    }
  }
}

}  // namespace

const OpDef* rope_op() {
  static const OpDef def = define_op<RopeAttributes>("rope", 3, 3, 0, infer_rope, reference_rope);
  return &def;
}

}  // namespace narae
