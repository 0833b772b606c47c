// SPDX-License-Identifier: Apache-2.0
// Products with a constant right operand, packed at load: rows are all leading axes of the left one. Few rows (one
// token, one picture) go the same way.
#include <cstdio>

#include "backend/contraction_body.h"
#include "backend/cpu/conv_tactic.h"
#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "base/error.h"
#include "kernels/cpu/gemm.h"
#include "ops/matmul.h"

namespace narae::cpu {
namespace {

struct GemmProblem {
  ContractionBody body;
  GemmShape shape;
  TileSpace space;
  bool b_transposed = false;
};

std::optional<GemmProblem> gemm_problem(const Node& node, const NodeDims& dims) {
  const auto spans = [&](const Dims& result) -> SpanOf {
    return [space = TileSpace{result, 0, false, 1}](const Dims& operand) { return tile_class(space, operand); };
  };
  const Node* anchor = contraction_anchor(node, "matmul");
  if (!anchor || anchor->attributes<MatmulAttributes>().transpose_a) return std::nullopt;
  std::optional<ContractionBody> body = contraction_body(node, dims, "matmul", spans);
  if (!body || !node.input(static_cast<size_t>(body->operands[1]))->is_constant()) return std::nullopt;
  const Dims& b = dims.inputs[static_cast<size_t>(body->operands[1])];
  GemmProblem problem;
  problem.b_transposed = anchor->attributes<MatmulAttributes>().transpose_b;
  problem.shape.n = body->result.back();
  problem.shape.k = problem.b_transposed ? b.back() : b[b.size() - 2];
  if (element_count(b) != problem.shape.n * problem.shape.k) return std::nullopt;  // one matrix for all
  if (problem.shape.n == 0 || problem.shape.k == 0) return std::nullopt;
  problem.shape.m = element_count(body->result) / problem.shape.n;
  if (problem.shape.m == 0) return std::nullopt;
  problem.space = {body->result, 0, false, 1};
  problem.body = std::move(*body);
  return problem;
}

std::string config_text(const GemmConfig& c) {
  return fmt::format("mc{} nc{} kc{} nv{}{}", c.mc, c.nc, c.kc, c.nv, c.copy_a ? " copy" : "");
}
GemmConfig parse_config(const std::string& text) {
  GemmConfig config;
  long long mc = 0, nc = 0, kc = 0;
  if (std::sscanf(text.c_str(), "mc%lld nc%lld kc%lld nv%d", &mc, &nc, &kc, &config.nv) != 4) {
    fail(ErrorCode::bad_file, "a product's config cannot be read: \"{}\"", text);
  }
  config.mc = mc, config.nc = nc, config.kc = kc;
  config.copy_a = text.find("copy") != std::string::npos;
  return config;
}

class GemmKernel final : public CpuKernel {
 public:
  GemmKernel(int threads, const Node& node, const NodeDims& dims, GemmProblem problem, const GemmConfig& config,
             const BrgemmTiles& tiles, const ScalarSteps& steps)
      : CpuKernel(threads),
        problem_(std::move(problem)),
        config_(config),
        tiles_(tiles),
        act_(kernel_act(problem_.body)),
        output_(node.inputs().size()) {
    scratch_floats_ = round_up(gemm_scratch(problem_.shape, config_), 16);
    if (problem_.body.has_rest()) {
      epilogue_.emplace(problem_.body, dims, problem_.space, steps, config.nv * tiles.lanes);
      if (epilogue_->error()) fail(ErrorCode::internal, "{}: {}", node.label(), epilogue_->error());
    }
  }

