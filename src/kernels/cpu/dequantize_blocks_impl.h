// SPDX-License-Identifier: Apache-2.0
// Decoding of blocks, written once as loops that compilers turn into vectors of the instruction set at hand.
#pragma once

#include <cstring>

#include "kernels/cpu/dequantize_blocks.h"
#include "tensor/dtype.h"

namespace narae::cpu {
namespace {

inline void decode_block(const BlockQ4_0& b, float* out) {
  const float d = half_to_float(b.d);
  for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>((b.qs[i] & 15) - 8);
  for (int i = 0; i < 16; ++i) out[i + 16] = d * static_cast<float>((b.qs[i] >> 4) - 8);
}

inline void decode_block(const BlockQ4_1& b, float* out) {
  const float d = half_to_float(b.d), m = half_to_float(b.m);
  for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>(b.qs[i] & 15) + m;
  for (int i = 0; i < 16; ++i) out[i + 16] = d * static_cast<float>(b.qs[i] >> 4) + m;
}

inline uint32_t word(const uint8_t* bytes) {
  uint32_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

inline void decode_block(const BlockQ5_0& b, float* out) {
  const float d = half_to_float(b.d);
  const uint32_t high = word(b.qh);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(static_cast<int>((b.qs[i] & 15) | (high >> i & 1) << 4) - 16);
  }
  for (int i = 0; i < 16; ++i) {
    out[i + 16] = d * static_cast<float>(static_cast<int>((b.qs[i] >> 4) | (high >> (i + 16) & 1) << 4) - 16);
  }
}

inline void decode_block(const BlockQ5_1& b, float* out) {
  const float d = half_to_float(b.d), m = half_to_float(b.m);
  const uint32_t high = word(b.qh);
  for (int i = 0; i < 16; ++i) {
    out[i] = d * static_cast<float>(static_cast<int>((b.qs[i] & 15) | (high >> i & 1) << 4)) + m;
  }
  for (int i = 0; i < 16; ++i) {
    out[i + 16] = d * static_cast<float>(static_cast<int>((b.qs[i] >> 4) | (high >> (i + 16) & 1) << 4)) + m;
  }
}

inline void decode_block(const BlockQ8_0& b, float* out) {
  const float d = half_to_float(b.d);
  for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(b.qs[i]);
}

// Factors of the 8 groups of a K block: value = d[g] * q - m[g].
struct GroupFactors {
  float d[8], m[8];
};
template <typename B>
inline GroupFactors group_factors(const B& b) {
  const float d = half_to_float(b.d), dmin = half_to_float(b.dmin);
  GroupFactors f;
  for (int g = 0; g < 4; ++g) {
    const uint8_t low = b.scales[g], middle = b.scales[g + 4], high = b.scales[g + 8];
    f.d[g] = d * static_cast<float>(low & 63);
    f.m[g] = dmin * static_cast<float>(middle & 63);
    f.d[g + 4] = d * static_cast<float>((high & 15) | (low >> 6) << 4);
    f.m[g + 4] = dmin * static_cast<float>(high >> 4 | (middle >> 6) << 4);
  }
  return f;
}

inline void decode_block(const BlockQ4K& b, float* out) {
  const GroupFactors f = group_factors(b);
  for (int g = 0; g < 8; g += 2) {
    const uint8_t* qs = b.qs + g * 16;
    for (int i = 0; i < 32; ++i) out[g * 32 + i] = f.d[g] * static_cast<float>(qs[i] & 15) - f.m[g];
    for (int i = 0; i < 32; ++i) out[g * 32 + 32 + i] = f.d[g + 1] * static_cast<float>(qs[i] >> 4) - f.m[g + 1];
  }
}

inline void decode_block(const BlockQ5K& b, float* out) {
  const GroupFactors f = group_factors(b);
  for (int g = 0; g < 8; g += 2) {
    const uint8_t* qs = b.qs + g * 16;
    for (int i = 0; i < 32; ++i) {
      out[g * 32 + i] = f.d[g] * static_cast<float>((qs[i] & 15) | (b.qh[i] >> g & 1) << 4) - f.m[g];
    }
    for (int i = 0; i < 32; ++i) {
      out[g * 32 + 32 + i] = f.d[g + 1] * static_cast<float>(qs[i] >> 4 | (b.qh[i] >> (g + 1) & 1) << 4) - f.m[g + 1];
    }
  }
}

inline void decode_block(const BlockQ6K& b, float* out) {
  const float d = half_to_float(b.d);
  for (int group = 0; group < 16; ++group) {
    const int half = group / 8, quarter = group % 8 / 2, first = group % 2 * 16;
    const uint8_t* low = b.ql + half * 64 + quarter % 2 * 32 + first;
    const uint8_t* high = b.qh + half * 32 + first;
    const int low_shift = quarter < 2 ? 0 : 4, high_shift = 2 * quarter;
    const float factor = d * static_cast<float>(b.scales[group]);
    for (int i = 0; i < 16; ++i) {
      const int q = (low[i] >> low_shift & 15) | (high[i] >> high_shift & 3) << 4;
      out[group * 16 + i] = factor * static_cast<float>(q - 32);
    }
  }
}

template <typename B, int Values>
void decode_all(const uint8_t* in, float* out, int64_t blocks) {
  for (int64_t i = 0; i < blocks; ++i) {
    B block;
    std::memcpy(&block, in + i * static_cast<int64_t>(sizeof(B)), sizeof(B));
    decode_block(block, out + i * Values);
  }
}

void decode_blocks(BlockFormat format, const uint8_t* in, float* out, int64_t blocks) {
  switch (format) {
    case BlockFormat::q4_0: return decode_all<BlockQ4_0, 32>(in, out, blocks);
    case BlockFormat::q4_1: return decode_all<BlockQ4_1, 32>(in, out, blocks);
    case BlockFormat::q5_0: return decode_all<BlockQ5_0, 32>(in, out, blocks);
    case BlockFormat::q5_1: return decode_all<BlockQ5_1, 32>(in, out, blocks);
    case BlockFormat::q8_0: return decode_all<BlockQ8_0, 32>(in, out, blocks);
    case BlockFormat::q4_k: return decode_all<BlockQ4K, 256>(in, out, blocks);
    case BlockFormat::q5_k: return decode_all<BlockQ5K, 256>(in, out, blocks);
    case BlockFormat::q6_k: return decode_all<BlockQ6K, 256>(in, out, blocks);
    case BlockFormat::none: return;
  }
}

}  // namespace
}  // namespace narae::cpu
