// SPDX-License-Identifier: Apache-2.0
// gather as copies of slices.
#include "backend/cuda/own_kernel.h"
#include "backend/cuda/tactics.h"
#include "kernels/cuda/tokens.h"
#include "ops/gather.h"

namespace narae::cuda {
namespace {

class GatherTactic final : public Tactic {
 public:
  explicit GatherTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "gather"; }
  Numerics numerics() const override { return {true, true, true}; }
  void propose(const Node& node, const NodeDims&, const Target&, std::vector<Choice>& out) const override {
    if (!node.is("gather")) return;
    const DType index = node.input(1)->dtype();
    if (index == DType::i32 || index == DType::i64) out.push_back(plain_choice(this, node));
  }
  double estimate(const Node& node, const Choice&, const NodeDims& dims, const Target& target) const override {
    const auto bytes = static_cast<double>(dtype_size(node.output(0)->dtype()));
    return launch_seconds(target, 0, 1, 2 * bytes * static_cast<double>(element_count(dims.outputs[0])));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    const Dims& x = dims.inputs[0];
    int64_t axis = node.attributes<GatherAttributes>().axis;
    if (axis < 0) axis += static_cast<int64_t>(x.size());
    GatherArgs args;
    args.wide_index = node.input(1)->dtype() == DType::i64;
    args.count = element_count(dims.inputs[1]);
    args.extent = x[static_cast<size_t>(axis)];
    args.slice_bytes = static_cast<int64_t>(dtype_size(node.input(0)->dtype()));
    for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
      if (i != axis) (i < axis ? args.outer : args.slice_bytes) *= x[static_cast<size_t>(i)];
    }
    args.outside =
        level_.faults->flag(fmt::format("{}: an index lies outside [-{}, {})", node.label(), args.extent, args.extent));
    return std::make_unique<OwnKernel<GatherArgs>>(
        gather, args, "a gather", [](GatherArgs& a, std::span<void* const> operands, void*) {
          a.in = at(operands, 0), a.index = at(operands, 1), a.out = at(operands, 2);
        });
  }

 private:
  CudaLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_gather_tactic(const CudaLevel& level) { return std::make_unique<GatherTactic>(level); }

}  // namespace narae::cuda
