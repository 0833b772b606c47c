// SPDX-License-Identifier: Apache-2.0
// Plans: which taps an output phase uses, where they lie in the input band, how the work is cut into tasks. A
// transposed convolution becomes stride_h * stride_w stride-1 convolutions, one per phase of the output, over one input
// band.
#include <algorithm>

#include "kernels/cpu/conv.h"
#include "kernels/cpu/winograd.h"

namespace narae::cpu {
namespace {

constexpr int64_t line_floats = 16;

int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -ceil_div(-a, b); }

// Taps of one output phase along one axis: kernel index and the input position relative to the phase's first.
struct AxisTap {
  int64_t index, position;
};
struct Axis {
  int64_t step = 1, in_step = 1;  // between output positions of a phase and the input positions they start from
  int64_t first = 0, extent = 1;  // smallest input position of output 0; taps span `extent` positions
  std::vector<std::vector<AxisTap>> phases;
};

Axis make_axis(int64_t k, int64_t stride, int64_t dilation, int64_t pad, bool transposed) {
  Axis axis;
  if (!transposed) {
    axis.in_step = stride, axis.first = -pad, axis.extent = (k - 1) * dilation + 1;
    axis.phases.resize(1);
    for (int64_t i = 0; i < k; ++i) axis.phases[0].push_back({i, i * dilation});
    return axis;
  }
  // out = in * stride - pad + index * dilation
  axis.step = stride;
  axis.phases.resize(stride);
  int64_t low = 0, high = 0;
  bool any = false;
  for (int64_t p = 0; p < stride; ++p) {
    for (int64_t i = 0; i < k; ++i) {
      const int64_t numerator = p + pad - i * dilation, position = floor_div(numerator, stride);
      if (position * stride != numerator) continue;
      axis.phases[p].push_back({i, position});
      low = any ? std::min(low, position) : position;
      high = any ? std::max(high, position) : position;
      any = true;
    }
  }
  for (auto& phase : axis.phases)
    for (AxisTap& tap : phase) tap.position -= low;
  axis.first = low, axis.extent = high - low + 1;
  return axis;
}

void fill_strides(ConvShape& s, int lanes) {
  const int64_t in_channels = s.plain_input ? 1 : lanes;
  if (!s.in_block) s.in_block = s.ih * s.iw * in_channels;
  if (!s.in_batch) s.in_batch = s.in_block * (s.plain_input ? s.ic : ceil_div(s.ic, lanes));
  if (!s.out_block) s.out_block = s.oh * s.ow * lanes;
  if (!s.out_batch) s.out_batch = s.out_block * ceil_div(s.oc, lanes);
  if (!s.residual_block) s.residual_block = s.oh * s.ow * lanes;
  if (!s.residual_batch) s.residual_batch = s.residual_block * ceil_div(s.oc, lanes);
}

int64_t input_blocks(const ConvShape& s, int lanes) { return s.plain_input ? s.ic : ceil_div(s.ic / s.groups, lanes); }

// A in-place or copied band, its row length and plane, for the largest phase.
void plan_band(ConvPlan& plan) {
  const ConvShape& s = plan.shape;
  const int64_t c = s.plain_input ? 1 : plan.tiles->lanes;
  const int64_t last_row = (plan.phase_rows - 1) * plan.in_row_step + plan.first_row + plan.tap_rows;
  const int64_t last_column = (plan.phase_columns - 1) * plan.in_column_step + plan.first_column + plan.tap_columns;
  plan.copies_band = plan.first_row < 0 || plan.first_column < 0 || last_row > s.ih || last_column > s.iw;
  if (!plan.copies_band) {
    plan.band_columns = s.iw, plan.plane = s.in_block;
    return;
  }
  const int64_t rows = std::min(plan.config.band, plan.phase_rows);
  plan.band_columns = (plan.phase_columns - 1) * plan.in_column_step + plan.tap_columns;
  plan.band_rows = (rows - 1) * plan.in_row_step + plan.tap_rows;
  // An odd number of cache lines, so that planes do not fall on the same sets.
  plan.plane = (ceil_div(plan.band_rows * plan.band_columns * c, line_floats) | 1) * line_floats;
}

void plan_offsets(ConvPlan& plan, const Axis& rows, const Axis& columns) {
  const ConvShape& s = plan.shape;
  const int64_t c = s.plain_input ? 1 : plan.tiles->lanes;
  const int64_t blocks = input_blocks(s, plan.tiles->lanes);
  const ConvWeights w{s.groups, s.oc / s.groups, s.ic / s.groups, s.kh, s.kw, s.transposed, s.merged};
  // With undilated rows a plain input's kernel row is one run of k.
  const bool run = s.plain_input && s.dilation_w == 1;
  int64_t weights = 0;
  for (ConvPhase& phase : plan.phases) {
    const auto& row_taps = rows.phases[phase.row0 % rows.step];
    const auto& column_taps = columns.phases[phase.column0 % columns.step];
    for (const AxisTap& r : row_taps)
      for (const AxisTap& x : column_taps) phase.taps.push_back(r.index * s.kw + x.index);
    for (int64_t b = 0; b < blocks; ++b)
      for (const AxisTap& r : row_taps)
        for (const AxisTap& x : column_taps)
          if (!run || x.position == 0)
            phase.offsets.push_back(b * plan.plane + (r.position * plan.band_columns + x.position) * c);
    phase.weights = weights;
    weights += s.plain_input ? s.ic * s.kh * s.kw * round_up(s.oc, plan.tiles->lanes)
                             : packed_taps_size(w, static_cast<int64_t>(phase.taps.size()), plan.tiles->lanes);
  }
  plan.k = s.plain_input ? (run ? s.kw : 1) : c;
  plan.lda = plan.in_column_step * c;
}

void plan_pointwise(ConvPlan& plan) {
  const ConvShape& s = plan.shape;
  ConvPhase phase;
  phase.rows = 1, phase.columns = s.oh * s.ow;
  phase.taps = {0};
  const int64_t blocks = input_blocks(s, plan.tiles->lanes);
  for (int64_t b = 0; b < blocks; ++b) phase.offsets.push_back(b * s.in_block);
  plan.phases = {phase};
  plan.phase_rows = 1, plan.phase_columns = phase.columns;
  plan.band_columns = phase.columns, plan.plane = s.in_block;
  plan.k = plan.lda = plan.tiles->lanes;
  plan.bands = ceil_div(phase.columns, plan.config.band);
}

void plan_direct(ConvPlan& plan) {
  const ConvShape& s = plan.shape;
  const Axis rows = make_axis(s.kh, s.stride_h, s.dilation_h, s.pad_top, s.transposed);
  const Axis columns = make_axis(s.kw, s.stride_w, s.dilation_w, s.pad_left, s.transposed);
  plan.row_step = rows.step, plan.column_step = columns.step;
  plan.in_row_step = rows.in_step, plan.in_column_step = columns.in_step;
  plan.first_row = rows.first, plan.first_column = columns.first;
  plan.tap_rows = rows.extent, plan.tap_columns = columns.extent;
  // Phases that a small output lacks stand here too: the packed weights are in their order.
  for (int64_t r = 0; r < rows.step; ++r) {
    for (int64_t x = 0; x < columns.step; ++x) {
      ConvPhase phase;
      phase.row0 = r, phase.column0 = x;
      phase.rows = ceil_div(std::max<int64_t>(0, s.oh - r), rows.step);
      phase.columns = ceil_div(std::max<int64_t>(0, s.ow - x), columns.step);
      plan.phase_rows = std::max(plan.phase_rows, phase.rows);
      plan.phase_columns = std::max(plan.phase_columns, phase.columns);
      plan.phases.push_back(std::move(phase));
    }
  }
  plan_band(plan);
  plan_offsets(plan, rows, columns);
  plan.bands = ceil_div(plan.phase_rows, plan.config.band);
}

}  // namespace

