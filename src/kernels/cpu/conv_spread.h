// SPDX-License-Identifier: Apache-2.0
// FP32 transposed convolution whose kernel is as large as its stride, so that no two input pixels meet in an output
// pixel: one GEMM over the input pixels with (output channel, kernel row, kernel column) as its columns, spread over a
// plain NCHW result. It suits few output channels, of which a channel block would be mostly empty. Serial over ranges
// of tasks; running a plan allocates nothing. The one thing not to get wrong: the input is in channel blocks (NCHWc,
// c = lanes), the output is plain.
#pragma once

#include <cstdint>

#include "kernels/cpu/brgemm.h"

namespace narae::cpu {

// The result is [n, oc, ih * kh, iw * kw].
struct SpreadShape {
  int64_t n = 1, ic = 0, ih = 0, iw = 0, oc = 0, kh = 1, kw = 1;
};

struct SpreadPlan {
  SpreadShape shape;
  const BrgemmTiles* tiles = nullptr;
  int64_t columns = 0;  // of the product: oc * kh * kw
  int64_t panels = 0;   // of nv vectors each, the last narrower
  int64_t band = 1;     // input rows per task
  int64_t bands = 1;    // per image
};

// Vectors per panel that weights are packed for; it depends on the weights' sizes alone.
int spread_vectors(int64_t columns, const BrgemmTiles& tiles);
SpreadPlan make_spread_plan(const SpreadShape& shape, const BrgemmTiles& tiles);

inline int64_t spread_tasks(const SpreadPlan& plan) { return plan.shape.n * plan.bands; }
int64_t spread_scratch(const SpreadPlan& plan);  // floats for one thread
// Floats of the packed weights, and weights [ic, columns] (ONNX's [ic, oc, kh, kw]) in that form.
int64_t spread_weights_size(int64_t ic, int64_t columns, const BrgemmTiles& tiles);
void spread_pack_weights(int64_t ic, int64_t columns, const float* weights, const BrgemmTiles& tiles, float* out);

struct SpreadEpilogue {
  const float* bias = nullptr;  // oc floats, or null
  Act act = Act::none;
  float lo = 0.f, hi = 0.f;
};

// Runs tasks [task_begin, task_end).
void spread_run(const SpreadPlan& plan, const float* in, const float* packed_weights, float* out,
                const SpreadEpilogue& epilogue, float* scratch, int64_t task_begin, int64_t task_end);

}  // namespace narae::cpu
