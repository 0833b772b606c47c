// SPDX-License-Identifier: Apache-2.0
// Packing moves words of four quants: a lane of a chunk is four neighbours of a group, which the file's blocks hold as
// neighbours too.
#include "kernels/cpu/block_form.h"

#include <cstring>

namespace narae::cpu {
namespace {

uint32_t word(const uint8_t* bytes) {
  uint32_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

constexpr uint32_t low_nibbles = 0x0f0f0f0f;

// Bits 0 to 3 of `bits`, each at the place of bit `to` of a byte of its own.
uint32_t spread(uint32_t bits, int to) { return ((bits & 15) * 0x00204081u & 0x01010101u) << to; }

// The place of one lane of a panel.
struct Lane {
  uint8_t* panel;
  BlockSections at;
  int64_t lane;
  int bits;
  void quants(int64_t group, int chunk, uint32_t value) const {
    std::memcpy(panel + group * 64 * bits + chunk * 64 + lane * 4, &value, sizeof value);
  }
  void half(int64_t section, int64_t index, HalfBits value) const {
    std::memcpy(panel + section + (index * 16 + lane) * 2, &value, sizeof value);
  }
  void byte(int64_t section, int64_t index, uint8_t value) const { panel[section + index * 16 + lane] = value; }
};

void put(const BlockQ4_0& b, const Lane& to, int64_t group) {
  for (int c = 0; c < 4; ++c) to.quants(group, c, word(b.qs + 4 * c));
  to.half(to.at.scales, group, b.d);
}

void put(const BlockQ4_1& b, const Lane& to, int64_t group) {
  for (int c = 0; c < 4; ++c) to.quants(group, c, word(b.qs + 4 * c));
  to.half(to.at.scales, group, b.d);
  to.half(to.at.mins, group, b.m);
}

template <typename B>
void put_five_bits(const B& b, const Lane& to, int64_t group) {
  const uint32_t fifth = word(b.qh);
  for (int c = 0; c < 4; ++c) {
    const uint32_t nibbles = word(b.qs + 4 * c);
    to.quants(group, c, (nibbles & low_nibbles) | spread(fifth >> 4 * c, 4));
    to.quants(group, c + 4, (nibbles >> 4 & low_nibbles) | spread(fifth >> (16 + 4 * c), 4));
  }
  to.half(to.at.scales, group, b.d);
}

void put(const BlockQ5_0& b, const Lane& to, int64_t group) { put_five_bits(b, to, group); }

void put(const BlockQ5_1& b, const Lane& to, int64_t group) {
  put_five_bits(b, to, group);
  to.half(to.at.mins, group, b.m);
}

void put(const BlockQ8_0& b, const Lane& to, int64_t group) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(b.qs);
  for (int c = 0; c < 8; ++c) to.quants(group, c, word(bytes + 4 * c) ^ 0x80808080u);
  to.half(to.at.scales, group, b.d);
}

// Scales and mins of a K block with 8 groups of 32, whose first group is `group`.
template <typename B>
void put_factors(const B& b, const Lane& to, int64_t group) {
  for (int g = 0; g < 4; ++g) {
    const uint8_t low = b.scales[g], middle = b.scales[g + 4], high = b.scales[g + 8];
    to.byte(to.at.scales, group + g, low & 63);
    to.byte(to.at.mins, group + g, middle & 63);
    to.byte(to.at.scales, group + g + 4, static_cast<uint8_t>((high & 15) | (low >> 6) << 4));
    to.byte(to.at.mins, group + g + 4, static_cast<uint8_t>(high >> 4 | (middle >> 6) << 4));
  }
  to.half(to.at.d, group / 8, b.d);
  to.half(to.at.dmin, group / 8, b.dmin);
}

void put(const BlockQ4K& b, const Lane& to, int64_t group) {
  for (int g = 0; g < 8; g += 2) {
    for (int c = 0; c < 4; ++c) {
      const uint32_t first = word(b.qs + g * 16 + 4 * c), second = word(b.qs + g * 16 + 16 + 4 * c);
      to.quants(group + g, c, (first & low_nibbles) | (second & low_nibbles) << 4);
      to.quants(group + g + 1, c, (first >> 4 & low_nibbles) | (second & ~low_nibbles));
    }
  }
  put_factors(b, to, group);
}

void put(const BlockQ5K& b, const Lane& to, int64_t group) {
  for (int g = 0; g < 8; g += 2) {
    for (int c = 0; c < 8; ++c) {
      const uint32_t nibbles = word(b.qs + g * 16 + 4 * c), fifth = word(b.qh + 4 * c) >> g;
      to.quants(group + g, c, (nibbles & low_nibbles) | (fifth & 0x01010101u) << 4);
      to.quants(group + g + 1, c, (nibbles >> 4 & low_nibbles) | (fifth >> 1 & 0x01010101u) << 4);
    }
  }
  put_factors(b, to, group);
}

void put(const BlockQ6K& b, const Lane& to, int64_t group) {
  for (int g = 0; g < 8; ++g) {
    const int half = g / 4, quarter = g % 4;
    for (int c = 0; c < 8; ++c) {
      const uint32_t low = word(b.ql + half * 64 + quarter % 2 * 32 + 4 * c) >> (quarter < 2 ? 0 : 4);
      const uint32_t high = word(b.qh + half * 32 + 4 * c) >> 2 * quarter;
      to.quants(group + g, c, (low & low_nibbles) | (high & 0x03030303u) << 4);
    }
    to.byte(to.at.scales, 2 * (group + g), static_cast<uint8_t>(b.scales[2 * g]));
    to.byte(to.at.scales, 2 * (group + g) + 1, static_cast<uint8_t>(b.scales[2 * g + 1]));
  }
  to.half(to.at.d, group / 8, b.d);
}

template <typename B, int Values>
void pack_panels(const BlockForm& form, const uint8_t* rows, int64_t n, int64_t k, uint8_t* packed) {
  const int64_t blocks = k / Values, row_bytes = blocks * static_cast<int64_t>(sizeof(B));
  const BlockSections at = block_sections(form, k / block_group);
  for (int64_t first = 0; first < n; first += block_panel_columns, packed += at.bytes) {
    const int64_t lanes = n - first < block_panel_columns ? n - first : block_panel_columns;
    if (lanes < block_panel_columns) std::memset(packed, 0, static_cast<size_t>(at.bytes));
    std::memset(packed + at.bytes - 64, 0, 64);  // what rounding adds
    for (int64_t i = 0; i < blocks; ++i) {
      for (int64_t lane = 0; lane < lanes; ++lane) {
        B block;
        std::memcpy(&block, rows + (first + lane) * row_bytes + i * static_cast<int64_t>(sizeof(B)), sizeof block);
        put(block, {packed, at, lane, form.bits}, i * (Values / block_group));
      }
    }
  }
}

}  // namespace

void pack_blocks(const BlockForm& form, const uint8_t* rows, int64_t n, int64_t k, uint8_t* packed) {
  switch (form.format) {
    case BlockFormat::q4_0: return pack_panels<BlockQ4_0, 32>(form, rows, n, k, packed);
    case BlockFormat::q4_1: return pack_panels<BlockQ4_1, 32>(form, rows, n, k, packed);
    case BlockFormat::q5_0: return pack_panels<BlockQ5_0, 32>(form, rows, n, k, packed);
    case BlockFormat::q5_1: return pack_panels<BlockQ5_1, 32>(form, rows, n, k, packed);
    case BlockFormat::q8_0: return pack_panels<BlockQ8_0, 32>(form, rows, n, k, packed);
    case BlockFormat::q4_k: return pack_panels<BlockQ4K, 256>(form, rows, n, k, packed);
    case BlockFormat::q5_k: return pack_panels<BlockQ5K, 256>(form, rows, n, k, packed);
    case BlockFormat::q6_k: return pack_panels<BlockQ6K, 256>(form, rows, n, k, packed);
    case BlockFormat::none: return;
  }
}

}  // namespace narae::cpu
