// SPDX-License-Identifier: Apache-2.0
// Products of two computed operands, as in attention: any broadcast batch axes, either side transposed.
#include <cstdio>

#include "backend/contraction_body.h"
#include "backend/cpu/conv_problem.h"
#include "backend/cpu/cost.h"
#include "backend/cpu/tactics.h"
#include "backend/operand_placement.h"
#include "base/error.h"
#include "kernels/cpu/gemm.h"
#include "ops/matmul.h"

namespace narae::cpu {
namespace {

struct BatchedProblem {
  ContractionBody body;
  BatchedGemm gemm;
  TileSpace space;
  // Batch axes beyond the two that the kernels walk: sizes and strides of a, b and c.
  struct Axis {
    int64_t size, a, b, c;
  };
  std::vector<Axis> more;
  int64_t products() const {
    int64_t count = 1;
    for (const Axis& axis : more) count *= axis.size;
    return count;
  }
};

// Batch axes outermost first, neighbours merged where all operands allow.
std::vector<BatchedProblem::Axis> batch_axes(const Dims& a, const Dims& b, const Dims& c) {
  const auto strides = [&](const Dims& dims) {
    Dims batch(dims.begin(), dims.end() - 2);
    std::vector<int64_t> all = operand_strides(batch, Dims(c.begin(), c.end() - 2), Layout::plain());
    for (int64_t& stride : all) stride *= dims.back() * dims[dims.size() - 2];
    return all;
  };
  const std::vector<int64_t> sa = strides(a), sb = strides(b), sc = strides(c);
  std::vector<BatchedProblem::Axis> axes;
  for (size_t i = 0; i + 2 < c.size(); ++i) {
    if (c[i] == 1) continue;
    const BatchedProblem::Axis axis{c[i], sa[i], sb[i], sc[i]};
    if (!axes.empty() && axes.back().a == axis.a * axis.size && axes.back().b == axis.b * axis.size &&
        axes.back().c == axis.c * axis.size) {
      const int64_t outer = axes.back().size;
      axes.back() = axis;
      axes.back().size *= outer;
    } else {
      axes.push_back(axis);
    }
  }
  return axes;
}

std::optional<BatchedProblem> batched_problem(const Node& node, const NodeDims& dims) {
  const auto spans = [&](const Dims& result) -> SpanOf {
    return [space = TileSpace{result, result.size() - 2, false, 1}](const Dims& operand) {
      return tile_class(space, operand);
    };
  };
  std::optional<ContractionBody> body =
      contraction_body(node, dims, "matmul", spans, 0, {.scale = true, .residual = false, .masks = true});
  if (!body || element_count(body->result) == 0) return std::nullopt;
  const auto& attributes = body->anchor->attributes<MatmulAttributes>();
  const Dims& a = dims.inputs[static_cast<size_t>(body->operands[0])];
  const Dims& b = dims.inputs[static_cast<size_t>(body->operands[1])];
  BatchedProblem problem;
  BatchedGemm& gemm = problem.gemm;
  gemm.a_transposed = attributes.transpose_a, gemm.b_transposed = attributes.transpose_b;
  gemm.shape.m = body->result[body->result.size() - 2], gemm.shape.n = body->result.back();
  gemm.shape.k = gemm.a_transposed ? a[a.size() - 2] : a.back();
  if (gemm.shape.k == 0) return std::nullopt;
  gemm.lda = a.back(), gemm.ldb = b.back(), gemm.ldc = gemm.shape.n;
  gemm.scale = body->scale;
  problem.more = batch_axes(a, b, body->result);
  const auto take = [&](int64_t& count, int place) {
    if (problem.more.empty()) return;
    const BatchedProblem::Axis axis = problem.more.back();
    problem.more.pop_back();
    count = axis.size;
    gemm.a_stride[place] = axis.a, gemm.b_stride[place] = axis.b, gemm.c_stride[place] = axis.c;
  };
  take(gemm.inner, 1);
  take(gemm.outer, 0);
  if (!problem.more.empty() && body->has_rest()) return std::nullopt;  // tiles would not know their image
  problem.space = {body->result, body->result.size() - 2, false, 1};
  problem.body = std::move(*body);
  return problem;
}

std::string config_text(const GemmConfig& c) {
  return fmt::format("mc{} nc{} nv{}{}", c.mc, c.nc, c.nv, c.copy_a ? " copy" : "");
}
GemmConfig parse_config(const std::string& text, const BatchedProblem& problem) {
  GemmConfig config;
  long long mc = 0, nc = 0;
  if (std::sscanf(text.c_str(), "mc%lld nc%lld nv%d", &mc, &nc, &config.nv) != 3) {
    fail(ErrorCode::bad_file, "a product's config cannot be read: \"{}\"", text);
  }
  config.mc = mc, config.nc = nc, config.kc = problem.gemm.shape.k;
  config.copy_a = text.find("copy") != std::string::npos;
  return config;
}

class BatchedGemmKernel final : public CpuKernel {
 public:
  BatchedGemmKernel(int threads, const Node& node, const NodeDims& dims, BatchedProblem problem,
                    const GemmConfig& config, const BrgemmTiles& tiles, const ScalarSteps& steps)
      : CpuKernel(threads),
        problem_(std::move(problem)),
        config_(config),
        tiles_(tiles),
        act_(kernel_act(problem_.body)),
        output_(node.inputs().size()) {
    scratch_floats_ = round_up(batched_gemm_scratch(problem_.gemm, config_, tiles.lanes), 16);
    if (problem_.body.has_rest()) {
      epilogue_.emplace(problem_.body, dims, problem_.space, steps, config.nv * tiles.lanes);
      if (epilogue_->error()) fail(ErrorCode::internal, "{}: {}", node.label(), epilogue_->error());
    }
  }

