// SPDX-License-Identifier: Apache-2.0
// Weights stored in blocks, as GGUF files hold them: a row of K values is K / values blocks, one after the other. The
// structs are the bytes of the file (little-endian), so they have no padding and an alignment of at most 2.
// Source: the GGUF specification and ggml's block types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace narae {

enum class BlockFormat : uint8_t { none, q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, q5_k, q6_k };
inline constexpr int block_format_count = 9;

using HalfBits = uint16_t;

// value = d * (q - 8); q of value i < 16 is the low nibble of qs[i], of value i + 16 its high nibble.
struct BlockQ4_0 {
  HalfBits d;
  uint8_t qs[16];
};
// value = d * q + m
struct BlockQ4_1 {
  HalfBits d, m;
  uint8_t qs[16];
};
// As Q4_0 with a fifth bit: bit i of qh belongs to value i; value = d * (q - 16).
struct BlockQ5_0 {
  HalfBits d;
  uint8_t qh[4];
  uint8_t qs[16];
};
// value = d * q + m
struct BlockQ5_1 {
  HalfBits d, m;
  uint8_t qh[4];
  uint8_t qs[16];
};
// value = d * qs[i]
struct BlockQ8_0 {
  HalfBits d;
  int8_t qs[32];
};
// 8 groups of 32 values: value = d * scale * q - dmin * min. `scales` packs 8 scales and 8 mins of 6 bits. Of each 32
// bytes of qs the low nibbles are one group, the high nibbles the next.
struct BlockQ4K {
  HalfBits d, dmin;
  uint8_t scales[12];
  uint8_t qs[128];
};
// As Q4_K with a fifth bit: bit g of qh[i] belongs to value i of group g.
struct BlockQ5K {
  HalfBits d, dmin;
  uint8_t scales[12];
  uint8_t qh[32];
  uint8_t qs[128];
};
// 16 groups of 16 values: value = d * scale * (q - 32), the low four bits in ql, the high two in qh.
struct BlockQ6K {
  uint8_t ql[128];
  uint8_t qh[64];
  int8_t scales[16];
  HalfBits d;
};

static_assert(sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4_1) == 20 && sizeof(BlockQ5_0) == 22);
static_assert(sizeof(BlockQ5_1) == 24 && sizeof(BlockQ8_0) == 34);
static_assert(sizeof(BlockQ4K) == 144 && sizeof(BlockQ5K) == 176 && sizeof(BlockQ6K) == 210);

struct BlockFormatInfo {
  BlockFormat format;
  const char* name;  // as attributes and messages write it
  int values;        // of one block
  int bytes;
};

inline constexpr BlockFormatInfo block_formats[block_format_count] = {
    {BlockFormat::none, "none", 1, 0},
    {BlockFormat::q4_0, "q4_0", 32, sizeof(BlockQ4_0)},
    {BlockFormat::q4_1, "q4_1", 32, sizeof(BlockQ4_1)},
    {BlockFormat::q5_0, "q5_0", 32, sizeof(BlockQ5_0)},
    {BlockFormat::q5_1, "q5_1", 32, sizeof(BlockQ5_1)},
    {BlockFormat::q8_0, "q8_0", 32, sizeof(BlockQ8_0)},
    {BlockFormat::q4_k, "q4_k", 256, sizeof(BlockQ4K)},
    {BlockFormat::q5_k, "q5_k", 256, sizeof(BlockQ5K)},
    {BlockFormat::q6_k, "q6_k", 256, sizeof(BlockQ6K)},
};

inline constexpr const BlockFormatInfo& block_format_info(BlockFormat format) {
  return block_formats[static_cast<int>(format)];
}
// BlockFormat::none for a name of no block format.
inline constexpr BlockFormat block_format_from_name(std::string_view name) {
  for (const BlockFormatInfo& info : block_formats) {
    if (name == info.name) return info.format;
  }
  return BlockFormat::none;
}

}  // namespace narae
