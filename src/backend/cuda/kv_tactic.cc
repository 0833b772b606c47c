// SPDX-License-Identifier: Apache-2.0
// token_source and kv_write.
#include "backend/cuda/own_kernel.h"
#include "backend/cuda/tactics.h"
#include "kernels/cuda/tokens.h"

namespace narae::cuda {
namespace {

class KvTactic final : public Tactic {
 public:
  explicit KvTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "kv"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims&, const Target&, std::vector<Choice>& out) const override {
    if (!node.is("token_source") && !node.is("kv_write")) return;
    out.push_back(plain_choice(this, node));
    if (node.is("kv_write")) out.back().in_place = {0};
  }
  // A state stays where it is: only the rows move.
  double estimate(const Node& node, const Choice&, const NodeDims& dims, const Target& target) const override {
    const size_t rows = node.is("kv_write") ? 1 : 0;
    return launch_seconds(target, 0, 1, 8.0 * static_cast<double>(element_count(dims.inputs[rows])));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    return node.is("token_source") ? source(node, dims) : write(node, dims);
  }

 private:
  std::unique_ptr<Kernel> source(const Node& node, const NodeDims& dims) const {
    TokenSourceArgs args;
    args.rows = dims.inputs[0][0], args.slot_count = dims.inputs[2][0];
    args.outside = level_.faults->flag(fmt::format("{}: a slot lies outside [0, {})", node.label(), args.slot_count));
    return std::make_unique<OwnKernel<TokenSourceArgs>>(
        token_source, args, "reading tokens", [](TokenSourceArgs& a, std::span<void* const> operands, void*) {
          a.ids = at(operands, 0), a.slots = at(operands, 1), a.last = at(operands, 2), a.out = at(operands, 3);
        });
  }
  std::unique_ptr<Kernel> write(const Node& node, const NodeDims& dims) const {
    KvWriteArgs args;
    args.type = node.input(1)->dtype(), args.state_type = node.input(0)->dtype();
    args.element_bytes = static_cast<int>(dtype_size(args.type));
    args.rows = dims.inputs[1][0], args.place_count = dims.inputs[0][0];
    args.width = element_count(dims.inputs[0]) / std::max<int64_t>(1, args.place_count);
    args.outside = level_.faults->flag(fmt::format("{}: a place lies outside [0, {})", node.label(), args.place_count));
    auto kernel = std::make_unique<OwnKernel<KvWriteArgs>>(
        kv_write, args, "writing a state", [](KvWriteArgs& a, std::span<void* const> operands, void*) {
          a.x = at(operands, 1), a.places = at(operands, 2), a.state = at(operands, 3);
        });
    kernel->carry(0, 3, static_cast<size_t>(element_count(dims.inputs[0])) * dtype_size(args.state_type));
    return kernel;
  }

  CudaLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_kv_tactic(const CudaLevel& level) { return std::make_unique<KvTactic>(level); }

}  // namespace narae::cuda