 protected:
  int64_t tasks() const override { return problem_.products() * batched_gemm_tasks(problem_.gemm, config_); }
  size_t scratch_bytes() const override {
    return static_cast<size_t>(scratch_floats_) * sizeof(float) + (epilogue_ ? epilogue_->scratch_bytes() : 0);
  }
  void run(std::span<void* const> operands, void* scratch, void*, int64_t begin, int64_t end) const override {
    const auto at = [&](int i) { return static_cast<const float*>(operands[static_cast<size_t>(i)]); };
    EpilogueCall call{epilogue_ ? &*epilogue_ : nullptr, operands, static_cast<float*>(scratch) + scratch_floats_};
    const auto epilogue = call.bind<GemmEpilogue>(act_, problem_.body.bias, -1);
    const int64_t per_product = batched_gemm_tasks(problem_.gemm, config_);
    while (begin < end) {
      const int64_t product = begin / per_product, first = product * per_product;
      const int64_t last = std::min(end, first + per_product);
      int64_t a = 0, b = 0, c = 0, rest = product;
      for (size_t i = problem_.more.size(); i-- > 0;) {
        const BatchedProblem::Axis& axis = problem_.more[i];
        const int64_t index = rest % axis.size;
        rest /= axis.size;
        a += index * axis.a, b += index * axis.b, c += index * axis.c;
      }
      batched_gemm_run(tiles_, problem_.gemm, config_, at(problem_.body.operands[0]) + a,
                       at(problem_.body.operands[1]) + b, static_cast<float*>(operands[output_]) + c, epilogue,
                       static_cast<float*>(scratch), begin - first, last - first);
      begin = last;
    }
  }

 private:
  BatchedProblem problem_;
  GemmConfig config_;
  const BrgemmTiles& tiles_;
  KernelAct act_;
  size_t output_;
  int64_t scratch_floats_ = 0;
  std::optional<TileEpilogue> epilogue_;
};

class BatchedGemmTactic final : public Tactic {
 public:
  explicit BatchedGemmTactic(CpuLevel level)
      : level_(std::move(level)), tiles_(brgemm_tiles(level_.isa)), steps_(scalar_steps(level_.isa)) {}
  const char* name() const override { return "batched_gemm"; }

  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override {
    if (node.outputs().size() != 1) return;
    const std::optional<BatchedProblem> problem = batched_problem(node, dims);
    if (!problem) return;
    for (const GemmConfig& config : batched_gemm_configs(problem->gemm, *tiles_, cache_sizes(target), level_.threads)) {
      if (problem->body.has_rest() &&
          TileEpilogue(problem->body, dims, problem->space, *steps_, config.nv * tiles_->lanes).error()) {
        return;
      }
      out.push_back(plain_choice(this, node, config_text(config)));
    }
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<BatchedProblem> problem = batched_problem(node, dims);
    require_covered(problem.has_value(), node);
    const GemmShape& s = problem->gemm.shape;
    const auto products = static_cast<double>(problem->products() * problem->gemm.outer * problem->gemm.inner);
    const double flops =
        2.0 * products * static_cast<double>(s.m * s.k) * static_cast<double>(round_up(s.n, tiles_->lanes));
    // The right operand is packed for every product.
    const double packing = products * static_cast<double>(s.k * s.n) * 8;
    double seconds = roofline(target, flops, s.m >= 12 ? 0.65 : 0.15, node_bytes(node, choice, dims));
    seconds += packing / (target.l2_bytes_per_s * target.cores);
    seconds += rest_seconds(problem->body, products * static_cast<double>(s.m * s.n), target);
    return seconds;
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    std::optional<BatchedProblem> problem = batched_problem(node, dims);
    require_covered(problem.has_value(), node);
    const GemmConfig config = parse_config(choice.config, *problem);
    return std::make_unique<BatchedGemmKernel>(level_.threads, node, dims, std::move(*problem), config, *tiles_,
                                               *steps_);
  }

 private:
  CpuLevel level_;
  const BrgemmTiles* tiles_;
  const ScalarSteps* steps_;
};

}  // namespace

std::unique_ptr<Tactic> make_batched_gemm_tactic(const CpuLevel& level) {
  return std::make_unique<BatchedGemmTactic>(level);
}

}  // namespace narae::cpu
