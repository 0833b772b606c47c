// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/own_kernel.h"
#include "backend/cuda/tactics.h"
#include "kernels/cuda/paged_attention.h"
#include "ops/paged_attention.h"

namespace narae::cuda {
namespace {

constexpr int64_t widest = 512;
constexpr int steady_splits = 8;  // of a decoded row's tokens, whatever else is in the step

class PagedAttentionTactic final : public Tactic {
 public:
  explicit PagedAttentionTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "paged_attention"; }
  Numerics numerics() const override { return {true, true, level_.deterministic}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (node.is("paged_attention") && dims.inputs[0][2] <= widest) out.push_back(plain_choice(this, node));
  }
  // As if every row saw half of what the page tables can hold.
  double estimate(const Node& node, const Choice&, const NodeDims& dims, const Target& target) const override {
    const Dims &q = dims.inputs[0], &tables = dims.inputs[5];
    const auto tokens = 0.5 * static_cast<double>(tables[1] * node.attributes<PagedAttentionAttributes>().page_size);
    const double bytes = 2 * tokens * static_cast<double>(tables[0] * dims.inputs[1][1] * q[2]) * 2;
    return launch_seconds(target, 4 * tokens * static_cast<double>(element_count(q)), target.fma_flops * target.cores,
                          bytes);
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    const auto& attributes = node.attributes<PagedAttentionAttributes>();
    const Dims &q = dims.inputs[0], &k = dims.inputs[1], &tables = dims.inputs[5];
    PagedAttentionArgs args;
    args.q_type = node.input(0)->dtype(), args.out_type = node.output(0)->dtype(),
    args.kv_type = node.input(1)->dtype();
    args.rows = q[0], args.heads = q[1], args.width = q[2];
    args.places = k[0], args.kv_heads = k[1];
    args.sequences = tables[0], args.pages = tables[1];
    args.page_size = attributes.page_size, args.window = attributes.window;
    args.scale = static_cast<float>(attributes.scale);
    if (level_.deterministic) args.splits = steady_splits;
    args.outside = level_.faults->flag(
        fmt::format("{}: rows, lengths or pages of a sequence lie outside what there is", node.label()));
    return std::make_unique<OwnKernel<PagedAttentionArgs>>(
        paged_attention, args, "attention over pages",
        [](PagedAttentionArgs& a, std::span<void* const> operands, void*) {
          a.q = at(operands, 0), a.k = at(operands, 1), a.v = at(operands, 2), a.row_starts = at(operands, 3);
          a.lengths = at(operands, 4), a.tables = at(operands, 5), a.out = at(operands, 6);
        });
  }

 private:
  CudaLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_paged_attention_tactic(const CudaLevel& level) {
  return std::make_unique<PagedAttentionTactic>(level);
}

}  // namespace narae::cuda
