// SPDX-License-Identifier: Apache-2.0
// Loop order inside a task: k blocks, then panels of B, then row tiles, so that one panel of B (kc x nr) stays in L1
// while the block of A (mc x kc) streams from L2.
#include "kernels/cpu/gemm.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/pack.h"

namespace narae::cpu {
namespace {

constexpr int64_t line_floats = 16;

// Row stride of a copy of A: a whole number of cache lines, but an odd one, so that rows spread over all sets.
int64_t copied_stride(int64_t k) {
  const int64_t lines = ceil_div(k, line_floats);
  return (lines | 1) * line_floats;
}

// Rows that are a multiple of half a page apart share one or two cache sets.
bool harmful_stride(int64_t lda) { return lda * static_cast<int64_t>(sizeof(float)) % 2048 == 0; }

// A part of C.
struct Block {
  int64_t m0, m1, n0, n1;
  int64_t image = 0;
};

struct Operands {
  const float* a;  // of row m0, column 0 of the k range
  int64_t lda;
  const float* b;  // packed panels of all of K, starting with column n0
  float* c;        // of row 0, column 0
  int64_t ldc;
};

// All panels and row tiles of one block for k in [k0, k1).
void run_block(const BrgemmTiles& tiles, const GemmShape& shape, int nv, const Block& block, const Operands& o,
               int64_t k0, int64_t k1, const GemmEpilogue& e) {
  const int64_t nr = static_cast<int64_t>(nv) * tiles.lanes;
  const bool first = k0 == 0, last = k1 == shape.k;
  BrgemmArgs args;
  args.lda = o.lda, args.k = k1 - k0, args.ldc = o.ldc, args.c_vec_stride = tiles.lanes, args.accumulate = !first;
  args.ldr = e.ldr, args.r_vec_stride = tiles.lanes, args.lo = e.lo, args.hi = e.hi;
  args.act = last ? e.act : Act::none;
  for (int64_t n = block.n0; n < block.n1; n += nr) {
    const int64_t columns = std::min(nr, block.n1 - n);
    const int vectors = static_cast<int>(ceil_div(columns, tiles.lanes));
    args.tail = static_cast<int>(columns % tiles.lanes);
    args.b = o.b + (n - block.n0) * shape.k + k0 * vectors * tiles.lanes;
    args.bias = first && e.bias ? e.bias + n : nullptr;
    const RowSplit split = split_rows(block.m1 - block.m0, tiles.max_rows[vectors - 1]);
    int64_t m = block.m0;
    for (int64_t t = 0; t < split.tiles; ++t) {
      const int64_t rows = split.base + (t < split.extra);
      args.a = o.a + (m - block.m0) * o.lda;
      args.c = o.c + m * o.ldc + n;
      args.residual = last && e.residual ? e.residual + m * e.ldr + n : nullptr;
      tiles.run(static_cast<int>(rows), vectors, args);
      m += rows;
    }
    if (last && e.after.run) {
      HotTile hot;
      hot.data = o.c + block.m0 * o.ldc + n, hot.row_stride = o.ldc;
      hot.rows = block.m1 - block.m0, hot.columns = columns, hot.row = block.m0, hot.column = n;
      hot.image = block.image;
      e.after.run(e.after.context, hot);
    }
  }
}

// Copies rows [m0, m1) x [k0, k1) of A (transposed: of [k, m]) to `to`, whose row stride is `stride`.
void copy_a_block(const float* a, int64_t lda, bool transposed, const Block& block, int64_t k0, int64_t k1, float* to,
                  int64_t stride) {
  if (transposed) {
    transpose(a + k0 * lda + block.m0, lda, k1 - k0, block.m1 - block.m0, to, stride);
    return;
  }
  for (int64_t m = block.m0; m < block.m1; ++m, to += stride)
    std::memcpy(to, a + m * lda + k0, (k1 - k0) * sizeof(float));
}

void run_k_blocks(const BrgemmTiles& tiles, const GemmShape& shape, const GemmConfig& config, const Block& block,
                  const float* a, int64_t lda, bool a_transposed, const float* b, float* c, int64_t ldc,
                  const GemmEpilogue& e, float* a_copy) {
  int64_t k0 = 0;
  do {  // once even for k = 0: bias and epilogue remain
    const int64_t k1 = std::min(shape.k, k0 + config.kc);
    Operands o{a_copy, copied_stride(k1 - k0), b, c, ldc};
    if (config.copy_a || a_transposed) {
      copy_a_block(a, lda, a_transposed, block, k0, k1, a_copy, o.lda);
    } else {
      o.a = a + block.m0 * lda + k0, o.lda = lda;
    }
    run_block(tiles, shape, config.nv, block, o, k0, k1, e);
    k0 = k1;
  } while (k0 < shape.k);
}

int64_t a_copy_size(const GemmShape& shape, const GemmConfig& config) {
  return std::min(config.mc, shape.m) * copied_stride(std::min(config.kc, shape.k));
}

// Tile widths worth trying: those whose tallest tile holds nearly as many accumulators as the best one, or any when
// there are too few rows for a tall tile.
std::vector<int> vector_choices(const GemmShape& shape, const BrgemmTiles& tiles) {
  const int64_t vectors = ceil_div(shape.n, tiles.lanes);
  int most = 0;
  for (int nv = 1; nv <= tiles.max_vectors; ++nv) most = std::max(most, nv * tiles.max_rows[nv - 1]);
  std::vector<int> wide;
  for (int nv : {4, 3, 2}) {
    if (nv > tiles.max_vectors || nv > vectors || (nv == 3 && vectors % 3 != 0)) continue;
    if (shape.m > 4 && nv * tiles.max_rows[nv - 1] * 4 < most * 3) continue;
    wide.push_back(nv);
  }
  if (wide.empty()) wide.push_back(1);
  return wide;
}

// Cuts `total` into parts of a multiple of `unit`, near `target` parts.
int64_t cut(int64_t total, int64_t unit, int64_t target) {
  return std::max(unit, round_up(ceil_div(total, std::max<int64_t>(1, target)), unit));
}

}  // namespace

namespace {

// Equal columns of B must give equal results, whichever panel they fall into: networks whose classes tie would
// otherwise be decided by the place of a column.
bool same_order_in_tail(const GemmShape& shape, int nv, const BrgemmTiles& tiles) {
  const int tail = static_cast<int>(ceil_div(shape.n % (static_cast<int64_t>(nv) * tiles.lanes), tiles.lanes));
  if (tail == 0 || tail == nv) return true;
  auto chains = [&](int vectors) {
    const auto rows = static_cast<int>(split_rows(shape.m, tiles.max_rows[vectors - 1]).base);
    return brgemm_chains(tiles.registers, rows * vectors);
  };
  return chains(tail) == chains(nv);
}

// The widths of vector_choices() that add up all columns alike; all of them where none does.
std::vector<int> even_choices(const GemmShape& shape, const BrgemmTiles& tiles) {
  std::vector<int> choices = vector_choices(shape, tiles);
  const auto odd = std::stable_partition(choices.begin(), choices.end(),
                                         [&](int nv) { return same_order_in_tail(shape, nv, tiles); });
  if (odd != choices.begin()) choices.erase(odd, choices.end());
  return choices;
}

}  // namespace

std::vector<GemmConfig> gemm_configs(const GemmShape& shape, const BrgemmTiles& tiles, const CacheSizes& caches,
                                     int threads) {
  std::vector<GemmConfig> all;
  for (int nv : even_choices(shape, tiles)) {
    const int64_t nr = static_cast<int64_t>(nv) * tiles.lanes;
    const bool deep = shape.k * nr * 4 > caches.l2 / 4;  // a panel of all of k would crowd out A
    for (int64_t kc : {deep ? int64_t{512} : shape.k, deep ? shape.k : int64_t{512}, int64_t{256}}) {
      kc = std::max<int64_t>(1, std::min(kc, shape.k));
      kc = round_up(ceil_div(std::max<int64_t>(1, shape.k), std::max<int64_t>(1, ceil_div(shape.k, kc))),
                    4);  // equal blocks
      // Half of L2 for the block of A, a multiple of the tile's height.
      const int64_t unit = tiles.max_rows[nv - 1];
      const int64_t fit = std::max(unit, caches.l2 / 2 / (kc * 4) / unit * unit);
      const int64_t mc = shape.m <= fit ? shape.m : round_up(ceil_div(shape.m, ceil_div(shape.m, fit)), unit);
      const int64_t row_blocks = ceil_div(shape.m, std::max<int64_t>(1, mc));
      const int64_t nc = cut(shape.n, nr, ceil_div(8 * threads, row_blocks));
      GemmConfig config{std::max<int64_t>(1, mc), nc, kc, nv, false};
      if (std::find(all.begin(), all.end(), config) == all.end()) all.push_back(config);
      if (harmful_stride(shape.k) && shape.m > 4) {
        config.copy_a = true;
        if (std::find(all.begin(), all.end(), config) == all.end()) all.push_back(config);
      }
    }
  }
  return all;
}

int64_t gemm_tasks(const GemmShape& shape, const GemmConfig& config) {
  return ceil_div(shape.m, config.mc) * ceil_div(shape.n, config.nc);
}

int64_t gemm_scratch(const GemmShape& shape, const GemmConfig& config) {
  return config.copy_a ? a_copy_size(shape, config) : 0;
}

void gemm_run(const BrgemmTiles& tiles, const GemmShape& shape, const GemmConfig& config, const float* a, int64_t lda,
              const float* packed_b, float* c, int64_t ldc, const GemmEpilogue& epilogue, float* scratch,
              int64_t task_begin, int64_t task_end) {
  const int64_t row_blocks = ceil_div(shape.m, config.mc);
  for (int64_t task = task_begin; task < task_end; ++task) {
    Block block;
    block.m0 = task % row_blocks * config.mc, block.m1 = std::min(shape.m, block.m0 + config.mc);
    block.n0 = task / row_blocks * config.nc, block.n1 = std::min(shape.n, block.n0 + config.nc);
    run_k_blocks(tiles, shape, config, block, a, lda, false, packed_b + block.n0 * shape.k, c, ldc, epilogue, scratch);
  }
}

std::vector<GemmConfig> batched_gemm_configs(const BatchedGemm& gemm, const BrgemmTiles& tiles,
                                             const CacheSizes& caches, int threads) {
  const GemmShape& shape = gemm.shape;
  std::vector<GemmConfig> all;
  for (int nv : even_choices(shape, tiles)) {
    const int64_t nr = static_cast<int64_t>(nv) * tiles.lanes;
    // A third of L2 for the packed block of B.
    const int64_t fit = std::max(nr, caches.l2 / 3 / (std::max<int64_t>(1, shape.k) * 4) / nr * nr);
    const int64_t nc = shape.n <= fit ? round_up(shape.n, nr) : cut(shape.n, nr, ceil_div(shape.n, fit));
    const int64_t parts = ceil_div(2 * threads, gemm.outer * gemm.inner);
    const int64_t mc = cut(shape.m, tiles.max_rows[nv - 1], parts);
    const bool copy = gemm.a_transposed || (harmful_stride(gemm.lda) && shape.m > 4);
    all.push_back({std::min(mc, shape.m), nc, std::max<int64_t>(1, shape.k), nv, copy});
  }
  return all;
}

int64_t batched_gemm_tasks(const BatchedGemm& gemm, const GemmConfig& config) {
  return gemm.outer * gemm.inner * ceil_div(gemm.shape.m, config.mc);
}

int64_t batched_gemm_scratch(const BatchedGemm& gemm, const GemmConfig& config, int lanes) {
  const int64_t b = gemm.shape.k * round_up(std::min(config.nc, gemm.shape.n), lanes);
  return b + (config.copy_a || gemm.a_transposed ? a_copy_size(gemm.shape, config) : 0);
}

void batched_gemm_run(const BrgemmTiles& tiles, const BatchedGemm& gemm, const GemmConfig& config, const float* a,
                      const float* b, float* c, const GemmEpilogue& epilogue, float* scratch, int64_t task_begin,
                      int64_t task_end) {
  const GemmShape& shape = gemm.shape;
  const int lanes = tiles.lanes, nr = config.nv * lanes;
  const int64_t row_blocks = ceil_div(shape.m, config.mc);
  float* a_copy = scratch + shape.k * round_up(std::min(config.nc, shape.n), lanes);
  for (int64_t n0 = 0; n0 < shape.n; n0 += config.nc) {
    const int64_t n1 = std::min(shape.n, n0 + config.nc);
    int64_t packed = -1;  // the product whose B lies in scratch
    for (int64_t task = task_begin; task < task_end; ++task) {
      const int64_t product = task / row_blocks, o = product / gemm.inner, i = product % gemm.inner;
      if (product != packed) {
        const float* from = b + o * gemm.b_stride[0] + i * gemm.b_stride[1] + (gemm.b_transposed ? n0 * gemm.ldb : n0);
        pack_b(from, gemm.ldb, gemm.b_transposed, shape.k, n1 - n0, nr, lanes, gemm.scale, 0, ceil_div(n1 - n0, nr),
               scratch);
        packed = product;
      }
      Block block;
      block.m0 = task % row_blocks * config.mc, block.m1 = std::min(shape.m, block.m0 + config.mc);
      block.n0 = n0, block.n1 = n1, block.image = product;
      run_k_blocks(tiles, shape, config, block, a + o * gemm.a_stride[0] + i * gemm.a_stride[1], gemm.lda,
                   gemm.a_transposed, scratch, c + o * gemm.c_stride[0] + i * gemm.c_stride[1], gemm.ldc, epilogue,
                   a_copy);
    }
  }
}

}  // namespace narae::cpu
