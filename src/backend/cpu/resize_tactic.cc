// SPDX-License-Identifier: Apache-2.0
// resize of the last two axes in any mode, by tables made when the sizes are known; plain and on channel blocks.
#include <algorithm>
#include <array>
#include <optional>

#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"
#include "kernels/cpu/resize.h"
#include "ops/resize.h"

namespace narae::cpu {
namespace {

struct ResizeProblem {
  int64_t n = 1, c = 1;
  std::array<AxisSamples, 2> samples;  // rows, columns
  std::array<int64_t, 2> in{1, 1}, out{1, 1};
};

std::optional<ResizeProblem> resize_problem(const Node& node, const NodeDims& dims) {
  if (!node.is("resize") || node.input(0)->dtype() != DType::f32) return std::nullopt;
  const auto& a = node.attributes<ResizeAttributes>();
  const Dims &x = dims.inputs[0], &y = dims.outputs[0];
  if (x.size() < 2 || x.size() > 4 || element_count(x) == 0 || element_count(y) == 0) return std::nullopt;
  ResizeProblem problem;
  // Rank 3 is an image of one row, [N, C, W]; rank 2 one channel.
  const size_t spatial = x.size() == 3 ? 1 : 2, first = x.size() - spatial;
  if (first > 0) problem.n = x[0];
  if (first > 1) problem.c = x[1];
  problem.samples[0].places = {0}, problem.samples[0].weights = {1}, problem.samples[0].outside = {0};
  for (size_t axis = 0; axis < x.size(); ++axis) {
    AxisSamples samples = axis_samples(a, axis, x[axis], y[axis]);
    if (axis < first) {
      if (x[axis] != y[axis] || !samples.is_identity(x[axis])) return std::nullopt;
      continue;
    }
    if (std::any_of(samples.outside.begin(), samples.outside.end(), [](uint8_t o) { return o != 0; })) {
      return std::nullopt;
    }
    const size_t at = axis - first + (2 - spatial);
    problem.in[at] = x[axis], problem.out[at] = y[axis];
    problem.samples[at] = std::move(samples);
  }
  return problem;
}

class ResizeKernel final : public CpuKernel {
 public:
  ResizeKernel(int threads, const ResizeKernels& kernels, ResizeProblem problem, bool blocked)
      : CpuKernel(threads), kernels_(kernels), problem_(std::move(problem)), blocked_(blocked) {
    args_.n = problem_.n, args_.c = problem_.c;
    std::array<ResizeAxis*, 2> axes = {&args_.rows, &args_.columns};
    for (size_t i = 0; i < 2; ++i) {
      const AxisSamples& samples = problem_.samples[i];
      for (const double weight : samples.weights) weights_[i].push_back(static_cast<float>(weight));
      *axes[i] = {problem_.in[i], problem_.out[i], samples.taps, samples.places.data(), weights_[i].data()};
      const bool copies =
          samples.taps == 1 && std::all_of(weights_[i].begin(), weights_[i].end(), [](float w) { return w == 1; });
      if (copies) axes[i]->weights = nullptr;
    }
  }

 protected:
  int64_t tasks() const override {
    return blocked_ ? resize_tasks_blocked(args_, kernels_.block) : resize_tasks_plain(args_);
  }
  size_t scratch_bytes() const override {
    return blocked_ ? 0 : static_cast<size_t>(args_.columns.in + 16) * sizeof(float);
  }
  void run(std::span<void* const> operands, void* scratch, void*, int64_t begin, int64_t end) const override {
    ResizeArgs args = args_;
    args.x = static_cast<const float*>(operands[0]), args.y = static_cast<float*>(operands[1]);
    if (blocked_) return kernels_.blocked(args, begin, end);
    kernels_.plain(args, static_cast<float*>(scratch), begin, end);
  }

 private:
  const ResizeKernels& kernels_;
  ResizeProblem problem_;
  bool blocked_;
  std::array<std::vector<float>, 2> weights_;
  ResizeArgs args_;
};

class ResizeTactic final : public Tactic {
 public:
  explicit ResizeTactic(CpuLevel level) : level_(std::move(level)), kernels_(resize_kernels(level_.isa)) {}
  const char* name() const override { return "resize"; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    const std::optional<ResizeProblem> problem = resize_problem(node, dims);
    if (!problem) return;
    if (problem->c > 1) {
      out.push_back(plain_choice(this, node));
      out.back().inputs[0] = out.back().outputs[0] = Layout::blocked(1, static_cast<int>(kernels_->block));
    }
    out.push_back(plain_choice(this, node));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<ResizeProblem> problem = resize_problem(node, dims);
    require_covered(problem.has_value(), node);
    const bool plain = choice.inputs[0].is_plain();
    const double results = static_cast<double>(choice.outputs[0].stored_count(dims.outputs[0]));
    const auto taps = static_cast<double>(problem->samples[0].taps * problem->samples[1].taps);
    return roofline(target, results * taps * 2, plain ? 0.02 : 0.15, node_bytes(node, choice, dims));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    std::optional<ResizeProblem> problem = resize_problem(node, dims);
    require_covered(problem.has_value(), node);
    return std::make_unique<ResizeKernel>(level_.threads, *kernels_, std::move(*problem), !choice.inputs[0].is_plain());
  }

 private:
  CpuLevel level_;
  const ResizeKernels* kernels_;
};

}  // namespace

std::unique_ptr<Tactic> make_resize_tactic(const CpuLevel& level) { return std::make_unique<ResizeTactic>(level); }

}  // namespace narae::cpu
