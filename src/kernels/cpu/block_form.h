// SPDX-License-Identifier: Apache-2.0
// The packed form of weights in blocks (tensor/formats.h) that the products of block_gemm.h read: one form for any
// number of rows and every instruction set, exact. 16 columns of the product (rows of the weights) make a panel; the
// sections of a panel follow each other, and in each the groups of 32 values of K:
//   quants  4 bits: chunk c of 4, lane l, byte j: low nibble value 4c + j, high nibble value 16 + 4c + j;
//           8 bits: chunk c of 8, lane l, byte j: value 4c + j. Unsigned, `zero` above the value.
//   scales  16 halves; or 16 bytes, or twice 16 signed bytes, that count in d of their 256 values
//   mins    as scales, where the form has them: value = scale * quant + min, or - dmin * min
//   d, dmin 16 halves for 256 values each
// The one thing not to get wrong: lanes beyond the last column are zeros, scales too, so they add nothing.
#pragma once

#include <cstdint>

#include "tensor/formats.h"

namespace narae::cpu {

enum class BlockScale : uint8_t { half, bytes, signed_halves };  // the last: of 16 values each

struct BlockForm {
  BlockFormat format = BlockFormat::none;
  int bits = 8;
  int zero = 0;  // subtracted from every quant
  BlockScale scale = BlockScale::half;
  bool mins = false;
};

inline constexpr int64_t block_panel_columns = 16, block_group = 32;

constexpr BlockForm block_form(BlockFormat format) {
  switch (format) {
    case BlockFormat::q4_0: return {format, 4, 8, BlockScale::half, false};
    case BlockFormat::q4_1: return {format, 4, 0, BlockScale::half, true};
    case BlockFormat::q5_0: return {format, 8, 16, BlockScale::half, false};
    case BlockFormat::q5_1: return {format, 8, 0, BlockScale::half, true};
    case BlockFormat::q8_0: return {format, 8, 128, BlockScale::half, false};
    case BlockFormat::q4_k: return {format, 4, 0, BlockScale::bytes, true};
    case BlockFormat::q5_k: return {format, 8, 0, BlockScale::bytes, true};
    case BlockFormat::q6_k: return {format, 8, 32, BlockScale::signed_halves, false};
    case BlockFormat::none: break;
  }
  return {};
}

// Where the sections of a panel begin, for `groups` groups of K.
struct BlockSections {
  int64_t scales, mins, d, dmin, bytes;
};
constexpr BlockSections block_sections(const BlockForm& form, int64_t groups) {
  const bool supers = form.scale != BlockScale::half;
  const int64_t scales = groups * (form.scale == BlockScale::bytes ? 16 : 32), d = supers ? groups / 8 * 32 : 0;
  BlockSections s{};
  s.scales = groups * 64 * form.bits;
  s.mins = s.scales + scales;
  s.d = s.mins + (form.mins ? scales : 0);
  s.dmin = s.d + d;
  s.bytes = (s.dmin + (form.mins ? d : 0) + 63) / 64 * 64;
  return s;
}

inline int64_t packed_blocks_bytes(const BlockForm& form, int64_t n, int64_t k) {
  return (n + block_panel_columns - 1) / block_panel_columns * block_sections(form, k / block_group).bytes;
}
// rows: n rows of k values in blocks, one after the other, at any address.
void pack_blocks(const BlockForm& form, const uint8_t* rows, int64_t n, int64_t k, uint8_t* packed);

}  // namespace narae::cpu
