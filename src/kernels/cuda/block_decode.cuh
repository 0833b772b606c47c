// SPDX-License-Identifier: Apache-2.0
// Blocks of GGUF weights (tensor/formats.h) on the device, twice: 8 neighbouring values as exact f32, and a lane's
// share of 32 values as whole numbers in bf16 pairs for the matrix units, their factors apart. Blocks lie at any even
// address.
#pragma once

#include "kernels/cuda/real.cuh"
#include "tensor/formats.h"

namespace narae::cuda {

__device__ inline uint32_t half_word(const uint8_t* p) { return *reinterpret_cast<const uint16_t*>(p); }
__device__ inline uint32_t word_at(const uint8_t* p) { return half_word(p) | half_word(p + 2) << 16; }
__device__ inline float half_at(const uint8_t* p) { return __half2float(*reinterpret_cast<const __half*>(p)); }

// The 6-bit scale and min of group i of a K block.
struct ScaleMin {
  int scale, min;
};
__device__ inline ScaleMin scale_min(const uint8_t* scales, int i) {
  if (i < 4) return {scales[i] & 63, scales[i + 4] & 63};
  return {(scales[i + 4] & 15) | (scales[i - 4] >> 6) << 4, scales[i + 4] >> 4 | (scales[i] >> 6) << 4};
}

// bytes 0 and 2 of four, or 1 and 3, as numbers of at most 7 bits: bf16 pairs of 128 + value less `less`.
__device__ inline uint32_t as_bf16(uint32_t pair, uint32_t less) {
  const uint32_t raised = pair | 0x43004300u;
  const __nv_bfloat162 v =
      __hsub2(*reinterpret_cast<const __nv_bfloat162*>(&raised), *reinterpret_cast<const __nv_bfloat162*>(&less));
  return *reinterpret_cast<const uint32_t*>(&v);
}
inline constexpr uint32_t low_bits = 0x000f000fu;
inline constexpr uint32_t less_128 = 0x43004300u, less_136 = 0x43084308u, less_144 = 0x43104310u,
                          less_160 = 0x43204320u;

// Each format has: values, bytes; eight(block, i, out): values i .. i + 7 (i a multiple of 8); has_min; split: two
// factors per 32 values; and of the 32 values [32 i, 32 i + 32) behind `p` (i may reach into later blocks):
//   factors(p, i): what whole numbers are multiplied by (x), and what is added for each (y), or the second half's
//   factor where split;
//   share(p, i, q, v): lane q's numbers: v[0] = values 4q, 4q + 2; v[1] = 4q + 1, 4q + 3; v[2], v[3] = those + 16.
template <BlockFormat F>
struct Blocks;

template <int Bytes, int At>
struct Nibbles {
  static constexpr int values = 32, bytes = Bytes;
  static constexpr bool split = false;
  __device__ static int low_of(const uint8_t* block, int i) {
    return i < 16 ? block[At + i] & 15 : block[At + i - 16] >> 4;
  }
  __device__ static void share(const uint8_t* p, int i, int q, uint32_t less, uint32_t (&v)[4]) {
    const uint32_t w = word_at(p + i * Bytes + At + 4 * q);
    v[0] = as_bf16(w & low_bits, less), v[1] = as_bf16(w >> 8 & low_bits, less);
    v[2] = as_bf16(w >> 4 & low_bits, less), v[3] = as_bf16(w >> 12 & low_bits, less);
  }
};

template <>
struct Blocks<BlockFormat::q4_0> : Nibbles<18, 2> {
  static constexpr bool has_min = false;
  __device__ static void eight(const uint8_t* b, int i, float (&out)[8]) {
    const float d = half_at(b);
    for (int j = 0; j < 8; ++j) out[j] = d * static_cast<float>(low_of(b, i + j) - 8);
  }
  __device__ static float2 factors(const uint8_t* p, int i) { return {half_at(p + i * bytes), 0}; }
  __device__ static void share(const uint8_t* p, int i, int q, uint32_t (&v)[4]) {
    Nibbles::share(p, i, q, less_136, v);
  }
};
template <>
struct Blocks<BlockFormat::q4_1> : Nibbles<20, 4> {
  static constexpr bool has_min = true;
  __device__ static void eight(const uint8_t* b, int i, float (&out)[8]) {
    const float d = half_at(b), m = half_at(b + 2);
    for (int j = 0; j < 8; ++j) out[j] = fmaf(d, static_cast<float>(low_of(b, i + j)), m);
  }
  __device__ static float2 factors(const uint8_t* p, int i) {
    return {half_at(p + i * bytes), half_at(p + i * bytes + 2)};
  }
  __device__ static void share(const uint8_t* p, int i, int q, uint32_t (&v)[4]) {
    Nibbles::share(p, i, q, less_128, v);
  }
};

// A fifth bit in 32 of them.
template <int Bytes, int HighAt>
struct FiveBits {
  static constexpr int values = 32, bytes = Bytes, at = HighAt + 4;
  static constexpr bool split = false;
  __device__ static int number(const uint8_t* b, uint32_t high, int i) {
    const int low = i < 16 ? b[at + i] & 15 : b[at + i - 16] >> 4;
    return low | (high >> i & 1) << 4;
  }
  __device__ static void share(const uint8_t* p, int i, int q, uint32_t less, uint32_t (&v)[4]) {
    const uint8_t* b = p + i * Bytes;
    const uint32_t w = word_at(b + at + 4 * q), low = word_at(b + HighAt) >> 4 * q, high = low >> 16;
    v[0] = as_bf16((w & low_bits) | (low & 1) << 4 | (low & 4) << 18, less);
    v[1] = as_bf16((w >> 8 & low_bits) | (low & 2) << 3 | (low & 8) << 17, less);
    v[2] = as_bf16((w >> 4 & low_bits) | (high & 1) << 4 | (high & 4) << 18, less);
    v[3] = as_bf16((w >> 12 & low_bits) | (high & 2) << 3 | (high & 8) << 17, less);
  }
};
template <>
struct Blocks<BlockFormat::q5_0> : FiveBits<22, 2> {
  static constexpr bool has_min = false;
  __device__ static void eight(const uint8_t* b, int i, float (&out)[8]) {
    const float d = half_at(b);
    const uint32_t high = word_at(b + 2);
    for (int j = 0; j < 8; ++j) out[j] = d * static_cast<float>(number(b, high, i + j) - 16);
  }
  __device__ static float2 factors(const uint8_t* p, int i) { return {half_at(p + i * bytes), 0}; }
  __device__ static void share(const uint8_t* p, int i, int q, uint32_t (&v)[4]) {
    FiveBits::share(p, i, q, less_144, v);
  }
};
template <>
struct Blocks<BlockFormat::q5_1> : FiveBits<24, 4> {
  static constexpr bool has_min = true;
  __device__ static void eight(const uint8_t* b, int i, float (&out)[8]) {
    const float d = half_at(b), m = half_at(b + 2);
    const uint32_t high = word_at(b + 4);
    for (int j = 0; j < 8; ++j) out[j] = fmaf(d, static_cast<float>(number(b, high, i + j)), m);
  }
  __device__ static float2 factors(const uint8_t* p, int i) {
    return {half_at(p + i * bytes), half_at(p + i * bytes + 2)};
  }
  __device__ static void share(const uint8_t* p, int i, int q, uint32_t (&v)[4]) {
    FiveBits::share(p, i, q, less_128, v);
  }
};

template <>
struct Blocks<BlockFormat::q8_0> {
  static constexpr int values = 32, bytes = 34;
  static constexpr bool has_min = false, split = false;
  __device__ static void eight(const uint8_t* b, int i, float (&out)[8]) {
    const float d = half_at(b);
    for (int j = 0; j < 8; ++j) out[j] = d * static_cast<float>(static_cast<int8_t>(b[2 + i + j]));
  }
  __device__ static float2 factors(const uint8_t* p, int i) { return {half_at(p + i * bytes), 0}; }
  // 2^23 + u is a float whose low byte is u.
  __device__ static float number(uint32_t w, int byte) {
    return __uint_as_float(__byte_perm(w, 0x4b000000u, 0x7650 | byte)) - 8388736.f;
  }
  __device__ static void four(uint32_t w, uint32_t& even, uint32_t& odd) {
    w ^= 0x80808080u;
    const __nv_bfloat162 a = __floats2bfloat162_rn(number(w, 0), number(w, 2));
    const __nv_bfloat162 b = __floats2bfloat162_rn(number(w, 1), number(w, 3));
    even = *reinterpret_cast<const uint32_t*>(&a), odd = *reinterpret_cast<const uint32_t*>(&b);
  }
  __device__ static void share(const uint8_t* p, int i, int q, uint32_t (&v)[4]) {
    const uint8_t* qs = p + i * bytes + 2 + 4 * q;
    four(word_at(qs), v[0], v[1]);
    four(word_at(qs + 16), v[2], v[3]);
  }
};

template <int Bytes, int At>
struct KBlocks {
  static constexpr int values = 256, bytes = Bytes;
  static constexpr bool has_min = true, split = false;
  __device__ static float2 factors(const uint8_t* p, int i) {
    const uint8_t* b = p + i / 8 * Bytes;
    const ScaleMin s = scale_min(b + 4, i % 8);
    return {half_at(b) * static_cast<float>(s.scale), -(half_at(b + 2) * static_cast<float>(s.min))};
  }
};
template <>
struct Blocks<BlockFormat::q4_k> : KBlocks<144, 16> {
  __device__ static void eight(const uint8_t* b, int i, float (&out)[8]) {
    const float2 f = factors(b, i / 32);
    const uint8_t* qs = b + 16 + i / 64 * 32 + i % 32;
    for (int j = 0; j < 8; ++j) out[j] = fmaf(f.x, static_cast<float>(i / 32 % 2 ? qs[j] >> 4 : qs[j] & 15), f.y);
  }
  __device__ static void share(const uint8_t* p, int i, int q, uint32_t (&v)[4]) {
    const uint8_t* qs = p + i / 8 * bytes + 16 + i % 8 / 2 * 32 + 4 * q;
    const uint32_t a = word_at(qs) >> i % 2 * 4, b = word_at(qs + 16) >> i % 2 * 4;
    v[0] = as_bf16(a & low_bits, less_128), v[1] = as_bf16(a >> 8 & low_bits, less_128);
    v[2] = as_bf16(b & low_bits, less_128), v[3] = as_bf16(b >> 8 & low_bits, less_128);
  }
};
template <>
struct Blocks<BlockFormat::q5_k> : KBlocks<176, 48> {
  __device__ static void eight(const uint8_t* b, int i, float (&out)[8]) {
    const float2 f = factors(b, i / 32);
    const uint8_t *qs = b + 48 + i / 64 * 32 + i % 32, *high = b + 16 + i % 32;
    for (int j = 0; j < 8; ++j) {
      const int low = i / 32 % 2 ? qs[j] >> 4 : qs[j] & 15;
      out[j] = fmaf(f.x, static_cast<float>(low | (high[j] >> i / 32 & 1) << 4), f.y);
    }
  }
  __device__ static void share(const uint8_t* p, int i, int q, uint32_t (&v)[4]) {
    const uint8_t *b = p + i / 8 * bytes, *qs = b + 48 + i % 8 / 2 * 32 + 4 * q;
    const uint32_t low[2] = {word_at(qs) >> i % 2 * 4, word_at(qs + 16) >> i % 2 * 4};
    const uint32_t high[2] = {word_at(b + 16 + 4 * q) >> i % 8, word_at(b + 32 + 4 * q) >> i % 8};
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      v[2 * h] = as_bf16((low[h] & low_bits) | (high[h] & 0x00010001u) << 4, less_128);
      v[2 * h + 1] = as_bf16((low[h] >> 8 & low_bits) | (high[h] >> 8 & 0x00010001u) << 4, less_128);
    }
  }
};

