// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/conv_problem.h"
#include "base/error.h"

namespace narae::cpu {
namespace {

class ConvKernel final : public CpuKernel {
 public:
  ConvKernel(int threads, const Node& node, const NodeDims& dims, ConvProblem problem, const ConvConfig& config,
             bool packed, const BrgemmTiles& tiles, const ScalarSteps& steps)
      : CpuKernel(threads),
        problem_(std::move(problem)),
        act_(kernel_act(problem_.body)),
        packed_(packed),
        output_(node.inputs().size() + problem_.part) {
    plan_ = make_conv_plan(problem_.shape, config, tiles);
    scratch_floats_ = round_up(conv_scratch(plan_), 16);
    if (problem_.body.has_rest()) {
      epilogue_.emplace(problem_.body, dims, problem_.space, steps, tiles.lanes);
      if (epilogue_->error()) fail(ErrorCode::internal, "{}: {}", node.label(), epilogue_->error());
    }
  }

 protected:
  int64_t tasks() const override { return conv_tasks(plan_); }
  size_t scratch_bytes() const override {
    return static_cast<size_t>(scratch_floats_) * sizeof(float) + (epilogue_ ? epilogue_->scratch_bytes() : 0);
  }
  size_t shared_bytes() const override {
    return packed_ ? 0 : static_cast<size_t>(conv_weights_size(plan_)) * sizeof(float);
  }
  void begin(std::span<void* const> operands, void* shared) const override {
    if (!packed_)
      conv_pack_weights(plan_, at(operands, static_cast<int>(problem_.weights)), static_cast<float*>(shared));
  }
  void run(std::span<void* const> operands, void* scratch, void* shared, int64_t begin, int64_t end) const override {
    EpilogueCall call{epilogue_ ? &*epilogue_ : nullptr, operands, static_cast<float*>(scratch) + scratch_floats_};
    const auto epilogue = call.bind<ConvEpilogue>(act_, problem_.bias, problem_.body.residual);
    const float* weights =
        packed_ ? at(operands, static_cast<int>(problem_.weights)) : static_cast<const float*>(shared);
    conv_run(plan_, at(operands, static_cast<int>(problem_.x)), weights, static_cast<float*>(operands[output_]),
             epilogue, static_cast<float*>(scratch), begin, end);
  }

 private:
  static const float* at(std::span<void* const> operands, int i) {
    return static_cast<const float*>(operands[static_cast<size_t>(i)]);
  }
  ConvProblem problem_;
  KernelAct act_;
  bool packed_;
  size_t output_;
  ConvPlan plan_;
  int64_t scratch_floats_ = 0;
  std::optional<TileEpilogue> epilogue_;
};

}  // namespace

std::unique_ptr<CpuKernel> make_conv_kernel(int threads, const Node& node, const NodeDims& dims, ConvProblem problem,
                                            ConvConfig config, bool packed, const BrgemmTiles& tiles,
                                            const ScalarSteps& steps) {
  return std::make_unique<ConvKernel>(threads, node, dims, std::move(problem), config, packed, tiles, steps);
}

}  // namespace narae::cpu
