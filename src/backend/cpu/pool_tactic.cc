// SPDX-License-Identifier: Apache-2.0
// max_pool and avg_pool over one or two spatial axes, plain and on channel blocks; on blocks also the mean and maximum
// over a whole image, which is a reduction in the graph.
#include <cstring>
#include <optional>

#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"
#include "kernels/cpu/pool.h"
#include "ops/pool.h"
#include "ops/reduce.h"

namespace narae::cpu {
namespace {

struct PoolProblem {
  PoolShape shape;
  PoolKind kind = PoolKind::max;
  bool global = false;
};

template <typename A>
void set_window(const A& a, PoolShape& s) {
  const size_t axes = a.kernel.size(), last = axes - 1;
  s.kw = a.kernel[last], s.stride_w = a.strides[last], s.dilation_w = a.dilations[last];
  s.pad_left = a.pads[last], s.pad_right = a.pads[axes + last];
  if (axes < 2) return;
  s.kh = a.kernel[0], s.stride_h = a.strides[0], s.dilation_h = a.dilations[0];
  s.pad_top = a.pads[0], s.pad_bottom = a.pads[axes];
}

// A reduction over all spatial axes.
bool is_global(const Node& node) {
  if (!node.is("reduce_mean") && !node.is("reduce_max")) return false;
  const auto& axes = node.attributes<ReduceAttributes>().axes;
  const int rank = node.input(0)->rank();
  if (rank < 3 || static_cast<int>(axes.size()) != rank - 2) return false;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != static_cast<int64_t>(i) + 2) return false;
  }
  return true;
}

std::optional<PoolProblem> pool_problem(const Node& node, const NodeDims& dims) {
  PoolProblem problem;
  problem.global = is_global(node);
  const bool max = node.is("max_pool");
  if (!problem.global && !max && !node.is("avg_pool")) return std::nullopt;
  if (node.outputs().size() != 1 || node.input(0)->dtype() != DType::f32) return std::nullopt;
  const Dims& x = dims.inputs[0];
  PoolShape& s = problem.shape;
  if (element_count(x) == 0 || element_count(dims.outputs[0]) == 0) return std::nullopt;
  s.n = x[0], s.c = x[1];
  if (problem.global) {
    problem.kind = node.is("reduce_max") ? PoolKind::max : PoolKind::average;
    s.ih = 1, s.iw = element_count(x) / (s.n * s.c);
    return problem;
  }
  if (x.size() != 3 && x.size() != 4) return std::nullopt;
  const Dims& y = dims.outputs[0];
  const bool two = x.size() == 4;
  s.ih = two ? x[2] : 1, s.iw = x.back(), s.oh = two ? y[2] : 1, s.ow = y.back();
  problem.kind = max ? PoolKind::max : PoolKind::average;
  if (max) {
    set_window(node.attributes<MaxPoolAttributes>(), s);
  } else {
    set_window(node.attributes<AvgPoolAttributes>(), s);
    s.count_include_pad = node.attributes<AvgPoolAttributes>().count_include_pad;
  }
  return problem;
}

class PoolKernel final : public CpuKernel {
 public:
  PoolKernel(int threads, const PoolKernels& kernels, const PoolProblem& problem, bool blocked, bool drop_padding)
      : CpuKernel(threads), kernels_(kernels), problem_(problem), blocked_(blocked), drop_padding_(drop_padding) {}

 protected:
  int64_t tasks() const override {
    if (problem_.global) return pool_tasks_global(problem_.shape, kernels_.block);
    return blocked_ ? pool_tasks_blocked(problem_.shape, kernels_.block) : pool_tasks_plain(problem_.shape);
  }
  size_t scratch_bytes() const override {
    if (problem_.global) return drop_padding_ ? static_cast<size_t>(kernels_.block) * sizeof(float) : 0;
    return blocked_ ? 0 : static_cast<size_t>(pool_scratch(problem_.shape)) * sizeof(float);
  }
  void run(std::span<void* const> operands, void* scratch, void*, int64_t begin, int64_t end) const override {
    const auto* in = static_cast<const float*>(operands[0]);
    auto* out = static_cast<float*>(operands[1]);
    const PoolShape& s = problem_.shape;
    if (!problem_.global) {
      if (blocked_) return kernels_.blocked(s, problem_.kind, in, out, begin, end);
      return kernels_.plain(s, problem_.kind, in, out, static_cast<float*>(scratch), begin, end);
    }
    if (!drop_padding_) return kernels_.global_blocked(s, problem_.kind, in, out, begin, end);
    // A plain result of a channel tail: the last block of an image is made apart, its real lanes copied.
    const int64_t blocks = (s.c + kernels_.block - 1) / kernels_.block, pixels = s.ih * s.iw;
    for (int64_t task = begin; task < end; ++task) {
      auto* one = static_cast<float*>(scratch);
      PoolShape block = s;
      block.n = 1, block.c = kernels_.block;
      kernels_.global_blocked(block, problem_.kind, in + task * pixels * kernels_.block, one, 0, 1);
      const int64_t first = task % blocks * kernels_.block;
      std::memcpy(out + task / blocks * s.c + first, one,
                  static_cast<size_t>(std::min(kernels_.block, s.c - first)) * sizeof(float));
    }
  }

 private:
  const PoolKernels& kernels_;
  PoolProblem problem_;
  bool blocked_, drop_padding_;
};

class PoolTactic final : public Tactic {
 public:
  explicit PoolTactic(CpuLevel level) : level_(std::move(level)), kernels_(pool_kernels(level_.isa)) {}
  const char* name() const override { return "pool"; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    const std::optional<PoolProblem> problem = pool_problem(node, dims);
    if (!problem) return;
    const Layout blocked = Layout::blocked(1, static_cast<int>(kernels_->block));
    const auto offer = [&](const Layout& from, const Layout& to) {
      out.push_back(plain_choice(this, node));
      out.back().inputs[0] = from, out.back().outputs[0] = to;
    };
    if (problem->shape.c > 1) offer(blocked, blocked);
    if (!problem->global) offer(Layout::plain(), Layout::plain());
    if (problem->global && problem->shape.c > 1) offer(blocked, Layout::plain());
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<PoolProblem> problem = pool_problem(node, dims);
    require_covered(problem.has_value(), node);
    const PoolShape& s = problem->shape;
    const auto results = static_cast<double>(choice.outputs[0].stored_count(dims.outputs[0]));
    const double flops = problem->global ? static_cast<double>(element_count(dims.inputs[0]))
                                         : results * static_cast<double>(s.kh * s.kw);
    // Plain rows have strided and unaligned windows.
    return roofline(target, flops, choice.inputs[0].is_plain() ? 0.05 : 0.15, node_bytes(node, choice, dims));
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    const std::optional<PoolProblem> problem = pool_problem(node, dims);
    require_covered(problem.has_value(), node);
    const bool drop = problem->global && choice.outputs[0].is_plain() && problem->shape.c % kernels_->block != 0;
    return std::make_unique<PoolKernel>(level_.threads, *kernels_, *problem, !choice.inputs[0].is_plain(), drop);
  }

 private:
  CpuLevel level_;
  const PoolKernels* kernels_;
};

}  // namespace

std::unique_ptr<Tactic> make_pool_tactic(const CpuLevel& level) { return std::make_unique<PoolTactic>(level); }

}  // namespace narae::cpu