template <>
struct Blocks<BlockFormat::q6_k> {
  static constexpr int values = 256, bytes = 210;
  static constexpr bool has_min = false, split = true;
  __device__ static void eight(const uint8_t* b, int i, float (&out)[8]) {
    const int group = i / 32, half = group / 4, quarter = group % 4, at = i % 32;
    const uint8_t *low = b + half * 64 + quarter % 2 * 32 + at, *high = b + 128 + half * 32 + at;
    const float factor = half_at(b + 208) * static_cast<float>(static_cast<int8_t>(b[192 + i / 16]));
    for (int j = 0; j < 8; ++j) {
      const int q = (low[j] >> quarter / 2 * 4 & 15) | (high[j] >> 2 * quarter & 3) << 4;
      out[j] = factor * static_cast<float>(q - 32);
    }
  }
  __device__ static float2 factors(const uint8_t* p, int i) {
    const uint8_t* b = p + i / 8 * bytes;
    const float d = half_at(b + 208);
    const auto scale = [&](int s) { return d * static_cast<float>(static_cast<int8_t>(b[192 + s])); };
    return {scale(i % 8 * 2), scale(i % 8 * 2 + 1)};
  }
  __device__ static void share(const uint8_t* p, int i, int q, uint32_t (&v)[4]) {
    const int half = i % 8 / 4, quarter = i % 4;
    const uint8_t *b = p + i / 8 * bytes, *low = b + half * 64 + quarter % 2 * 32 + 4 * q,
                  *high = b + 128 + half * 32 + 4 * q;
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      const uint32_t l = word_at(low + 16 * h) >> quarter / 2 * 4, u = word_at(high + 16 * h) >> 2 * quarter;
      v[2 * h] = as_bf16((l & low_bits) | (u & 0x00030003u) << 4, less_160);
      v[2 * h + 1] = as_bf16((l >> 8 & low_bits) | (u >> 8 & 0x00030003u) << 4, less_160);
    }
  }
};

// f.template operator()<Format>(); false for a format that is none.
template <typename F>
inline bool visit_format(BlockFormat format, F f) {
  switch (format) {
    case BlockFormat::q4_0: f.template operator()<BlockFormat::q4_0>(); return true;
    case BlockFormat::q4_1: f.template operator()<BlockFormat::q4_1>(); return true;
    case BlockFormat::q5_0: f.template operator()<BlockFormat::q5_0>(); return true;
    case BlockFormat::q5_1: f.template operator()<BlockFormat::q5_1>(); return true;
    case BlockFormat::q8_0: f.template operator()<BlockFormat::q8_0>(); return true;
    case BlockFormat::q4_k: f.template operator()<BlockFormat::q4_k>(); return true;
    case BlockFormat::q5_k: f.template operator()<BlockFormat::q5_k>(); return true;
    case BlockFormat::q6_k: f.template operator()<BlockFormat::q6_k>(); return true;
    case BlockFormat::none: return false;
  }
  return false;
}

}  // namespace narae::cuda
