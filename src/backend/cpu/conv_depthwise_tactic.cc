// SPDX-License-Identifier: Apache-2.0
// One filter per channel, on channel blocks: bound by memory and loads, not by multiplications.
#include "backend/cpu/conv_problem.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"
#include "kernels/cpu/dwconv.h"

namespace narae::cpu {
namespace {

class DepthwiseKernel final : public CpuKernel {
 public:
  DepthwiseKernel(int threads, const Node& node, const NodeDims& dims, ConvProblem problem, bool packed,
                  const DwconvKernels& kernels, const ScalarSteps& steps)
      : CpuKernel(threads),
        problem_(std::move(problem)),
        kernels_(kernels),
        act_(kernel_act(problem_.body)),
        packed_(packed),
        output_(node.inputs().size()) {
    if (problem_.body.has_rest()) {
      epilogue_.emplace(problem_.body, dims, problem_.space, steps, kernels.block);
      if (epilogue_->error()) fail(ErrorCode::internal, "{}: {}", node.label(), epilogue_->error());
    }
  }

 protected:
  int64_t tasks() const override { return dwconv_tasks(problem_.shape, kernels_.block); }
  size_t scratch_bytes() const override { return epilogue_ ? epilogue_->scratch_bytes() : 0; }
  size_t shared_bytes() const override {
    return packed_ ? 0 : static_cast<size_t>(dwconv_weights_size(problem_.shape, kernels_.block)) * sizeof(float);
  }
  void begin(std::span<void* const> operands, void* shared) const override {
    if (packed_) return;
    dwconv_pack_weights(problem_.shape, kernels_.block, at(operands, static_cast<int>(problem_.weights)),
                        static_cast<float*>(shared));
  }
  void run(std::span<void* const> operands, void* scratch, void* shared, int64_t begin, int64_t end) const override {
    EpilogueCall call{epilogue_ ? &*epilogue_ : nullptr, operands, scratch};
    const auto epilogue = call.bind<ConvEpilogue>(act_, problem_.bias, problem_.body.residual);
    const float* weights =
        packed_ ? at(operands, static_cast<int>(problem_.weights)) : static_cast<const float*>(shared);
    kernels_.run(problem_.shape, at(operands, static_cast<int>(problem_.x)), weights,
                 static_cast<float*>(operands[output_]), epilogue, begin, end);
  }

 private:
  static const float* at(std::span<void* const> operands, int i) {
    return static_cast<const float*>(operands[static_cast<size_t>(i)]);
  }
  ConvProblem problem_;
  const DwconvKernels& kernels_;
  KernelAct act_;
  bool packed_;
  size_t output_;
  std::optional<TileEpilogue> epilogue_;
};

class ConvDepthwiseTactic final : public Tactic {
 public:
  explicit ConvDepthwiseTactic(CpuLevel level)
      : level_(std::move(level)), kernels_(dwconv_kernels(level_.isa)), steps_(scalar_steps(level_.isa)) {}
  const char* name() const override { return "conv_depthwise"; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (node.outputs().size() != 1) return;
    const std::optional<ConvProblem> problem = problem_of(node, dims);
    if (!problem) return;
    if (problem->body.has_rest() &&
        TileEpilogue(problem->body, dims, problem->space, *steps_, kernels_->block).error()) {
      return;
    }
    Choice choice = plain_choice(this, node);
    place_conv(*problem, dims, choice);
    if (node.input(problem->weights)->is_constant())
      choice.packs[problem->weights] = fmt::format("depthwise x{}", kernels_->block);
    out.push_back(std::move(choice));
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<ConvProblem> problem = problem_of(node, dims);
    require_covered(problem.has_value(), node);
    return depthwise_seconds(*problem, node_bytes(node, choice, dims), target);
  }

  Tensor pack(const Node& node, const Choice&, size_t, const Tensor& constant, const Target&) const override {
    const ConvShape shape =
        packing_shape(*contraction_anchor(node, "conv"), constant.dims, static_cast<int>(kernels_->block), false);
    Tensor packed = Tensor::allocate(DType::f32, {dwconv_weights_size(shape, kernels_->block)});
    if (constant.data) dwconv_pack_weights(shape, kernels_->block, constant.as<float>(), packed.as<float>());
    return packed;
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    std::optional<ConvProblem> problem = problem_of(node, dims);
    require_covered(problem.has_value(), node);
    const bool packed = !choice.packs[problem->weights].empty();
    return std::make_unique<DepthwiseKernel>(level_.threads, node, dims, std::move(*problem), packed, *kernels_,
                                             *steps_);
  }

 private:
  std::optional<ConvProblem> problem_of(const Node& node, const NodeDims& dims) const {
    std::optional<ConvProblem> problem = conv_problem(node, dims, "conv", static_cast<int>(kernels_->block), false);
    if (problem && !is_depthwise(problem->shape)) problem.reset();
    return problem;
  }

  CpuLevel level_;
  const DwconvKernels* kernels_;
  const ScalarSteps* steps_;
};

}  // namespace

std::unique_ptr<Tactic> make_conv_depthwise_tactic(const CpuLevel& level) {
  return std::make_unique<ConvDepthwiseTactic>(level);
}

}  // namespace narae::cpu
