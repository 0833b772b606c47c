// SPDX-License-Identifier: Apache-2.0
// dequantize_blocks: rows of whole blocks lie one after the other, so the operand is one run of blocks.
#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tactics.h"
#include "kernels/cpu/dequantize_blocks.h"
#include "ops/dequantize_blocks.h"

namespace narae::cpu {
namespace {

constexpr int64_t chunk_values = 8192;  // of a task

class DequantizeBlocksKernel final : public CpuKernel {
 public:
  DequantizeBlocksKernel(const CpuLevel& level, const BlockFormatInfo& info, int64_t values)
      : CpuKernel(level.threads),
        kernels_(*dequantize_kernels(level.isa)),
        info_(info),
        blocks_(values / info.values) {}

 protected:
  int64_t tasks() const override { return (blocks_ + chunk() - 1) / chunk(); }
  void run(std::span<void* const> operands, void*, void*, int64_t begin, int64_t end) const override {
    const int64_t first = begin * chunk(), last = std::min(blocks_, end * chunk());
    kernels_.decode(info_.format, static_cast<const uint8_t*>(operands[0]) + first * info_.bytes,
                    static_cast<float*>(operands[1]) + first * info_.values, last - first);
  }

 private:
  int64_t chunk() const { return chunk_values / info_.values; }
  const DequantizeKernels& kernels_;
  const BlockFormatInfo& info_;
  int64_t blocks_;
};

class DequantizeBlocksTactic final : public Tactic {
 public:
  explicit DequantizeBlocksTactic(CpuLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "dequantize_blocks"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims&, const Target&, std::vector<Choice>& out) const override {
    if (node.is("dequantize_blocks")) out.push_back(plain_choice(this, node));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    return roofline(target, static_cast<double>(element_count(dims.outputs[0])), 0.1, node_bytes(node, choice, dims));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    const BlockFormat format = block_format_from_name(node.attributes<DequantizeBlocksAttributes>().format);
    return std::make_unique<DequantizeBlocksKernel>(level_, block_format_info(format), element_count(dims.outputs[0]));
  }

 private:
  CpuLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_dequantize_blocks_tactic(const CpuLevel& level) {
  return std::make_unique<DequantizeBlocksTactic>(level);
}

}  // namespace narae::cpu
