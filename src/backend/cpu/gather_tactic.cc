// SPDX-License-Identifier: Apache-2.0
// gather of slices. Indices are data: one outside the axis is found while running and reported after the launch.
#include "backend/cpu/cost.h"
#include "backend/cpu/index_kernel.h"
#include "backend/cpu/tactics.h"
#include "kernels/cpu/pad.h"
#include "ops/gather.h"

namespace narae::cpu {
namespace {

class GatherKernel final : public IndexKernel {
 public:
  GatherKernel(int threads, const GatherArgs& args, const std::string& label)
      : IndexKernel(threads, fmt::format("{}: an index lies outside [-{}, {})", label, args.extent, args.extent)),
        args_(args) {}

 protected:
  int64_t tasks() const override { return args_.slice_bytes ? gather_tasks(args_) : 0; }
  void run(std::span<void* const> operands, void*, void*, int64_t begin, int64_t end) const override {
    GatherArgs args = args_;
    args.in = operands[0], args.index = operands[1], args.out = operands[2];
    if (!gather_run(args, begin, end)) note_outside();
  }

 private:
  GatherArgs args_;
};

class GatherTactic final : public Tactic {
 public:
  explicit GatherTactic(CpuLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "gather"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!node.is("gather")) return;
    const DType index = node.input(1)->dtype();
    if (index == DType::i64 || index == DType::i32) out.push_back(plain_choice(this, node));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const double bytes = static_cast<double>(choice.outputs[0].stored_count(dims.outputs[0])) *
                         static_cast<double>(dtype_size(node.output(0)->dtype()));
    return roofline(target, 0, 1, 2 * bytes);
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    const Dims& x = dims.inputs[0];
    int64_t axis = node.attributes<GatherAttributes>().axis;
    if (axis < 0) axis += static_cast<int64_t>(x.size());
    GatherArgs args;
    args.wide_index = node.input(1)->dtype() == DType::i64;
    args.extent = x[static_cast<size_t>(axis)];
    args.count = element_count(dims.inputs[1]);
    args.slice_bytes = static_cast<int64_t>(dtype_size(node.input(0)->dtype()));
    for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
      if (i < axis) args.outer *= x[static_cast<size_t>(i)];
      if (i > axis) args.slice_bytes *= x[static_cast<size_t>(i)];
    }
    return std::make_unique<GatherKernel>(level_.threads, args, node.label());
  }

 private:
  CpuLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_gather_tactic(const CpuLevel& level) { return std::make_unique<GatherTactic>(level); }

}  // namespace narae::cpu
