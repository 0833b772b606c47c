// SPDX-License-Identifier: Apache-2.0
// The configs a tuner should time, ordered by a rough model: loads per multiply-add of the tile, bands that fit L2,
// panels of weights that fit L1 or L2. Nothing here knows a processor by name: only cache sizes and the tiles.
#include <algorithm>
#include <cmath>

#include "kernels/cpu/conv.h"
#include "kernels/cpu/winograd.h"

namespace narae::cpu {
namespace {

constexpr int64_t float_bytes = sizeof(float);

struct Width {
  int nv;
  double cost;
};

// Loads of A and B per multiply-add, and L2 reads of B, for rows of `columns` pixels.
std::vector<Width> tile_widths(const BrgemmTiles& tiles, int64_t out_blocks, int64_t columns) {
  std::vector<Width> all;
  int most = 0;
  for (int nv = 1; nv <= tiles.max_vectors; ++nv) most = std::max(most, nv * tiles.max_rows[nv - 1]);
  for (int nv = 1; nv <= tiles.max_vectors; ++nv) {
    if (nv > out_blocks || (nv == 1 && out_blocks > 1)) continue;
    if (nv > 1 && nv * tiles.max_rows[nv - 1] * 4 < most * 3) continue;
    const double height = static_cast<double>(columns) / ceil_div(columns, tiles.max_rows[nv - 1]);
    // A narrower last panel does the work of a full one.
    const double used = static_cast<double>(out_blocks) / (ceil_div(out_blocks, nv) * nv);
    const double latency = std::max(1.0, 8.0 / (height * nv));
    all.push_back({nv, latency * ((height + nv) / (height * nv) + 2.0 / height) / (0.5 + 0.5 * used)});
  }
  std::stable_sort(all.begin(), all.end(), [](const Width& a, const Width& b) { return a.cost < b.cost; });
  return all;
}

void add(std::vector<ConvConfig>& all, const ConvConfig& config) {
  if (std::find(all.begin(), all.end(), config) == all.end()) all.push_back(config);
}

// Parts of the output channels so that there are some tasks per thread.
int64_t panels_per_task(int64_t panels, int64_t other_tasks, int threads) {
  if (threads <= 1) return panels;
  const int64_t parts = std::clamp<int64_t>(ceil_div(6 * threads, other_tasks), 1, panels);
  return ceil_div(panels, parts);
}

// Equal bands of at most `most`, of which there are a multiple of `threads` where that costs little.
int64_t equal_bands(int64_t total, int64_t most, int threads, int64_t others) {
  int64_t bands = ceil_div(total, std::max<int64_t>(1, most));
  if (threads > 1 && bands * others > 1 && bands * others % threads != 0 && bands < total)
    bands = std::min(total, round_up(bands, threads));
  return ceil_div(total, bands);
}

// Input blocks per pass: all, or as many as keep the panel of weights in half of L1, or in a quarter of L2.
std::vector<int64_t> pass_choices(int64_t blocks, int64_t block_bytes, const CacheSizes& caches) {
  const int64_t l1 = std::clamp<int64_t>(caches.l1d / 2 / block_bytes, 1, blocks);
  const int64_t l2 = std::clamp<int64_t>(caches.l2 / 4 / block_bytes, 1, blocks);
  const auto even = [&](int64_t pass) { return ceil_div(blocks, ceil_div(blocks, pass)); };
  return {even(l2), even(l1)};
}

void add_pointwise(std::vector<ConvConfig>& all, const ConvShape& s, const BrgemmTiles& tiles, const CacheSizes& caches,
                   int threads) {
  const int64_t lanes = tiles.lanes, pixels = s.oh * s.ow;
  const int64_t blocks = ceil_div(s.ic / s.groups, lanes), out_blocks = ceil_div(s.oc / s.groups, lanes);
  for (const Width& width : tile_widths(tiles, out_blocks, pixels)) {
    const int64_t rows = tiles.max_rows[width.nv - 1], panels = ceil_div(out_blocks, width.nv);
    const int64_t fit = caches.l2 / 3 / (blocks * lanes * float_bytes) / rows * rows;
    for (const int64_t most : {std::max(fit, rows), std::max(fit / 4, 2 * rows)}) {
      ConvConfig config{ConvAlgorithm::pointwise, width.nv, 0, 0, blocks};
      const int64_t band = equal_bands(pixels, most, threads, s.n * s.groups);
      config.band = std::min(pixels, round_up(band, band > 4 * rows ? rows : 1));
      config.oc_panels = panels_per_task(panels, s.n * s.groups * ceil_div(pixels, config.band), threads);
      for (const int64_t pass : pass_choices(blocks, lanes * lanes * width.nv * float_bytes, caches)) {
        config.ic_blocks = pass;
        add(all, config);
      }
    }
  }
}

void add_direct(std::vector<ConvConfig>& all, const ConvShape& s, const BrgemmTiles& tiles, const CacheSizes& caches,
                int threads) {
  const int64_t lanes = tiles.lanes, in_lanes = s.plain_input ? 1 : lanes;
  const int64_t blocks = s.plain_input ? s.ic : ceil_div(s.ic / s.groups, lanes);
  const int64_t out_blocks = ceil_div(s.oc / s.groups, lanes);
  const int64_t step_h = s.transposed ? s.stride_h : 1, step_w = s.transposed ? s.stride_w : 1;
  const int64_t rows = ceil_div(s.oh, step_h), columns = ceil_div(s.ow, step_w);
  const int64_t row_bytes = blocks * s.iw * in_lanes * float_bytes * (s.transposed ? 1 : s.stride_h);
  const int64_t halo = s.transposed ? 1 : (s.kh - 1) * s.dilation_h;
  for (const Width& width : tile_widths(tiles, out_blocks, columns)) {
    const int64_t panels = ceil_div(out_blocks, width.nv);
    const int64_t out_bytes = s.ow * step_h * width.nv * lanes * float_bytes;  // of a panel per row of a phase
    const int64_t fit = std::max<int64_t>(1, (caches.l2 / 2 - halo * row_bytes) / (row_bytes + out_bytes));
    for (const int64_t most : {fit, std::max<int64_t>(1, fit / 3)}) {
      ConvConfig config{ConvAlgorithm::direct, width.nv, 0, 0, blocks};
      config.band = equal_bands(rows, most, threads, s.n * s.groups);
      config.oc_panels = panels_per_task(panels, s.n * s.groups * ceil_div(rows, config.band), threads);
      for (const int64_t pass : pass_choices(blocks, s.kh * s.kw * in_lanes * lanes * width.nv * float_bytes, caches)) {
        config.ic_blocks = pass;
        add(all, config);
      }
    }
  }
}

// Rough cycles of one vector multiply-add each: the products, the transforms, and the weights
// (4 or 16 / 9 times larger) brought from beyond L2 at 6 bytes per cycle.
double winograd_cost(const ConvShape& s, const ConvConfig& config, const BrgemmTiles& tiles) {
  const double m = config.algorithm == ConvAlgorithm::winograd4x4 ? 4 : 2, points = (m + 2) * (m + 2);
  const double count = s.n * std::ceil(s.oh / m) * std::ceil(s.ow / m), lanes = tiles.lanes;
  const double ic = static_cast<double>(round_up(s.ic, tiles.lanes)),
               oc = static_cast<double>(round_up(s.oc, tiles.lanes));
  return points * count * (ic * oc / lanes + 7 * ic / lanes + 5 * oc / lanes) + points * ic * oc * float_bytes / 6;
}

double direct_cost(const ConvShape& s, const BrgemmTiles& tiles) {
  const double ic = static_cast<double>(round_up(s.ic, tiles.lanes)),
               oc = static_cast<double>(round_up(s.oc, tiles.lanes));
  return s.n * s.oh * s.ow * 9.0 * ic * oc / tiles.lanes + 9 * ic * oc * float_bytes / 6;
}

void add_winograd(std::vector<ConvConfig>& all, const ConvShape& s, const BrgemmTiles& tiles, const CacheSizes& caches,
                  int threads) {
  const int64_t lanes = tiles.lanes, blocks = ceil_div(s.ic, lanes), out_blocks = ceil_div(s.oc, lanes);
  std::vector<ConvConfig> found;
  for (const ConvAlgorithm algorithm : {ConvAlgorithm::winograd4x4, ConvAlgorithm::winograd2x2}) {
    const int64_t m = algorithm == ConvAlgorithm::winograd4x4 ? 4 : 2;
    const int64_t rows = ceil_div(s.oh, m), columns = ceil_div(s.ow, m);
    const int64_t block_bytes = (m + 2) * (m + 2) * columns * lanes * float_bytes;  // of one tile row
    std::vector<Width> widths = tile_widths(tiles, out_blocks, columns * std::min<int64_t>(s.n * rows, 4));
    widths.resize(std::min<size_t>(widths.size(), 2));
    for (const Width& width : widths) {
      const int64_t panels = ceil_div(out_blocks, width.nv);
      for (const int64_t part : {ceil_div(4, width.nv), ceil_div(8, width.nv), panels}) {
        ConvConfig config{algorithm, width.nv, 0, std::min(part, panels), blocks};
        const int64_t held = block_bytes * (blocks + std::min<int64_t>(config.oc_panels * width.nv, out_blocks));
        config.band = equal_bands(s.n * rows, std::clamp<int64_t>(caches.l2 * 3 / 4 / held, 1, s.n * rows), 1, 1);
        const int64_t bands = ceil_div(s.n * rows, config.band);
        config.oc_panels = std::min(config.oc_panels, panels_per_task(panels, bands, threads));
        add(found, config);
      }
    }
  }
  std::stable_sort(found.begin(), found.end(), [&](const ConvConfig& a, const ConvConfig& b) {
    return winograd_cost(s, a, tiles) < winograd_cost(s, b, tiles);
  });
  all.insert(all.end(), found.begin(), found.end());
}

}  // namespace

std::vector<ConvConfig> conv_configs(const ConvShape& s, const BrgemmTiles& tiles, const CacheSizes& caches,
                                     int threads) {
  std::vector<ConvConfig> all;
  if (s.groups > 1 && (s.plain_input || s.ic / s.groups % tiles.lanes || s.oc / s.groups % tiles.lanes)) return all;
  if (s.plain_input && (s.transposed || s.merged > 1)) return all;
  const bool unit = s.stride_h == 1 && s.stride_w == 1 && s.kh == 1 && s.kw == 1;
  if (unit && !s.plain_input && s.pad_top == 0 && s.pad_left == 0 && s.oh == s.ih && s.ow == s.iw && !s.transposed) {
    add_pointwise(all, s, tiles, caches, threads);
    return all;
  }
  add_direct(all, s, tiles, caches, threads);
  if (winograd_applies(s)) {
    const size_t direct = all.size();
    add_winograd(all, s, tiles, caches, threads);
    const bool better = winograd_cost(s, all[direct], tiles) < direct_cost(s, tiles);
    if (better) std::rotate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(direct), all.end());
  }
  return all;
}

}  // namespace narae::cpu
