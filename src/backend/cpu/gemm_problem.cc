// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/gemm_problem.h"

#include <cstdio>

#include "backend/cpu/conv_problem.h"
#include "backend/cpu/cost.h"
#include "base/error.h"
#include "ops/matmul.h"

namespace narae::cpu {
namespace {

class GemmKernel final : public CpuKernel {
 public:
  GemmKernel(int threads, const Node& node, const NodeDims& dims, GemmProblem problem, const GemmConfig& config,
             const BrgemmTiles& tiles, const ScalarSteps& steps)
      : CpuKernel(threads),
        problem_(std::move(problem)),
        config_(config),
        tiles_(tiles),
        act_(kernel_act(problem_.body)),
        output_(node.inputs().size() + problem_.part) {
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
    auto epilogue = call.bind<GemmEpilogue>(act_, problem_.body.bias, problem_.body.residual);
    epilogue.ldr = problem_.shape.n;
    gemm_run(tiles_, problem_.shape, config_, at(static_cast<int>(problem_.a)), problem_.shape.k,
             at(static_cast<int>(problem_.b)), static_cast<float*>(operands[output_]), problem_.shape.n, epilogue,
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

}  // namespace

std::optional<GemmProblem> gemm_problem(const Node& node, const NodeDims& dims, size_t part) {
  const auto spans = [&](const Dims& result) -> SpanOf {
    return [space = TileSpace{result, 0, false, 1}](const Dims& operand) { return tile_class(space, operand); };
  };
  const Node* anchor = contraction_anchor(node, "matmul", part);
  if (!anchor || anchor->attributes<MatmulAttributes>().transpose_a) return std::nullopt;
  std::optional<ContractionBody> body = contraction_body(node, dims, "matmul", spans, part);
  if (!body || !node.input(static_cast<size_t>(body->operands[1]))->is_constant()) return std::nullopt;
  const Dims& b = dims.inputs[static_cast<size_t>(body->operands[1])];
  GemmProblem problem;
  problem.part = part;
  problem.a = static_cast<size_t>(body->operands[0]), problem.b = static_cast<size_t>(body->operands[1]);
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

std::string gemm_config_text(const GemmConfig& c) {
  return fmt::format("mc{} nc{} kc{} nv{}{}", c.mc, c.nc, c.kc, c.nv, c.copy_a ? " copy" : "");
}
GemmConfig parse_gemm_config(const std::string& text) {
  GemmConfig config;
  long long mc = 0, nc = 0, kc = 0;
  if (std::sscanf(text.c_str(), "mc%lld nc%lld kc%lld nv%d", &mc, &nc, &kc, &config.nv) != 4) {
    fail(ErrorCode::bad_file, "a product's config cannot be read: \"{}\"", text);
  }
  config.mc = mc, config.nc = nc, config.kc = kc;
  config.copy_a = text.find("copy") != std::string::npos;
  return config;
}

std::string gemm_pack_text(const GemmProblem& problem, const GemmConfig& config, const BrgemmTiles& tiles) {
  return fmt::format("gemm{} {}x{}", problem.b_transposed ? " t" : "", config.nv, tiles.lanes);
}

Tensor pack_gemm(const Node& anchor, const GemmConfig& config, const Tensor& b, const BrgemmTiles& tiles) {
  const bool transposed = anchor.attributes<MatmulAttributes>().transpose_b;
  const int64_t last = b.dims.back(), rows = b.dims[b.dims.size() - 2];
  const int64_t k = transposed ? last : rows, n = transposed ? rows : last;
  const int nr = config.nv * tiles.lanes;
  Tensor packed = Tensor::allocate(DType::f32, {packed_b_size(k, n, tiles.lanes)});
  if (b.data)
    pack_b(b.as<float>(), last, transposed, k, n, nr, tiles.lanes, 1.0f, 0, ceil_div(n, nr), packed.as<float>());
  return packed;
}

double gemm_seconds(const GemmProblem& problem, const NodeDims& dims, const BrgemmTiles& tiles, const Target& target) {
  const GemmShape& s = problem.shape;
  const double flops = 2.0 * static_cast<double>(s.m * s.k) * static_cast<double>(round_up(s.n, tiles.lanes));
  // Below a tile's height the loads of the right operand show.
  const double efficiency = s.m >= 12 ? 0.8 : 0.15 + 0.05 * static_cast<double>(s.m);
  double elements = static_cast<double>(s.m * s.k + s.k * s.n + s.m * s.n);
  const auto add = [&](int operand) {
    if (operand >= 0) elements += static_cast<double>(element_count(dims.inputs[static_cast<size_t>(operand)]));
  };
  add(problem.body.residual);
  for (const int operand : problem.body.rest_operands) add(operand);
  return roofline(target, flops, efficiency, 4 * elements) +
         rest_seconds(problem.body, static_cast<double>(s.m * s.n), target);
}

std::unique_ptr<CpuKernel> make_gemm_kernel(int threads, const Node& node, const NodeDims& dims, GemmProblem problem,
                                            const GemmConfig& config, const BrgemmTiles& tiles,
                                            const ScalarSteps& steps) {
  return std::make_unique<GemmKernel>(threads, node, dims, std::move(problem), config, tiles, steps);
}

}  // namespace narae::cpu
