// SPDX-License-Identifier: Apache-2.0
// Winograd convolution F(2x2, 3x3) and F(4x4, 3x3) on channel blocks (Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2016), stride 1, dilation 1, one group. Called through conv.h. Tiles are taken in
// bands of whole tile rows, so that the transformed input and the products of a band stay in L2 and a finished band is
// whole rows. Relative L2 error against exact arithmetic on normal data: F(2x2) below 1e-6, F(4x4) below 5e-6 (direct:
// 3e-7).
#pragma once

#include "kernels/cpu/conv.h"

namespace narae::cpu {

bool winograd_applies(const ConvShape& shape);
void plan_winograd(ConvPlan& plan);
int64_t winograd_scratch(const ConvPlan& plan);
int64_t winograd_weights_size(const ConvPlan& plan);
void winograd_pack_weights(const ConvPlan& plan, const float* weights, float* out);
void winograd_run(const ConvPlan& plan, const float* in, const float* packed_weights, float* out,
                  const ConvEpilogue& epilogue, float* scratch, int64_t task_begin, int64_t task_end);

// Callback and zeroing of padding lanes for the finished pixels of a panel (conv.cc).
void finish_conv_panel(const ConvPlan& plan, const ConvEpilogue& epilogue, const HotTile& pixels, int64_t channel,
                       int vectors, int64_t channels_end);

struct WinogradOutput {
  const float* products = nullptr;  // of one tile and channel block
  int64_t xi_stride = 0;            // between the products of one tile
  float* out = nullptr;             // m x m pixels
  int64_t out_row = 0;              // floats between rows of pixels
  const float* residual = nullptr;  // m x m pixels or null
  int64_t residual_row = 0;
  const float* bias = nullptr;  // of the channel block, or null
  Act act = Act::none;
  float lo = 0.f, hi = 0.f;
};

// Transforms of one tile and one channel block for F(m x m, 3x3). Input: (m + 2)^2 pixels, `row` floats between rows.
struct WinogradTransforms {
  void (*input)(const float* in, int64_t row, float* out, int64_t xi_stride) = nullptr;
  void (*output)(const WinogradOutput& args) = nullptr;
};

// m = 2 or 4, for the instruction set of the tiles.
const WinogradTransforms& winograd_transforms(const BrgemmTiles& tiles, int64_t m);

extern const WinogradTransforms winograd_portable[2], winograd_avx2[2], winograd_avx512[2];

}  // namespace narae::cpu