int64_t conv_extent(int64_t in, int64_t k, int64_t stride, int64_t dilation, int64_t pads) {
  return (in + pads - ((k - 1) * dilation + 1)) / stride + 1;
}

ConvPlan make_conv_plan(const ConvShape& shape, const ConvConfig& config, const BrgemmTiles& tiles) {
  ConvPlan plan;
  plan.shape = shape;
  plan.config = config;
  plan.tiles = &tiles;
  fill_strides(plan.shape, tiles.lanes);
  plan.panels = ceil_div(ceil_div(shape.oc / shape.groups, tiles.lanes), config.nv);
  plan.oc_parts = ceil_div(plan.panels, config.oc_panels);
  switch (config.algorithm) {
    case ConvAlgorithm::pointwise: plan_pointwise(plan); break;
    case ConvAlgorithm::direct: plan_direct(plan); break;
    case ConvAlgorithm::winograd2x2:
    case ConvAlgorithm::winograd4x4: plan_winograd(plan); break;
  }
  return plan;
}

int64_t conv_tasks(const ConvPlan& plan) {
  if (plan.config.algorithm >= ConvAlgorithm::winograd2x2) return plan.bands * plan.oc_parts;
  return plan.shape.n * plan.shape.groups * plan.bands * plan.oc_parts;
}

int64_t conv_scratch(const ConvPlan& plan) {
  if (plan.config.algorithm >= ConvAlgorithm::winograd2x2) return winograd_scratch(plan);
  return plan.copies_band ? input_blocks(plan.shape, plan.tiles->lanes) * plan.plane : 0;
}

int64_t conv_weights_size(const ConvPlan& plan) {
  const ConvShape& s = plan.shape;
  const int lanes = plan.tiles->lanes;
  if (plan.config.algorithm >= ConvAlgorithm::winograd2x2) return winograd_weights_size(plan);
  if (s.plain_input) return s.ic * s.kh * s.kw * round_up(s.oc, lanes);
  const ConvWeights w{s.groups, s.oc / s.groups, s.ic / s.groups, s.kh, s.kw, s.transposed, s.merged};
  int64_t size = 0;
  for (const ConvPhase& phase : plan.phases)
    size += packed_taps_size(w, static_cast<int64_t>(phase.taps.size()), lanes);
  return size;
}

void conv_pack_weights(const ConvPlan& plan, const float* weights, float* out) {
  const ConvShape& s = plan.shape;
  const int lanes = plan.tiles->lanes, nr = plan.config.nv * lanes;
  if (plan.config.algorithm >= ConvAlgorithm::winograd2x2) {
    winograd_pack_weights(plan, weights, out);
    return;
  }
  if (s.plain_input) {
    const int64_t k = s.ic * s.kh * s.kw;
    pack_b(weights, k, true, k, s.oc, nr, lanes, 1.f, 0, ceil_div(s.oc, nr), out);
    return;
  }
  const ConvWeights w{s.groups, s.oc / s.groups, s.ic / s.groups, s.kh, s.kw, s.transposed, s.merged};
  for (const ConvPhase& phase : plan.phases)
    pack_taps(w, weights, phase.taps.data(), static_cast<int64_t>(phase.taps.size()), nr, lanes, out + phase.weights);
}

}  // namespace narae::cpu
