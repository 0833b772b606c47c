// SPDX-License-Identifier: Apache-2.0
// Packing runs once per constant and, for attention, once per task: the transposing form matters there.
#include "kernels/cpu/pack.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <cstring>

namespace narae::cpu {
namespace {

#if defined(__SSE2__)
void transpose4(const float* in, int64_t ldi, float* out, int64_t ldo) {
  __m128 r0 = _mm_loadu_ps(in), r1 = _mm_loadu_ps(in + ldi);
  __m128 r2 = _mm_loadu_ps(in + 2 * ldi), r3 = _mm_loadu_ps(in + 3 * ldi);
  _MM_TRANSPOSE4_PS(r0, r1, r2, r3);
  _mm_storeu_ps(out, r0);
  _mm_storeu_ps(out + ldo, r1);
  _mm_storeu_ps(out + 2 * ldo, r2);
  _mm_storeu_ps(out + 3 * ldo, r3);
}
#else
void transpose4(const float* in, int64_t ldi, float* out, int64_t ldo) {
  for (int64_t r = 0; r < 4; ++r)
    for (int64_t c = 0; c < 4; ++c) out[c * ldo + r] = in[r * ldi + c];
}
#endif

}  // namespace

void transpose(const float* in, int64_t ldi, int64_t rows, int64_t columns, float* out, int64_t ldo) {
  int64_t c = 0;
  for (; c + 4 <= columns; c += 4) {
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4) transpose4(in + r * ldi + c, ldi, out + c * ldo + r, ldo);
    for (; r < rows; ++r)
      for (int64_t i = 0; i < 4; ++i) out[(c + i) * ldo + r] = in[r * ldi + c + i];
  }
  for (; c < columns; ++c)
    for (int64_t r = 0; r < rows; ++r) out[c * ldo + r] = in[r * ldi + c];
}

void pack_b(const float* b, int64_t ldb, bool transposed, int64_t k, int64_t n, int nr, int lanes, float scale,
            int64_t panel_begin, int64_t panel_end, float* out) {
  for (int64_t p = panel_begin; p < panel_end; ++p) {
    const int64_t first = p * nr, columns = std::min<int64_t>(nr, n - first);
    const int64_t width = round_up(columns, lanes);
    float* panel = out + first * k;
    if (transposed) {
      transpose(b + first * ldb, ldb, columns, k, panel, width);
      if (columns < width)
        for (int64_t i = 0; i < k; ++i) std::memset(panel + i * width + columns, 0, (width - columns) * sizeof(float));
    } else {
      for (int64_t i = 0; i < k; ++i) {
        std::memcpy(panel + i * width, b + i * ldb + first, columns * sizeof(float));
        if (columns < width) std::memset(panel + i * width + columns, 0, (width - columns) * sizeof(float));
      }
    }
    if (scale != 1.f)
      for (int64_t i = 0; i < k * width; ++i) panel[i] *= scale;
  }
}

int64_t packed_taps_size(const ConvWeights& w, int64_t taps, int lanes) {
  return w.groups * round_up(w.oc, lanes) * round_up(w.ic, lanes) * taps;
}

void pack_taps(const ConvWeights& w, const float* weights, const int64_t* taps, int64_t tap_count, int nr, int lanes,
               float* out) {
  const int64_t all = w.kh * w.kw, blocks = ceil_div(w.ic, lanes);
  const int64_t own_oc = w.oc / w.merged, own_ic = w.ic / w.merged;
  const int64_t o_stride = w.transposed ? all : own_ic * all, i_stride = w.transposed ? own_oc * all : all;
  std::memset(out, 0, packed_taps_size(w, tap_count, lanes) * sizeof(float));
  for (int64_t g = 0; g < w.groups; ++g) {
    for (int64_t first = 0; first < w.oc; first += nr) {
      const int64_t columns = std::min<int64_t>(nr, w.oc - first), width = round_up(columns, lanes);
      for (int64_t o = 0; o < columns; ++o) {
        const int64_t merged = (first + o) / own_oc;
        const float* from = weights + (g * w.merged + merged) * own_oc * own_ic * all + (first + o) % own_oc * o_stride;
        for (int64_t i = 0; i < own_ic; ++i) {
          const int64_t channel = merged * own_ic + i;
          float* to = out + ((channel / lanes) * tap_count * lanes + channel % lanes) * width + o;
          for (int64_t t = 0; t < tap_count; ++t) to[t * lanes * width] = from[i * i_stride + taps[t]];
        }
      }
      out += blocks * tap_count * lanes * width;
    }
  }
}

}  // namespace narae::cpu
