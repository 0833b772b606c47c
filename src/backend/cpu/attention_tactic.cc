// SPDX-License-Identifier: Apache-2.0
// paged_attention. How the step falls into sequences is data: its blocks are cut at the start of each launch, and lists
// that name something outside are reported there.
#include <cstring>

#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"
#include "kernels/cpu/attention.h"
#include "ops/paged_attention.h"

namespace narae::cpu {
namespace {

class AttentionKernel final : public CpuKernel {
 public:
  AttentionKernel(int threads, const AttentionKernels& kernels, const AttentionArgs& args, std::string label)
      : CpuKernel(threads), kernels_(kernels), args_(args), label_(std::move(label)) {}

 protected:
  int64_t tasks() const override { return args_.rows * args_.kv_heads; }  // at most: blocks have a row or more
  size_t scratch_bytes() const override { return kernels_.scratch(args_); }
  size_t shared_bytes() const override { return static_cast<size_t>(args_.rows + 1) * sizeof(AttentionBlock); }

  // The first block holds nothing but the number of those behind it.
  void begin(std::span<void* const> operands, void* shared) const override {
    auto* blocks = static_cast<AttentionBlock*>(shared);
    const AttentionArgs args = bound(operands);
    const int64_t count = attention_blocks(args, static_cast<const int32_t*>(operands[3]),
                                           static_cast<const int32_t*>(operands[4]), blocks + 1);
    if (count < 0) {
      fail(ErrorCode::does_not_fit, "{}: sequence {} names rows, a length or a page outside its step", label_,
           -1 - count);
    }
    blocks[0].count = static_cast<int32_t>(count);
  }
  void run(std::span<void* const> operands, void* scratch, void* shared, int64_t begin, int64_t end) const override {
    const auto* blocks = static_cast<const AttentionBlock*>(shared);
    kernels_.run(bound(operands), blocks + 1, scratch, begin, std::min(end, blocks[0].count * args_.kv_heads));
  }

 private:
  AttentionArgs bound(std::span<void* const> operands) const {
    AttentionArgs args = args_;
    args.q = static_cast<const float*>(operands[0]), args.k = operands[1], args.v = operands[2];
    args.tables = static_cast<const int32_t*>(operands[5]), args.out = static_cast<float*>(operands[6]);
    return args;
  }
  const AttentionKernels& kernels_;
  AttentionArgs args_;
  std::string label_;
};

class AttentionTactic final : public Tactic {
 public:
  explicit AttentionTactic(CpuLevel level) : level_(std::move(level)), kernels_(attention_kernels(level_.isa)) {}
  const char* name() const override { return "paged_attention"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims&, const Target&, std::vector<Choice>& out) const override {
    if (node.is("paged_attention") && node.output()->dtype() == DType::f32) out.push_back(plain_choice(this, node));
  }
  // As if every row saw half of what the page tables can hold.
  double estimate(const Node& node, const Choice&, const NodeDims& dims, const Target& target) const override {
    const Dims &q = dims.inputs[0], &tables = dims.inputs[5];
    const auto tokens = 0.5 * static_cast<double>(tables[1] * node.attributes<PagedAttentionAttributes>().page_size);
    const double bytes = 2 * tokens * static_cast<double>(tables[0] * dims.inputs[1][1] * q[2]) * 4;
    return roofline(target, 4 * tokens * static_cast<double>(element_count(q)), 0.4, bytes);
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    const auto& attributes = node.attributes<PagedAttentionAttributes>();
    const Dims &q = dims.inputs[0], &k = dims.inputs[1], &tables = dims.inputs[5];
    AttentionArgs args;
    const DType type = node.input(1)->dtype();
    args.type = type == DType::f32 ? KvType::f32 : type == DType::f16 ? KvType::f16 : KvType::bf16;
    args.rows = q[0], args.heads = q[1], args.width = q[2];
    args.places = k[0], args.kv_heads = k[1];
    args.sequences = tables[0], args.pages = tables[1];
    args.page_size = attributes.page_size, args.window = attributes.window;
    args.scale = static_cast<float>(attributes.scale);
    return std::make_unique<AttentionKernel>(level_.threads, *kernels_, args, node.label());
  }

 private:
  CpuLevel level_;
  const AttentionKernels* kernels_;
};

}  // namespace

std::unique_ptr<Tactic> make_attention_tactic(const CpuLevel& level) {
  return std::make_unique<AttentionTactic>(level);
}

}  // namespace narae::cpu
