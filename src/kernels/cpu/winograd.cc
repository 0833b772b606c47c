// SPDX-License-Identifier: Apache-2.0
// Per task: transform the tiles of a band (kept for the band's further tasks), multiply per tile position xi with the
// transformed weights of a part of the output channels, transform back with the epilogue. Layouts, c = lanes:
// input [xi][ic block][tile][c], weights [xi][oc panel][ic][nr oc], products [xi][oc block of the part][tile][c].
#include "kernels/cpu/winograd.h"

#include <algorithm>
#include <cstring>

namespace narae::cpu {
namespace {

constexpr int max_alpha = 6;
constexpr int max_lanes = 16;
constexpr int64_t line_floats = 16;

int64_t tile_size(const ConvPlan& plan) { return plan.config.algorithm == ConvAlgorithm::winograd4x4 ? 4 : 2; }

// Floats between tile positions: an odd number of cache lines, so that they do not fall on the same sets.
int64_t odd_lines(int64_t floats) { return (ceil_div(floats, line_floats) | 1) * line_floats; }

struct Sizes {
  int64_t m, alpha, points, c, in_blocks, out_blocks, tiles;  // tiles: most of a band
  int64_t input_xi, product_xi, weight_xi;                    // floats between tile positions
};

Sizes sizes_of(const ConvPlan& plan) {
  Sizes z;
  z.m = tile_size(plan), z.alpha = z.m + 2, z.points = z.alpha * z.alpha, z.c = plan.tiles->lanes;
  z.in_blocks = ceil_div(plan.shape.ic, z.c), z.out_blocks = ceil_div(plan.shape.oc, z.c);
  z.tiles = plan.config.band * plan.tile_columns;
  const int64_t part = std::min(plan.config.oc_panels * plan.config.nv, z.out_blocks);
  z.input_xi = odd_lines(z.in_blocks * z.tiles * z.c);
  z.product_xi = odd_lines(part * z.tiles * z.c);
  z.weight_xi = z.in_blocks * z.c * z.out_blocks * z.c;
  return z;
}

// Tile row r counts over all images.
struct TileRow {
  int64_t image, y;  // y: first output row
};
TileRow tile_row(const ConvPlan& plan, const Sizes& z, int64_t r) {
  return {r / plan.tile_rows, r % plan.tile_rows * z.m};
}

void transform_row(const ConvPlan& plan, const Sizes& z, const WinogradTransforms& transforms, const float* plane,
                   int64_t y, float* to) {
  const ConvShape& s = plan.shape;
  alignas(64) float edge[max_alpha * max_alpha * max_lanes];
  const int64_t y0 = y - s.pad_top;
  const bool rows_inside = y0 >= 0 && y0 + z.alpha <= s.ih;
  for (int64_t t = 0; t < plan.tile_columns; ++t, to += z.c) {
    const int64_t x0 = t * z.m - s.pad_left;
    if (rows_inside && x0 >= 0 && x0 + z.alpha <= s.iw) {
      transforms.input(plane + (y0 * s.iw + x0) * z.c, s.iw * z.c, to, z.input_xi);
      continue;
    }
    std::memset(edge, 0, sizeof edge);
    const int64_t left = std::clamp<int64_t>(-x0, 0, z.alpha), right = std::clamp<int64_t>(s.iw - x0, 0, z.alpha);
    for (int64_t i = 0; i < z.alpha; ++i) {
      if (y0 + i < 0 || y0 + i >= s.ih || left >= right) continue;
      std::memcpy(edge + (i * z.alpha + left) * z.c, plane + ((y0 + i) * s.iw + x0 + left) * z.c,
                  (right - left) * z.c * sizeof(float));
    }
    transforms.input(edge, z.alpha * z.c, to, z.input_xi);
  }
}

void transform_band(const ConvPlan& plan, const Sizes& z, const float* in, int64_t row0, int64_t row1, float* to) {
  const WinogradTransforms& transforms = winograd_transforms(*plan.tiles, z.m);
  for (int64_t b = 0; b < z.in_blocks; ++b) {
    for (int64_t r = row0; r < row1; ++r) {
      const TileRow row = tile_row(plan, z, r);
      const float* plane = in + row.image * plan.shape.in_batch + b * plan.shape.in_block;
      transform_row(plan, z, transforms, plane, row.y, to + (b * z.tiles + (r - row0) * plan.tile_columns) * z.c);
    }
  }
}

void multiply(const ConvPlan& plan, const Sizes& z, const float* input, const float* weights, int64_t panel0,
              int64_t panel1, int64_t tiles, float* products) {
  const int64_t nv = plan.config.nv, depth = z.in_blocks * z.c;
  BrgemmArgs args;
  args.lda = args.k = z.c, args.a_stride = z.tiles * z.c, args.batch = z.in_blocks;
  args.k_short = plan.shape.ic % z.c, args.short_items = args.k_short ? 1 : 0;
  args.ldc = z.c, args.c_vec_stride = z.tiles * z.c;
  for (int64_t xi = 0; xi < z.points; ++xi) {
    for (int64_t p = panel0; p < panel1; ++p) {
      const int vectors = static_cast<int>(std::min(nv, z.out_blocks - p * nv));
      args.b = weights + xi * z.weight_xi + p * nv * z.c * depth;
      args.b_stride = z.c * vectors * z.c;
      const RowSplit split = split_rows(tiles, plan.tiles->max_rows[vectors - 1]);
      int64_t t = 0;
      for (int64_t i = 0; i < split.tiles; ++i) {
        const int64_t height = split.base + (i < split.extra);
        args.a = input + xi * z.input_xi + t * z.c;
        args.c = products + xi * z.product_xi + ((p - panel0) * nv * z.tiles + t) * z.c;
        plan.tiles->run(static_cast<int>(height), vectors, args);
        t += height;
      }
    }
  }
}

// A tile that reaches over the image: computed beside it, the real pixels copied.
void output_edge(const Sizes& z, const WinogradTransforms& transforms, WinogradOutput args, int64_t rows,
                 int64_t columns) {
  alignas(64) float pixels[4 * 4 * max_lanes], residual[4 * 4 * max_lanes];
  float* out = args.out;
  const int64_t out_row = args.out_row;
  if (args.residual) {
    std::memset(residual, 0, sizeof residual);
    for (int64_t i = 0; i < rows; ++i)
      std::memcpy(residual + i * z.m * z.c, args.residual + i * args.residual_row, columns * z.c * sizeof(float));
    args.residual = residual, args.residual_row = z.m * z.c;
  }
  args.out = pixels, args.out_row = z.m * z.c;
  transforms.output(args);
  for (int64_t i = 0; i < rows; ++i)
    std::memcpy(out + i * out_row, pixels + i * z.m * z.c, columns * z.c * sizeof(float));
}

// One channel block of a band, products [xi][tile][c].
void output_block(const ConvPlan& plan, const Sizes& z, const float* products, int64_t block, int64_t row0,
                  int64_t row1, float* out, const ConvEpilogue& e) {
  const ConvShape& s = plan.shape;
  const WinogradTransforms& transforms = winograd_transforms(*plan.tiles, z.m);
  WinogradOutput args;
  args.xi_stride = z.product_xi, args.out_row = args.residual_row = s.ow * z.c;
  args.bias = e.bias ? e.bias + block * z.c : nullptr;
  args.act = e.act, args.lo = e.lo, args.hi = e.hi;
  for (int64_t r = row0; r < row1; ++r) {
    const TileRow row = tile_row(plan, z, r);
    float* out_row = out + row.image * s.out_batch + block * s.out_block + row.y * s.ow * z.c;
    const float* residual_row =
        e.residual ? e.residual + row.image * s.residual_batch + block * s.residual_block + row.y * s.ow * z.c
                   : nullptr;
    const int64_t rows = std::min(z.m, s.oh - row.y);
    for (int64_t t = 0; t < plan.tile_columns; ++t, products += z.c) {
      const int64_t columns = std::min(z.m, s.ow - t * z.m);
      args.products = products;
      args.out = out_row + t * z.m * z.c;
      args.residual = residual_row ? residual_row + t * z.m * z.c : nullptr;
      if (rows == z.m && columns == z.m) {
        transforms.output(args);
      } else {
        output_edge(z, transforms, args, rows, columns);
      }
    }
  }
}

// Hands the finished rows of one channel block on, image by image.
void finish_block(const ConvPlan& plan, const Sizes& z, int64_t block, int64_t row0, int64_t row1, float* out,
                  const ConvEpilogue& e) {
  const ConvShape& s = plan.shape;
  for (int64_t r = row0; r < row1;) {
    const TileRow first = tile_row(plan, z, r);
    const int64_t end = std::min(row1, (first.image + 1) * plan.tile_rows);
    const int64_t last_y = std::min(s.oh, (end - first.image * plan.tile_rows) * z.m);
    HotTile pixels;
    pixels.data = out + first.image * s.out_batch + block * s.out_block + first.y * s.ow * z.c;
    pixels.row_stride = z.c, pixels.rows = (last_y - first.y) * s.ow;
    pixels.row = first.y * s.ow, pixels.image = first.image;
    finish_conv_panel(plan, e, pixels, block * z.c, 1, s.oc);
    r = end;
  }
}

// G of the paper: 3 kernel points to alpha.
constexpr double g2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
constexpr double g4[6][3] = {{1.0 / 4, 0, 0},
                             {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                             {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                             {1.0 / 24, 1.0 / 12, 1.0 / 6},
                             {1.0 / 24, -1.0 / 12, 1.0 / 6},
                             {0, 0, 1}};

}  // namespace

const WinogradTransforms& winograd_transforms(const BrgemmTiles& tiles, int64_t m) {
  const int which = m == 4;
#if defined(__x86_64__)
  if (&tiles == &brgemm_tiles_avx512) return winograd_avx512[which];
  if (&tiles == &brgemm_tiles_avx2) return winograd_avx2[which];
#endif
  return winograd_portable[which];
}

bool winograd_applies(const ConvShape& s) {
  return s.kh == 3 && s.kw == 3 && s.stride_h == 1 && s.stride_w == 1 && s.dilation_h == 1 && s.dilation_w == 1 &&
         s.groups == 1 && s.merged == 1 && !s.transposed && !s.plain_input;
}

void plan_winograd(ConvPlan& plan) {
  const int64_t m = tile_size(plan);
  plan.tile_rows = ceil_div(plan.shape.oh, m), plan.tile_columns = ceil_div(plan.shape.ow, m);
  plan.bands = ceil_div(plan.shape.n * plan.tile_rows, plan.config.band);
}

int64_t winograd_scratch(const ConvPlan& plan) {
  const Sizes z = sizes_of(plan);
  return z.points * (z.input_xi + z.product_xi);
}

int64_t winograd_weights_size(const ConvPlan& plan) {
  const Sizes z = sizes_of(plan);
  return z.points * z.weight_xi;
}

void winograd_pack_weights(const ConvPlan& plan, const float* weights, float* out) {
  const ConvShape& s = plan.shape;
  const Sizes z = sizes_of(plan);
  const int64_t depth = z.in_blocks * z.c, nv = plan.config.nv;
  std::memset(out, 0, z.points * z.weight_xi * sizeof(float));
  for (int64_t p = 0; p < plan.panels; ++p) {
    const int64_t first = p * nv * z.c, width = std::min(nv, z.out_blocks - p * nv) * z.c;
    float* panel = out + first * depth;
    for (int64_t o = first; o < std::min(s.oc, first + width); ++o) {
      for (int64_t i = 0; i < s.ic; ++i) {
        const float* g = weights + (o * s.ic + i) * 9;
        double half[max_alpha][3];
        for (int64_t a = 0; a < z.alpha; ++a) {
          const double* line = z.m == 4 ? g4[a] : g2[a];
          for (int64_t x = 0; x < 3; ++x) half[a][x] = line[0] * g[x] + line[1] * g[3 + x] + line[2] * g[6 + x];
        }
        float* to = panel + i * width + (o - first);
        for (int64_t a = 0; a < z.alpha; ++a) {
          for (int64_t b = 0; b < z.alpha; ++b) {
            const double* line = z.m == 4 ? g4[b] : g2[b];
            to[(a * z.alpha + b) * z.weight_xi] =
                static_cast<float>(line[0] * half[a][0] + line[1] * half[a][1] + line[2] * half[a][2]);
          }
        }
      }
    }
  }
}

void winograd_run(const ConvPlan& plan, const float* in, const float* packed_weights, float* out,
                  const ConvEpilogue& epilogue, float* scratch, int64_t task_begin, int64_t task_end) {
  const Sizes z = sizes_of(plan);
  const int64_t all_rows = plan.shape.n * plan.tile_rows, nv = plan.config.nv;
  float* products = scratch + z.points * z.input_xi;
  int64_t transformed = -1;  // the band whose tiles lie in scratch
  for (int64_t task = task_begin; task < task_end; ++task) {
    const int64_t part = task % plan.oc_parts, band = task / plan.oc_parts;
    const int64_t row0 = band * plan.config.band, row1 = std::min(all_rows, row0 + plan.config.band);
    const int64_t panel0 = part * plan.config.oc_panels;
    const int64_t panel1 = std::min(plan.panels, panel0 + plan.config.oc_panels);
    if (transformed != band) transform_band(plan, z, in, row0, row1, scratch);
    transformed = band;
    multiply(plan, z, scratch, packed_weights, panel0, panel1, (row1 - row0) * plan.tile_columns, products);
    for (int64_t b = panel0 * nv; b < std::min(z.out_blocks, panel1 * nv); ++b) {
      output_block(plan, z, products + (b - panel0 * nv) * z.tiles * z.c, b, row0, row1, out, epilogue);
      finish_block(plan, z, b, row0, row1, out, epilogue);
    }
  }
}

}  // namespace narae::cpu
