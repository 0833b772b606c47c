// SPDX-License-Identifier: Apache-2.0
// Runs direct and pointwise plans: per task a band of output rows by a part of the output channels. The input band is
// copied once with zeros around it (no border cases in the tiles) and kept for the following tasks of the same band.
#include "kernels/cpu/conv.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/winograd.h"

namespace narae::cpu {
namespace {

struct Task {
  int64_t image, group, row0, row1, column0, column1;  // rows and columns of a phase
  int64_t panel0, panel1;
  int64_t band_id;  // tasks with equal ids share the copied band
};

Task decode(const ConvPlan& plan, int64_t index) {
  Task t;
  const int64_t part = index % plan.oc_parts, band_index = index / plan.oc_parts;
  const int64_t band = band_index % plan.bands;
  t.band_id = band_index;
  t.group = band_index / plan.bands % plan.shape.groups;
  t.image = band_index / plan.bands / plan.shape.groups;
  t.panel0 = part * plan.config.oc_panels, t.panel1 = std::min(plan.panels, t.panel0 + plan.config.oc_panels);
  t.row0 = t.column0 = 0, t.row1 = plan.phase_rows, t.column1 = plan.phase_columns;
  int64_t& first = plan.config.algorithm == ConvAlgorithm::pointwise ? t.column0 : t.row0;
  int64_t& end = plan.config.algorithm == ConvAlgorithm::pointwise ? t.column1 : t.row1;
  first = band * plan.config.band, end = std::min(end, first + plan.config.band);
  return t;
}

void copy_band(const ConvPlan& plan, const Task& t, const float* in, int64_t blocks, int64_t c, float* scratch) {
  const ConvShape& s = plan.shape;
  const int64_t rows = (t.row1 - t.row0 - 1) * plan.in_row_step + plan.tap_rows;
  const int64_t first_row = t.row0 * plan.in_row_step + plan.first_row;
  const int64_t left = std::clamp<int64_t>(-plan.first_column, 0, plan.band_columns);
  const int64_t from = std::max<int64_t>(0, plan.first_column);
  const int64_t width = std::clamp<int64_t>(s.iw - from, 0, plan.band_columns - left);
  const int64_t right = plan.band_columns - left - width;
  for (int64_t b = 0; b < blocks; ++b) {
    const float* plane = in + b * s.in_block;
    float* to = scratch + b * plan.plane;
    for (int64_t r = first_row; r < first_row + rows; ++r, to += plan.band_columns * c) {
      if (r < 0 || r >= s.ih) {
        std::memset(to, 0, plan.band_columns * c * sizeof(float));
        continue;
      }
      std::memset(to, 0, left * c * sizeof(float));
      std::memcpy(to + left * c, plane + (r * s.iw + from) * c, width * c * sizeof(float));
      std::memset(to + (left + width) * c, 0, right * c * sizeof(float));
    }
  }
}

// What the tiles of one panel share.
struct Panel {
  int vectors = 0;
  const float* weights = nullptr;  // of the phase and panel
  float* out = nullptr;            // of the panel's first channel block
  const float* residual = nullptr;
  const float* bias = nullptr;
};

void run_rows(const ConvPlan& plan, const ConvPhase& phase, const Task& t, const float* band, int64_t band_row0,
              const Panel& panel, BrgemmArgs& args) {
  const ConvShape& s = plan.shape;
  const int64_t c = plan.tiles->lanes, in_c = s.plain_input ? 1 : c;
  const int64_t row1 = std::min(t.row1, phase.rows), column1 = std::min(t.column1, phase.columns);
  const RowSplit split = split_rows(column1 - t.column0, plan.tiles->max_rows[panel.vectors - 1]);
  for (int64_t r = t.row0; r < row1; ++r) {
    const int64_t out_row = (phase.row0 + r * plan.row_step) * s.ow + phase.column0;
    const float* in_row = band + (r * plan.in_row_step - band_row0) * plan.band_columns * in_c;
    int64_t x = t.column0;
    for (int64_t i = 0; i < split.tiles; ++i) {
      const int64_t height = split.base + (i < split.extra);
      const int64_t pixel = (out_row + x * plan.column_step) * c;
      args.a = in_row + x * plan.lda;
      args.c = panel.out + pixel;
      args.residual = panel.residual ? panel.residual + pixel : nullptr;
      plan.tiles->run(static_cast<int>(height), panel.vectors, args);
      x += height;
    }
  }
}

// All passes over the input channels for one phase and panel.
void run_phase(const ConvPlan& plan, const ConvPhase& phase, const Task& t, const float* band, int64_t band_row0,
               const Panel& panel, const ConvEpilogue& e, int64_t blocks) {
  const ConvShape& s = plan.shape;
  const int64_t width = static_cast<int64_t>(panel.vectors) * plan.tiles->lanes;
  const int64_t per_block = static_cast<int64_t>(phase.offsets.size()) / blocks;
  BrgemmArgs args;
  args.lda = plan.lda, args.k = plan.k, args.b_stride = plan.k * width;
  args.ldc = plan.column_step * plan.tiles->lanes, args.c_vec_stride = s.out_block;
  args.ldr = args.ldc, args.r_vec_stride = s.residual_block;
  args.lo = e.lo, args.hi = e.hi;
  for (int64_t b = 0; b < blocks; b += plan.config.ic_blocks) {
    const int64_t count = std::min(plan.config.ic_blocks, blocks - b);
    const bool last = b + count == blocks;
    args.a_offsets = phase.offsets.data() + b * per_block;
    args.batch = count * per_block;
    // A channel tail of the input: its last block is mostly zeros.
    args.k_short = s.plain_input ? 0 : s.ic / s.groups % plan.tiles->lanes;
    args.short_items = last && args.k_short ? per_block : 0;
    args.b = panel.weights + b * per_block * plan.k * width;
    args.accumulate = b > 0;
    args.bias = b == 0 ? panel.bias : nullptr;
    args.act = last ? e.act : Act::none;
    Panel pass = panel;
    if (!last) pass.residual = nullptr;
    run_rows(plan, phase, t, band, band_row0, pass, args);
  }
}

}  // namespace

void finish_conv_panel(const ConvPlan& plan, const ConvEpilogue& e, const HotTile& pixels, int64_t channel, int vectors,
                       int64_t channels_end) {
  const int64_t c = plan.tiles->lanes;
  const bool dirty = e.after.run || e.act == Act::clip;  // padding lanes may have left zero
  for (int v = 0; v < vectors; ++v) {
    HotTile hot = pixels;
    hot.data = pixels.data + v * plan.shape.out_block;
    hot.column = channel + v * c;
    hot.columns = std::min(c, channels_end - hot.column);
    if (e.after.run) e.after.run(e.after.context, hot);
    if (!dirty || hot.columns == c) continue;
    for (int64_t r = 0; r < hot.rows; ++r)
      std::memset(hot.data + r * c + hot.columns, 0, (c - hot.columns) * sizeof(float));
  }
}

void conv_run(const ConvPlan& plan, const float* in, const float* packed_weights, float* out,
              const ConvEpilogue& epilogue, float* scratch, int64_t task_begin, int64_t task_end) {
  if (plan.config.algorithm >= ConvAlgorithm::winograd2x2) {
    winograd_run(plan, in, packed_weights, out, epilogue, scratch, task_begin, task_end);
    return;
  }
  const ConvShape& s = plan.shape;
  const int64_t c = plan.tiles->lanes, in_c = s.plain_input ? 1 : c, nv = plan.config.nv;
  const int64_t group_ic = s.ic / s.groups, group_oc = s.oc / s.groups;
  const int64_t blocks = s.plain_input ? group_ic : ceil_div(group_ic, c), out_blocks = ceil_div(group_oc, c);
  const bool pointwise = plan.config.algorithm == ConvAlgorithm::pointwise;
  int64_t copied = -1;
  for (int64_t index = task_begin; index < task_end; ++index) {
    const Task t = decode(plan, index);
    const float* image = in + t.image * s.in_batch + t.group * blocks * s.in_block;
    const float* band = image;
    int64_t band_row0 = -plan.first_row;
    if (plan.copies_band) {
      if (copied != t.band_id) copy_band(plan, t, image, blocks, in_c, scratch);
      copied = t.band_id;
      band = scratch, band_row0 = t.row0 * plan.in_row_step;
    } else {
      band += plan.first_column * in_c;
    }
    for (int64_t p = t.panel0; p < t.panel1; ++p) {
      const int64_t block = t.group * out_blocks + p * nv;
      Panel panel;
      panel.vectors = static_cast<int>(std::min(nv, out_blocks - p * nv));
      panel.out = out + t.image * s.out_batch + block * s.out_block;
      if (epilogue.residual) panel.residual = epilogue.residual + t.image * s.residual_batch + block * s.residual_block;
      if (epilogue.bias) panel.bias = epilogue.bias + block * c;
      for (const ConvPhase& phase : plan.phases) {
        const int64_t depth = static_cast<int64_t>(phase.offsets.size()) * plan.k;
        panel.weights = packed_weights + phase.weights + (block * c) * depth;
        run_phase(plan, phase, t, band, band_row0, panel, epilogue, blocks);
      }
      const int64_t first = pointwise ? t.column0 : t.row0 * plan.row_step * s.ow;
      const int64_t end = pointwise ? t.column1 : std::min(s.oh, t.row1 * plan.row_step) * s.ow;
      HotTile pixels;
      pixels.data = panel.out + first * c, pixels.row_stride = c;
      pixels.rows = end - first, pixels.row = first, pixels.image = t.image;
      finish_conv_panel(plan, epilogue, pixels, block * c, panel.vectors, s.oc);
    }
  }
}

}  // namespace narae::cpu
