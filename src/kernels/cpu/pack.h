// SPDX-License-Identifier: Apache-2.0
// Constant operands in the order the tiles read them: panels of `nr` columns, each [K][nr] without gaps, the last one
// only as many whole vectors wide as it needs and filled up with zeros. Offsets are those of full panels before it.
#pragma once

#include <cstdint>

namespace narae::cpu {

inline int64_t round_up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }
inline int64_t ceil_div(int64_t x, int64_t by) { return (x + by - 1) / by; }

// Floats of a packed [k, n] operand.
inline int64_t packed_b_size(int64_t k, int64_t n, int lanes) { return k * round_up(n, lanes); }

// out[c * ldo + r] = in[r * ldi + c] for r < rows, c < columns.
void transpose(const float* in, int64_t ldi, int64_t rows, int64_t columns, float* out, int64_t ldo);

// Packs panels [panel_begin, panel_end) of B, which is [k, n] with row stride ldb or, transposed, [n, k]. Values are
// multiplied by `scale`. `out` is the start of the whole packed operand.
void pack_b(const float* b, int64_t ldb, bool transposed, int64_t k, int64_t n, int nr, int lanes, float scale,
            int64_t panel_begin, int64_t panel_end, float* out);

// Weights of a convolution with `ic` and `oc` per group: OIHW or, for a transposed convolution, IOHW within a group
// (ONNX's [group * ic, oc, kh, kw]).
struct ConvWeights {
  int64_t groups = 1, oc = 0, ic = 0, kh = 0, kw = 0;
  bool transposed = false;
  int64_t merged = 1;  // groups of the weights that are one of `groups` here: oc and ic are theirs together
};

// Floats of `taps` taps in channel blocks: both channel tails filled up with zeros.
int64_t packed_taps_size(const ConvWeights& w, int64_t taps, int lanes);

// The listed taps (kh index * kw + kw index) for input in channel blocks of `lanes`:
// [group][oc panel][ic block][tap][lanes ic][nr oc].
void pack_taps(const ConvWeights& w, const float* weights, const int64_t* taps, int64_t tap_count, int nr, int lanes,
               float* out);

}  // namespace narae::cpu
