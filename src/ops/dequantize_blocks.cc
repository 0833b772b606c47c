// SPDX-License-Identifier: Apache-2.0
#include "ops/dequantize_blocks.h"

#include "ops/define.h"
#include "ops/ops.h"
#include "tensor/formats.h"

namespace narae {
namespace {

const BlockFormatInfo& format_of(const DequantizeBlocksAttributes& a) {
  const BlockFormat format = block_format_from_name(a.format);
  if (format == BlockFormat::none) fail(ErrorCode::bad_file, "no block format is named \"{}\"", a.format);
  return block_format_info(format);
}

void infer_dequantize_blocks(InferContext& c) {
  const BlockFormatInfo& info = format_of(c.attributes<DequantizeBlocksAttributes>());
  if (c.dtype(0) != DType::u8) fail(ErrorCode::bad_file, "blocks are u8, not {}", dtype_name(c.dtype(0)));
  if (c.shape(0).empty()) fail(ErrorCode::bad_file, "blocks of rank 0");
  Shape shape = c.shape(0);
  const Dim blocks = floordiv(shape.back(), Dim(info.bytes));
  c.require_equal(shape.back(), blocks * Dim(info.bytes), fmt::format("rows of whole {} blocks", info.name));
  shape.back() = blocks * Dim(info.values);
  c.set_output(0, DType::f32, std::move(shape));
}

float value_of(const BlockQ4_0& b, int i) {
  const int q = i < 16 ? b.qs[i] & 15 : b.qs[i - 16] >> 4;
  return half_to_float(b.d) * static_cast<float>(q - 8);
}

float value_of(const BlockQ4_1& b, int i) {
  const int q = i < 16 ? b.qs[i] & 15 : b.qs[i - 16] >> 4;
  return half_to_float(b.d) * static_cast<float>(q) + half_to_float(b.m);
}

int fifth_bit(const uint8_t* qh, int i) { return (qh[i / 8] >> (i % 8) & 1) << 4; }

float value_of(const BlockQ5_0& b, int i) {
  const int q = (i < 16 ? b.qs[i] & 15 : b.qs[i - 16] >> 4) | fifth_bit(b.qh, i);
  return half_to_float(b.d) * static_cast<float>(q - 16);
}

float value_of(const BlockQ5_1& b, int i) {
  const int q = (i < 16 ? b.qs[i] & 15 : b.qs[i - 16] >> 4) | fifth_bit(b.qh, i);
  return half_to_float(b.d) * static_cast<float>(q) + half_to_float(b.m);
}

float value_of(const BlockQ8_0& b, int i) { return half_to_float(b.d) * static_cast<float>(b.qs[i]); }

// 6 bits each: of groups 0 to 3 the low bits of bytes 0 to 3 (scales) and 4 to 7 (mins), whose top two bits complete
// the nibbles that bytes 8 to 11 hold for groups 4 to 7.
struct ScaleMin {
  int scale, min;
};
ScaleMin scale_min(const uint8_t* s, int group) {
  if (group < 4) return {s[group] & 63, s[group + 4] & 63};
  return {(s[group + 4] & 15) | (s[group - 4] >> 6) << 4, s[group + 4] >> 4 | (s[group] >> 6) << 4};
}

template <typename B>
float k_value(const B& b, int group, int q) {
  const ScaleMin s = scale_min(b.scales, group);
  return half_to_float(b.d) * static_cast<float>(s.scale) * static_cast<float>(q) -
         half_to_float(b.dmin) * static_cast<float>(s.min);
}

int k_nibble(const uint8_t* qs, int i) {
  const int byte = qs[i / 64 * 32 + i % 32];
  return i / 32 % 2 ? byte >> 4 : byte & 15;
}

float value_of(const BlockQ4K& b, int i) { return k_value(b, i / 32, k_nibble(b.qs, i)); }

float value_of(const BlockQ5K& b, int i) {
  return k_value(b, i / 32, k_nibble(b.qs, i) | (b.qh[i % 32] >> (i / 32) & 1) << 4);
}

float value_of(const BlockQ6K& b, int i) {
  const int half = i / 128, quarter = i % 128 / 32, lane = i % 32;
  const int low = b.ql[half * 64 + quarter % 2 * 32 + lane];
  const int high = b.qh[half * 32 + lane] >> (2 * quarter) & 3;
  const int q = (quarter < 2 ? low & 15 : low >> 4) | high << 4;
  return half_to_float(b.d) * static_cast<float>(b.scales[i / 16]) * static_cast<float>(q - 32);
}

template <typename B>
void decode(const BlockFormatInfo& info, const Tensor& x, const Tensor& y) {
  NARAE_CHECK(sizeof(B) == static_cast<size_t>(info.bytes));
  const int64_t blocks = x.count() / info.bytes;
  for (int64_t i = 0; i < blocks; ++i) {
    B block;
    std::memcpy(&block, x.as<uint8_t>() + i * info.bytes, sizeof block);  // a file gives no alignment
    for (int k = 0; k < info.values; ++k) y.as<float>()[i * info.values + k] = value_of(block, k);
  }
}

void reference_dequantize_blocks(ReferenceContext& c) {
  const BlockFormatInfo& info = format_of(c.attributes<DequantizeBlocksAttributes>());
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  switch (info.format) {
    case BlockFormat::q4_0: return decode<BlockQ4_0>(info, x, y);
    case BlockFormat::q4_1: return decode<BlockQ4_1>(info, x, y);
    case BlockFormat::q5_0: return decode<BlockQ5_0>(info, x, y);
    case BlockFormat::q5_1: return decode<BlockQ5_1>(info, x, y);
    case BlockFormat::q8_0: return decode<BlockQ8_0>(info, x, y);
    case BlockFormat::q4_k: return decode<BlockQ4K>(info, x, y);
    case BlockFormat::q5_k: return decode<BlockQ5K>(info, x, y);
    case BlockFormat::q6_k: return decode<BlockQ6K>(info, x, y);
    case BlockFormat::none: NARAE_CHECK(false);
  }
}

}  // namespace

const OpDef* dequantize_blocks_op() {
  static const OpDef def = define_op<DequantizeBlocksAttributes>("dequantize_blocks", 1, 1, 0, infer_dequantize_blocks,
                                                                 reference_dequantize_blocks);
  return &def;
}

}  // namespace narae
