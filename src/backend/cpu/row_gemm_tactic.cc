// SPDX-License-Identifier: Apache-2.0
// Products with a constant right operand where a row's bits may not depend on how many rows there are: each element is
// one chain of sums over K, whatever the height of the tile. For deterministic devices; others have the faster gemm.
#include <algorithm>

#include "backend/cpu/conv_problem.h"
#include "backend/cpu/gemm_problem.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"
#include "kernels/cpu/block_gemm.h"
#include "kernels/cpu/pack.h"

namespace narae::cpu {
namespace {

constexpr int64_t task_rows = 64, task_panels = 4;

class RowGemmKernel final : public CpuKernel {
 public:
  RowGemmKernel(int threads, const Node& node, const NodeDims& dims, GemmProblem problem,
                const BlockGemmKernels& kernels, const ScalarSteps& steps)
      : CpuKernel(threads),
        problem_(std::move(problem)),
        kernels_(kernels),
        act_(kernel_act(problem_.body)),
        output_(node.inputs().size() + problem_.part),
        width_(task_panels * kernels.lanes) {
    if (!problem_.body.has_rest()) return;
    epilogue_.emplace(problem_.body, dims, problem_.space, steps, width_);
    if (epilogue_->error()) fail(ErrorCode::internal, "{}: {}", node.label(), epilogue_->error());
  }

 protected:
  int64_t tasks() const override { return ceil_div(problem_.shape.m, task_rows) * strips(); }
  size_t scratch_bytes() const override { return epilogue_ ? epilogue_->scratch_bytes() : 0; }
  void run(std::span<void* const> operands, void* scratch, void*, int64_t begin, int64_t end) const override {
    const GemmShape& s = problem_.shape;
    EpilogueCall call{epilogue_ ? &*epilogue_ : nullptr, operands, scratch};
    auto epilogue = call.bind<GemmEpilogue>(act_, problem_.body.bias, problem_.body.residual);
    epilogue.ldr = s.n;
    for (int64_t task = begin; task < end; ++task) {
      HotTile hot;
      hot.row = task / strips() * task_rows, hot.rows = std::min(task_rows, s.m - hot.row);
      hot.column = task % strips() * width_, hot.columns = std::min(width_, s.n - hot.column);
      hot.data = static_cast<float*>(operands[output_]) + hot.row * s.n + hot.column, hot.row_stride = s.n;
      run_task(static_cast<const float*>(operands[problem_.a]), static_cast<const float*>(operands[problem_.b]), hot);
      kernels_.finish(epilogue, hot.data, s.n, hot.row, hot.rows, hot.column, hot.columns);
      if (epilogue.after.run) epilogue.after.run(epilogue.after.context, hot);
    }
  }

 private:
  int64_t strips() const { return ceil_div(problem_.shape.n, width_); }
  void run_task(const float* a, const float* packed, const HotTile& hot) const {
    const int64_t k = problem_.shape.k;
    BlockTileF32 tile;
    tile.lda = k, tile.values = k, tile.ldc = problem_.shape.n;
    for (int64_t column = 0; column < hot.columns; column += kernels_.lanes) {
      tile.weights = packed + (hot.column + column) * k;
      tile.columns = std::min<int64_t>(kernels_.lanes, hot.columns - column);
      for (int64_t done = 0; done < hot.rows;) {
        const int64_t left = hot.rows - done;
        const int64_t rows = left >= kernels_.max_rows_f32 ? kernels_.max_rows_f32 : std::min<int64_t>(left, 4);
        tile.a = a + (hot.row + done) * k;
        tile.c = hot.data + done * tile.ldc + column;
        kernels_.tile_f32(static_cast<int>(rows), tile);
        done += rows;
      }
    }
  }

  GemmProblem problem_;
  const BlockGemmKernels& kernels_;
  KernelAct act_;
  size_t output_;
  int64_t width_;  // columns of a task
  std::optional<TileEpilogue> epilogue_;
};

class RowGemmTactic final : public Tactic {
 public:
  explicit RowGemmTactic(CpuLevel level)
      : level_(std::move(level)),
        kernels_(block_gemm_kernels(level_.isa)),
        tiles_(brgemm_tiles(level_.isa)),
        steps_(scalar_steps(level_.isa)) {}
  const char* name() const override { return "row_gemm"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!level_.deterministic || !kernels_ || kernels_->lanes != tiles_->lanes || node.outputs().size() != 1) return;
    const std::optional<GemmProblem> problem = gemm_problem(node, dims);
    if (!problem) return;
    if (problem->body.has_rest() &&
        TileEpilogue(problem->body, dims, problem->space, *steps_, task_panels * kernels_->lanes).error()) {
      return;
    }
    Choice choice = plain_choice(this, node);
    choice.packs[problem->b] = gemm_pack_text(*problem, one_vector, *tiles_);
    out.push_back(std::move(choice));
  }
  double estimate(const Node& node, const Choice&, const NodeDims& dims, const Target& target) const override {
    const std::optional<GemmProblem> problem = gemm_problem(node, dims);
    require_covered(problem.has_value(), node);
    return 1.3 * gemm_seconds(*problem, dims, *tiles_, target);
  }
  Tensor pack(const Node& node, const Choice&, size_t, const Tensor& constant, const Target&) const override {
    return pack_gemm(*contraction_anchor(node, "matmul"), one_vector, constant, *tiles_);
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    std::optional<GemmProblem> problem = gemm_problem(node, dims);
    require_covered(problem.has_value() && kernels_, node);
    return std::make_unique<RowGemmKernel>(level_.threads, node, dims, std::move(*problem), *kernels_, *steps_);
  }

 private:
  static constexpr GemmConfig one_vector{0, 0, 0, 1, false};
  CpuLevel level_;
  const BlockGemmKernels* kernels_;
  const BrgemmTiles* tiles_;
  const ScalarSteps* steps_;
};

}  // namespace

std::unique_ptr<Tactic> make_row_gemm_tactic(const CpuLevel& level) { return std::make_unique<RowGemmTactic>(level); }

}  // namespace narae::cpu
