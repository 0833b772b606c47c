// SPDX-License-Identifier: Apache-2.0
// FP32 convolutions on channel blocks (NCHWc, c = lanes of the instruction set; channels filled up with zeros to whole
// blocks), serial over ranges of tasks. A plan is made once per shape and config (it allocates); running it allocates
// nothing. The one thing not to get wrong: weights are packed for one plan's config, and bias is as long as the output
// channels rounded up to `lanes`, zeros at the end.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/brgemm.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/pack.h"

namespace narae::cpu {

// Channels are totals over groups. With groups > 1 the channels of a group must be whole blocks.
struct ConvShape {
  int64_t n = 1, ic = 0, ih = 0, iw = 0, oc = 0, oh = 0, ow = 0;
  int64_t kh = 1, kw = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int64_t pad_top = 0, pad_left = 0;  // bottom and right follow from oh and ow
  int64_t groups = 1;
  // Groups that fill no whole blocks are computed as one, with zeros between them: then groups is 1 and this how many
  // the weights have. Not for a plain input.
  int64_t merged = 1;
  bool transposed = false;   // ConvTranspose: weights [ic, oc / groups, kh, kw]; pads as ONNX gives them
  bool plain_input = false;  // the input is NCHW (few channels, groups = 1); the output is blocked all the same
  // Floats between images and between channel blocks (plain input: channels); 0 means dense. An output that is a slice
  // of a wider buffer has a larger batch stride.
  int64_t in_batch = 0, in_block = 0, out_batch = 0, out_block = 0, residual_batch = 0, residual_block = 0;
};

// (extent + pads - dilated kernel) / stride + 1
int64_t conv_extent(int64_t in, int64_t k, int64_t stride, int64_t dilation, int64_t pads);

enum class ConvAlgorithm : uint8_t {
  pointwise,    // 1x1, stride 1, no padding: a GEMM over the pixels of an image
  direct,       // any kernel, and transposed convolution by output phases
  winograd2x2,  // F(2x2, 3x3), stride 1 (winograd.h)
  winograd4x4,  // F(4x4, 3x3), stride 1
};

struct ConvConfig {
  ConvAlgorithm algorithm = ConvAlgorithm::direct;
  int nv = 1;             // vectors of output channels per tile; weights are packed for it
  int64_t band = 1;       // output rows per task (pointwise: pixels; winograd: tile rows)
  int64_t oc_panels = 1;  // panels of nv * lanes output channels per task
  int64_t ic_blocks = 1;  // input channel blocks summed up before C is stored

  bool operator==(const ConvConfig&) const = default;
};

// Output pixels (row0 + i * row_step, column0 + j * column_step) that use the same taps; one phase but for transposed
// convolution.
struct ConvPhase {
  int64_t row0 = 0, column0 = 0, rows = 0, columns = 0;
  std::vector<int64_t> taps;     // kh index * kw + kw index
  std::vector<int64_t> offsets;  // of A: (input block, tap), or (channel, kernel row) for a plain input
  int64_t weights = 0;           // where the phase's packed weights start
};

struct ConvPlan {
  ConvShape shape;  // strides filled in
  ConvConfig config;
  const BrgemmTiles* tiles = nullptr;
  std::vector<ConvPhase> phases;
  int64_t row_step = 1, column_step = 1;        // between output pixels of a phase
  int64_t in_row_step = 1, in_column_step = 1;  // between the input pixels they start from
  int64_t first_row = 0, first_column = 0;      // input pixel of output (0, 0) and the smallest tap: may be < 0
  int64_t tap_rows = 1, tap_columns = 1;        // extent of the taps in input pixels
  int64_t phase_rows = 0, phase_columns = 0;    // of the largest phase
  int64_t bands = 1, oc_parts = 1, panels = 1;  // panels per group
  bool copies_band = false;                     // the input band goes to scratch with zeros around
  int64_t band_columns = 0, band_rows = 0;      // of the copy, or the input's row length
  int64_t plane = 0;                            // floats between channel blocks (channels) of the band
  int64_t k = 0, lda = 0;                       // of the tiles
  int64_t tile_rows = 0, tile_columns = 0;      // winograd; there bands are of tile rows over all images
};

// Sensible configs for a shape, the likeliest first; empty if no kernel here can do it (then neither can
// make_conv_plan): a group that is not whole blocks, or a plain input with groups or transposed.
std::vector<ConvConfig> conv_configs(const ConvShape& shape, const BrgemmTiles& tiles, const CacheSizes& caches,
                                     int threads);

ConvPlan make_conv_plan(const ConvShape& shape, const ConvConfig& config, const BrgemmTiles& tiles);

int64_t conv_tasks(const ConvPlan& plan);
int64_t conv_scratch(const ConvPlan& plan);       // floats for one thread
int64_t conv_weights_size(const ConvPlan& plan);  // floats of the packed weights
// weights: OIHW [oc, ic / groups, kh, kw]; transposed: [ic, oc / groups, kh, kw]; groups: those of the weights.
void conv_pack_weights(const ConvPlan& plan, const float* weights, float* out);

struct ConvEpilogue {
  const float* bias = nullptr;      // round_up(oc, lanes) floats
  const float* residual = nullptr;  // blocked like the output, with the shape's residual strides
  Act act = Act::none;
  float lo = 0.f, hi = 0.f;
  TileCallback after;  // sees one channel block at a time: rows are pixels, columns its real channels
};

// Runs tasks [task_begin, task_end). Padding lanes of the output are written as zeros.
void conv_run(const ConvPlan& plan, const float* in, const float* packed_weights, float* out,
              const ConvEpilogue& epilogue, float* scratch, int64_t task_begin, int64_t task_end);

}  // namespace narae::cpu
