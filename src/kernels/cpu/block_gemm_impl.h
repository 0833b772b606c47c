// SPDX-License-Identifier: Apache-2.0
// Products with weights in packed blocks, written once. The including file gives the vector vocabulary and
// `GroupSums<Rows, Bits>`: integer sums of a group of K for some rows. The one thing not to get wrong: whatever the
// height of a tile, each row does the same operations in the same order.
#pragma once

#include <cstring>

#include "kernels/cpu/block_gemm.h"
#include "kernels/cpu/vec_unroll.h"

namespace narae::cpu {
namespace {

constexpr int parts = 16 / vec_width;  // vectors of a panel

NARAE_INLINE int32_t word_at(const uint8_t* p) {
  int32_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}
NARAE_INLINE float float_at(const uint8_t* p) {
  float value;
  std::memcpy(&value, p, sizeof value);
  return value;
}
NARAE_INLINE Vi load_bytes(const uint8_t* p) { return as_int(load(reinterpret_cast<const float*>(p))); }
NARAE_INLINE Vf load_halves(const uint8_t* p) { return load_f16(reinterpret_cast<const uint16_t*>(p)); }

// Scales and mins of one part (`part` lanes) of a panel.
template <BlockScale Scale>
struct Factors {
  const uint8_t *scales, *mins, *d, *dmin;
  NARAE_INLINE Factors(const BlockForm& form, const uint8_t* panel, int64_t groups, int part) {
    const BlockSections at = block_sections(form, groups);
    const int64_t bytes = part * vec_width, halves = bytes * 2;
    const int64_t own = Scale == BlockScale::half ? halves : bytes;
    scales = panel + at.scales + own, mins = panel + at.mins + own;
    d = panel + at.d + halves, dmin = panel + at.dmin + halves;
  }
  // `index` counts groups of 32, or of 16 where scales are for 16 values.
  NARAE_INLINE Vf scale(int64_t index) const {
    if constexpr (Scale == BlockScale::half) return load_halves(scales + index * 32);
    if constexpr (Scale == BlockScale::bytes)
      return load_as_float(scales + index * 16) * load_halves(d + index / 8 * 32);
    return load_as_float(reinterpret_cast<const int8_t*>(scales + index * 16)) * load_halves(d + index / 16 * 32);
  }
  NARAE_INLINE Vf min(int64_t index) const {
    if constexpr (Scale == BlockScale::half) return load_halves(mins + index * 32);
    return splat(0.f) - load_as_float(mins + index * 16) * load_halves(dmin + index / 8 * 32);
  }
};

// One form's properties at compile time.
template <BlockFormat Format>
struct Form {
  static constexpr BlockForm value = block_form(Format);
  static constexpr int bits = value.bits;
  static constexpr int subs = value.scale == BlockScale::signed_halves ? 2 : 1;  // scales of a group
  static constexpr int64_t group_bytes = quantised_group_bytes(value);
};

// The weights of one part of a panel that a value at `place` of K meets.
template <BlockFormat Format>
NARAE_INLINE Vf weights_at(const Factors<block_form(Format).scale>& factors, const uint8_t* weights, int32_t place) {
  using F = Form<Format>;
  const int64_t group = place / block_group;
  const auto value = static_cast<int>(place % block_group);
  const uint8_t* chunks = weights + group * 64 * F::bits;
  GroupSums<1, Format> quant;
  quant.start(0, -F::value.zero);
  const int32_t one = 1 << value % 4 * 8;
  if constexpr (F::bits == 4) {  // both halves: places are too many to foretell a branch
    const Vi w = load_bytes(chunks + value % 16 / 4 * 64), mask = splat_int(0x0f0f0f0f);
    const int32_t high = value < 16 ? 0 : one;
    quant.add(0, w & mask, one - high);
    quant.add(0, shift_right_signed<4>(w) & mask, high);
  } else {
    quant.add(0, load_bytes(chunks + value / 4 * 64), one);
  }
  const Vf scale = factors.scale(F::subs == 2 ? group * 2 + value / 16 : group), q = to_float(quant.sum(0));
  return F::value.mins ? fma(scale, q, factors.min(group)) : scale * q;
}

// What rows kept in f32, behind their groups. A function of its own: what it needs must not take registers from the
// loop over groups.
template <int Rows, BlockFormat Format>
__attribute__((noinline)) void add_outliers(const BlockTile& t, const Factors<block_form(Format).scale>& factors,
                                            const uint8_t* weights, const uint8_t* rows, Vf* sums) {
  const int64_t outliers = outliers_of(t.groups);
  for (int r = 0; r < Rows; ++r) {
    const uint8_t* own = rows + r / 4 * t.row_step_bytes + r % 4 * outliers * static_cast<int64_t>(sizeof(Outlier));
    Vf sum = sums[r];
    for (int64_t i = 0; i < outliers; ++i, own += sizeof(Outlier)) {
      sum = fma(weights_at<Format>(factors, weights, word_at(own + 4)), splat(float_at(own)), sum);
    }
    sums[r] = sum;
  }
}

template <int Rows, BlockFormat Format>
void tile_of(const BlockTile& t) {
  using F = Form<Format>;
  constexpr int64_t weight_bytes = 64 * F::bits;
  constexpr int prefetched = static_cast<int>(weight_bytes / 64 + 1);
  for (int part = 0; part < parts; ++part) {
    const int64_t columns = t.columns - part * vec_width;
    if (columns <= 0) return;
    const Factors<F::value.scale> factors(F::value, t.panel, t.groups, part);
    const uint8_t* weights = t.panel + part * vec_width * 4;
    const uint8_t* rows = t.rows;
    const uint8_t* next = t.next;
    Vf sums[Rows];
    unroll<Rows>([&](auto r) NARAE_UNROLLED { sums[r] = splat(0.f); });
    for (int64_t g = 0; g < t.groups; ++g) {
      const auto row = [&](int r) NARAE_UNROLLED { return rows + r / 4 * t.row_step_bytes; };
      // Under high tiles too: a few rows read as much of memory as one.
      unroll<prefetched>([&](auto i) NARAE_UNROLLED { __builtin_prefetch(next + i * 64, 0, 2); });
      next += weight_bytes + 64;
      unroll<F::subs>([&](auto sub) NARAE_UNROLLED {
        const Vf scale = factors.scale(g * F::subs + sub);
        GroupSums<Rows, Format> group;
        unroll<Rows>([&](auto r) NARAE_UNROLLED {
          if constexpr (F::value.mins) {
            group.start(r, 0);
          } else {
            group.start(r, word_at(row(r) + 144 + sub * 16 + r % 4 * 4));
          }
        });
        constexpr int chunks = F::bits / F::subs;
        unroll<chunks>([&](auto c) NARAE_UNROLLED {
          constexpr int chunk = c + decltype(sub)::value * chunks;
          const Vi w = load_bytes(weights + chunk * 64);
          if constexpr (F::bits == 4) {
            const Vi mask = splat_int(0x0f0f0f0f);
            const Vi low = w & mask, high = shift_right_signed<4>(w) & mask;
            unroll<Rows>([&](auto r) NARAE_UNROLLED { group.add(r, low, word_at(row(r) + r % 4 * 32 + chunk * 4)); });
            unroll<Rows>([&](auto r)
                             NARAE_UNROLLED { group.add(r, high, word_at(row(r) + r % 4 * 32 + 16 + chunk * 4)); });
          } else {
            unroll<Rows>([&](auto r) NARAE_UNROLLED { group.add(r, w, word_at(row(r) + r % 4 * 32 + chunk * 4)); });
          }
        });
        unroll<Rows>([&](auto r) NARAE_UNROLLED {
          sums[r] = fma(to_float(group.sum(r)), scale * splat(float_at(row(r) + 128 + r % 4 * 4)), sums[r]);
        });
        if constexpr (F::value.mins) {
          const Vf min = factors.min(g);
          unroll<Rows>([&](auto r)
                           NARAE_UNROLLED { sums[r] = fma(min, splat(float_at(row(r) + 144 + r % 4 * 4)), sums[r]); });
        }
      });
      weights += weight_bytes, rows += F::group_bytes;
    }
    weights -= t.groups * weight_bytes;
    Vf whole[Rows];  // apart from `sums`, which stay in registers
    unroll<Rows>([&](auto r) NARAE_UNROLLED { whole[r] = sums[r]; });
    add_outliers<Rows, Format>(t, factors, weights, rows, whole);
    float* c = t.c + part * vec_width;
    if (columns >= vec_width) {
      unroll<Rows>([&](auto r) NARAE_UNROLLED { store(c + r * t.ldc, whole[r]); });
    } else {
      unroll<Rows>([&](auto r) NARAE_UNROLLED { store(c + r * t.ldc, whole[r], columns); });
    }
  }
}

template <BlockFormat Format>
void tile_rows_of(int rows, const BlockTile& t) {
  switch (rows) {
    case 1: return tile_of<1, Format>(t);
    case 2: return tile_of<2, Format>(t);
    case 3: return tile_of<3, Format>(t);
    case 4: return tile_of<4, Format>(t);
  }
  if constexpr (max_tile_rows >= 12) {
    if (rows == 8) return tile_of<8, Format>(t);
    if constexpr (Form<Format>::subs == 1) return tile_of<12, Format>(t);
    // Two scales in a group need more registers than twelve rows leave.
    tile_of<8, Format>(t);
    BlockTile rest = t;
    rest.next = t.panel, rest.rows += 2 * t.row_step_bytes, rest.c += 8 * t.ldc;
    tile_of<4, Format>(rest);
  }
}

void run_tile(const BlockForm& form, int rows, const BlockTile& t) {
  switch (form.format) {
    case BlockFormat::q4_0: return tile_rows_of<BlockFormat::q4_0>(rows, t);
    case BlockFormat::q4_1: return tile_rows_of<BlockFormat::q4_1>(rows, t);
    case BlockFormat::q5_0: return tile_rows_of<BlockFormat::q5_0>(rows, t);
    case BlockFormat::q5_1: return tile_rows_of<BlockFormat::q5_1>(rows, t);
    case BlockFormat::q8_0: return tile_rows_of<BlockFormat::q8_0>(rows, t);
    case BlockFormat::q4_k: return tile_rows_of<BlockFormat::q4_k>(rows, t);
    case BlockFormat::q5_k: return tile_rows_of<BlockFormat::q5_k>(rows, t);
    case BlockFormat::q6_k: return tile_rows_of<BlockFormat::q6_k>(rows, t);
    case BlockFormat::none: return;
  }
}

NARAE_INLINE Vf magnitudes(Vf a) { return as_float(as_int(a) & splat_int(0x7fffffff)); }

// 32 values to bytes; `sums` of each half of them.
NARAE_INLINE float quantise_group(const float* x, uint8_t* bytes, float (&sums)[2]) {
  constexpr int vectors = 32 / vec_width;
  Vf v[vectors], most = splat(0.f);
  for (int i = 0; i < vectors; ++i) {
    v[i] = load(x + i * vec_width);
    most = max_b(magnitudes(v[i]), most);
  }
  const float largest = reduce_max(most);
  const bool some = largest > 1e-30f;  // below, the inverse would overflow
  const Vf factor = splat(some ? 127.f / largest : 0.f);
  Vf half[2] = {splat(0.f), splat(0.f)};
  for (int i = 0; i < vectors; ++i) {
    const Vi q = to_int(v[i] * factor);
    store_bytes(bytes + i * vec_width, q);
    half[i * 2 / vectors] = half[i * 2 / vectors] + to_float(q);
  }
  sums[0] = reduce_add(half[0]), sums[1] = reduce_add(half[1]);
  return some ? largest * (1.f / 127.f) : 0.f;
}

// One row's group: its bytes, scale, and the numbers that zeros or mins of the weights need.
NARAE_INLINE void put_group(const BlockForm& form, const float* x, int64_t lane, uint8_t* to) {
  float sums[2];
  const float scale = quantise_group(x, to + lane * 32, sums);
  std::memcpy(to + 128 + lane * 4, &scale, sizeof scale);
  if (form.mins) {
    const float sum = scale * (sums[0] + sums[1]);
    std::memcpy(to + 144 + lane * 4, &sum, sizeof sum);
    return;
  }
  const bool halves = form.scale == BlockScale::signed_halves;
  for (int i = 0; i < (halves ? 2 : 1); ++i) {
    // The conversion saturates where a row held no numbers; the bytes are zeros there.
    const float sum = halves ? sums[i] : sums[0] + sums[1];
    const int32_t offset = sum > -8192.f && sum < 8192.f ? -form.zero * static_cast<int32_t>(sum) : 0;
    std::memcpy(to + 144 + i * 16 + lane * 4, &offset, sizeof offset);
  }
}

// Takes the largest value out of the group with the largest scale, as often as there are outliers. `scales`: of the
// first group of the row; `own`: where its outliers go.
void take_outliers(const BlockForm& form, const float* row, int64_t groups, int64_t lane, uint8_t* out, uint8_t* own) {
  const int64_t group_bytes = quantised_group_bytes(form), outliers = outliers_of(groups);
  for (int64_t i = 0; i < outliers; ++i) {
    int64_t coarsest = 0;
    float largest = -1.f;
    const uint8_t* scale = out + 128 + lane * 4;
    for (int64_t g = 0; g < groups; ++g, scale += group_bytes) {
      const bool more = float_at(scale) > largest;
      largest = more ? float_at(scale) : largest, coarsest = more ? g : coarsest;
    }
    float x[block_group];
    std::memcpy(x, row + coarsest * block_group, sizeof x);
    for (int64_t j = 0; j < i; ++j) {
      const int32_t place = word_at(own + j * static_cast<int64_t>(sizeof(Outlier)) + 4);
      if (place / block_group == coarsest) x[place % block_group] = 0.f;
    }
    Vf sizes = splat(0.f);
    for (int j = 0; j < block_group; j += vec_width) sizes = max_b(magnitudes(load(x + j)), sizes);
    const float most = reduce_max(sizes);
    int32_t at = 0;
    while (at < block_group - 1 && x[at] != most && x[at] != -most) ++at;
    const Outlier outlier{x[at], static_cast<int32_t>(coarsest * block_group) + at};
    std::memcpy(own + i * static_cast<int64_t>(sizeof outlier), &outlier, sizeof outlier);
    x[at] = 0.f;
    put_group(form, x, lane, out + coarsest * group_bytes);
  }
}

void quantise_rows(const BlockForm& form, const float* a, int64_t lda, int64_t m, int64_t k, uint8_t* out) {
  const int64_t groups = k / block_group, group_bytes = quantised_group_bytes(form);
  const int64_t step_bytes = quantised_bytes(form, quantised_rows_step, k);
  const int64_t own_bytes = outliers_of(groups) * static_cast<int64_t>(sizeof(Outlier));
  for (int64_t row = 0; row < m; ++row) {
    const int64_t lane = row % quantised_rows_step;
    uint8_t* to = out + row / quantised_rows_step * step_bytes;
    for (int64_t g = 0; g < groups; ++g) put_group(form, a + row * lda + g * block_group, lane, to + g * group_bytes);
    take_outliers(form, a + row * lda, groups, lane, to, to + groups * group_bytes + lane * own_bytes);
  }
}

// Values of the k-th vector of a group, in f32: byte j of the lanes of `w`, each quant alone.
template <BlockFormat Format>
void decode_form(const uint8_t* panel, int64_t groups, int part, int64_t begin, int64_t end, float* out) {
  using F = Form<Format>;
  const Factors<F::value.scale> factors(F::value, panel, groups, part);
  const Vf zero = splat(static_cast<float>(F::value.zero));
  for (int64_t g = begin; g < end; ++g, out += block_group * vec_width) {
    const uint8_t* weights = panel + g * 64 * F::bits + part * vec_width * 4;
    const Vf first = factors.scale(g * F::subs),
             second = F::subs == 2 ? factors.scale(g * F::subs + F::subs - 1) : first;
    const Vf min = F::value.mins ? factors.min(g) : splat(0.f);
    const auto put = [&](int64_t value, Vi quant) NARAE_UNROLLED {
      const Vf scale = value < 16 ? first : second;
      const Vf q = to_float(quant);
      store(out + value * vec_width, F::value.mins ? fma(scale, q, min) : scale * (q - zero));
    };
    for (int c = 0; c < F::bits; ++c) {
      const Vi w = load_bytes(weights + c * 64);
      unroll<4>([&](auto j) NARAE_UNROLLED {
        if constexpr (F::bits == 4) {
          put(4 * c + j, shift_right_signed<8 * j>(w) & splat_int(15));
          put(16 + 4 * c + j, shift_right_signed<8 * j + 4>(w) & splat_int(15));
        } else {
          put(4 * c + j, shift_right_signed<8 * j>(w) & splat_int(255));
        }
      });
    }
  }
}

void decode_groups(const BlockForm& form, const uint8_t* panel, int64_t groups, int part, int64_t begin, int64_t end,
                   float* out) {
  switch (form.format) {
    case BlockFormat::q4_0: return decode_form<BlockFormat::q4_0>(panel, groups, part, begin, end, out);
    case BlockFormat::q4_1: return decode_form<BlockFormat::q4_1>(panel, groups, part, begin, end, out);
    case BlockFormat::q5_0: return decode_form<BlockFormat::q5_0>(panel, groups, part, begin, end, out);
    case BlockFormat::q5_1: return decode_form<BlockFormat::q5_1>(panel, groups, part, begin, end, out);
    case BlockFormat::q8_0: return decode_form<BlockFormat::q8_0>(panel, groups, part, begin, end, out);
    case BlockFormat::q4_k: return decode_form<BlockFormat::q4_k>(panel, groups, part, begin, end, out);
    case BlockFormat::q5_k: return decode_form<BlockFormat::q5_k>(panel, groups, part, begin, end, out);
    case BlockFormat::q6_k: return decode_form<BlockFormat::q6_k>(panel, groups, part, begin, end, out);
    case BlockFormat::none: return;
  }
}

template <int Rows>
void f32_tile_of(const BlockTileF32& t) {
  const int64_t columns = t.columns;
  const bool whole = columns >= vec_width;
  Vf sums[Rows];
  unroll<Rows>([&](auto r) NARAE_UNROLLED {
    sums[r] = !t.accumulate ? splat(0.f) : whole ? load(t.c + r * t.ldc) : load(t.c + r * t.ldc, columns);
  });
  const float *a = t.a, *w = t.weights;
  for (int64_t i = 0; i < t.values; ++i, ++a, w += vec_width) {
    const Vf weight = load(w);
    unroll<Rows>([&](auto r) NARAE_UNROLLED { sums[r] = fma(splat(a[r * t.lda]), weight, sums[r]); });
  }
  unroll<Rows>([&](auto r) NARAE_UNROLLED {
    if (whole) {
      store(t.c + r * t.ldc, sums[r]);
    } else {
      store(t.c + r * t.ldc, sums[r], columns);
    }
  });
}

void run_f32_tile(int rows, const BlockTileF32& t) {
  switch (rows) {
    case 1: return f32_tile_of<1>(t);
    case 2: return f32_tile_of<2>(t);
    case 3: return f32_tile_of<3>(t);
    case 4: return f32_tile_of<4>(t);
    default: return f32_tile_of<8>(t);
  }
}

NARAE_INLINE Vf activated(const GemmEpilogue& e, Vf x) {
  switch (e.act) {
    case Act::relu: return max_b(x, splat(0.f));
    case Act::clip: return min_b(max_b(x, splat(e.lo)), splat(e.hi));
    case Act::hard_swish: return x * min_b(max_b(fma(x, splat(1.f / 6.f), splat(0.5f)), splat(0.f)), splat(1.f));
    case Act::leaky: return select(x > splat(0.f), x, x * splat(e.lo));
    case Act::none: break;
  }
  return x;
}

void finish_tile(const GemmEpilogue& e, float* c, int64_t ldc, int64_t row, int64_t rows, int64_t column,
                 int64_t columns) {
  if (!e.bias && !e.residual && e.act == Act::none) return;
  for (int64_t r = 0; r < rows; ++r, c += ldc) {
    const float* residual = e.residual ? e.residual + (row + r) * e.ldr + column : nullptr;
    const float* bias = e.bias ? e.bias + column : nullptr;
    int64_t i = 0;
    for (; i + vec_width <= columns; i += vec_width) {
      Vf x = load(c + i);
      if (bias) x = x + load(bias + i);
      if (residual) x = x + load(residual + i);
      store(c + i, activated(e, x));
    }
    if (i == columns) continue;
    Vf x = load(c + i, columns - i);
    if (bias) x = x + load(bias + i, columns - i);
    if (residual) x = x + load(residual + i, columns - i);
    store(c + i, activated(e, x), columns - i);
  }
}

constexpr BlockGemmKernels all_block_kernels = {vec_width,      max_tile_rows, 8,           &quantise_rows, &run_tile,
                                                &decode_groups, &run_f32_tile, &finish_tile};

}  // namespace
}  // namespace narae::cpu
