// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/own_kernel.h"
#include "backend/cuda/tactics.h"
#include "kernels/cuda/sample.h"
#include "ops/sample.h"

namespace narae::cuda {
namespace {

constexpr int64_t largest_vocabulary = int64_t{1} << 21;

void bind(SampleArgs& a, std::span<void* const> operands, void* workspace) {
  const auto from = [&](SampleOperand i) { return Pointer{operands[static_cast<size_t>(i)]}; };
  using enum SampleOperand;
  a.logits = from(logit_rows), a.temperatures = from(temperatures), a.top_ks = from(top_ks), a.top_ps = from(top_ps);
  a.min_ps = from(min_ps), a.seeds = from(seeds), a.branches = from(branches), a.positions = from(positions);
  a.change_starts = from(change_starts), a.change_tokens = from(change_tokens);
  a.change_scales = from(change_scales), a.change_adds = from(change_adds);
  a.mask_rows = from(mask_rows), a.masks = from(masks);
  a.tokens = at(operands, sample_operands), a.logprobs = at(operands, sample_operands + 1);
  a.workspace = static_cast<float*>(workspace);
}

class SampleTactic final : public Tactic {
 public:
  explicit SampleTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "sample"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (node.is("sample") && dims.inputs[0][1] <= largest_vocabulary) out.push_back(plain_choice(this, node));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    return launch_seconds(target, 0, 1, node_bytes(node, choice, dims));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    const auto sizes = [&](SampleOperand i) -> const Dims& { return dims.inputs[static_cast<size_t>(i)]; };
    SampleArgs args;
    args.rows = dims.inputs[0][0], args.vocabulary = dims.inputs[0][1];
    args.changes = sizes(SampleOperand::change_tokens)[0];
    args.mask_count = sizes(SampleOperand::masks)[0], args.mask_words = sizes(SampleOperand::masks)[1];
    args.outside = level_.faults->flag(fmt::format("{}: a change or a mask lies outside its list", node.label()));
    const auto floats = args.changes > 0 ? static_cast<size_t>(args.rows * args.vocabulary) : size_t{0};
    return std::make_unique<OwnKernel<SampleArgs>>(sample, args, "choosing tokens", bind, floats * sizeof(float));
  }

 private:
  CudaLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_sample_tactic(const CudaLevel& level) { return std::make_unique<SampleTactic>(level); }

}  // namespace narae::cuda