 protected:
  int64_t tasks() const override { return gemm_tasks(problem_.shape, config_); }
  size_t scratch_bytes() const override {
    return static_cast<size_t>(scratch_floats_) * sizeof(float) + (epilogue_ ? epilogue_->scratch_bytes() : 0);
  }
  void run(std::span<void* const> operands, void* scratch, void*, int64_t begin, int64_t end) const override {
    const auto at = [&](int i) { return static_cast<const float*>(operands[static_cast<size_t>(i)]); };
    EpilogueCall call{epilogue_ ? &*epilogue_ : nullptr, operands, static_cast<float*>(scratch) + scratch_floats_};
    GemmEpilogue epilogue;
    if (problem_.body.bias >= 0) epilogue.bias = at(problem_.body.bias);
    if (problem_.body.residual >= 0) epilogue.residual = at(problem_.body.residual), epilogue.ldr = problem_.shape.n;
    epilogue.act = act_.act, epilogue.lo = act_.lo, epilogue.hi = act_.hi;
    epilogue.after = call.callback();
    gemm_run(tiles_, problem_.shape, config_, at(problem_.body.operands[0]), problem_.shape.k,
             at(problem_.body.operands[1]), static_cast<float*>(operands[output_]), problem_.shape.n, epilogue,
             static_cast<float*>(scratch), begin, end);
  }

 private:
  GemmProblem problem_;
  GemmConfig config_;
  const BrgemmTiles& tiles_;
  KernelAct act_;
  size_t output_;
  int64_t scratch_floats_ = 0;
  std::optional<TileEpilogue> epilogue_;
};

class GemmTactic final : public Tactic {
 public:
  explicit GemmTactic(CpuLevel level)
      : level_(std::move(level)), tiles_(brgemm_tiles(level_.isa)), steps_(scalar_steps(level_.isa)) {}
  const char* name() const override { return "gemm"; }

  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override {
    const std::optional<GemmProblem> problem = gemm_problem(node, dims);
    if (!problem) return;
    for (const GemmConfig& config : gemm_configs(problem->shape, *tiles_, cache_sizes(target), level_.threads)) {
      if (problem->body.has_rest() &&
          TileEpilogue(problem->body, dims, problem->space, *steps_, config.nv * tiles_->lanes).error()) {
        return;
      }
      Choice choice = plain_choice(this, node, config_text(config));
      choice.packs[static_cast<size_t>(problem->body.operands[1])] =
          fmt::format("gemm{} {}x{}", problem->b_transposed ? " t" : "", config.nv, tiles_->lanes);
      out.push_back(std::move(choice));
    }
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<GemmProblem> problem = gemm_problem(node, dims);
    NARAE_CHECK(problem);
    const GemmShape& s = problem->shape;
    const double flops = 2.0 * static_cast<double>(s.m * s.k) * static_cast<double>(round_up(s.n, tiles_->lanes));
    // Below a tile's height the loads of the right operand show.
    const double efficiency = s.m >= 12 ? 0.8 : 0.15 + 0.05 * static_cast<double>(s.m);
    double seconds = roofline(target, flops, efficiency, node_bytes(node, choice, dims));
    if (problem->body.has_rest()) {
      seconds += static_cast<double>(s.m * s.n) * scalar_program_flops(problem->body.rest) /
                 (target.fma_flops * 0.125 * target.cores);
    }
    return seconds;
  }

  Tensor pack(const Node& node, const Choice& choice, size_t, const Tensor& constant, const Target&) const override {
    const bool transposed = contraction_anchor(node, "matmul")->attributes<MatmulAttributes>().transpose_b;
    const int64_t last = constant.dims.back(), rows = constant.dims[constant.dims.size() - 2];
    const int64_t k = transposed ? last : rows, n = transposed ? rows : last;
    const int nr = parse_config(choice.config).nv * tiles_->lanes;
    Tensor packed = Tensor::allocate(DType::f32, {packed_b_size(k, n, tiles_->lanes)});
    pack_b(constant.as<float>(), last, transposed, k, n, nr, tiles_->lanes, 1.0f, 0, ceil_div(n, nr),
           packed.as<float>());
    return packed;
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    std::optional<GemmProblem> problem = gemm_problem(node, dims);
    NARAE_CHECK(problem);
    return std::make_unique<GemmKernel>(level_.threads, node, dims, std::move(*problem), parse_config(choice.config),
                                        *tiles_, *steps_);
  }

 private:
  CpuLevel level_;
  const BrgemmTiles* tiles_;
  const ScalarSteps* steps_;
};

}  // namespace

std::unique_ptr<Tactic> make_gemm_tactic(const CpuLevel& level) { return std::make_unique<GemmTactic>(level); }

}  // namespace narae::cpu
