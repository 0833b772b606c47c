// SPDX-License-Identifier: Apache-2.0
// dequantize_blocks of rows that are no constants, such as those of an embedding.
#include "backend/cuda/own_kernel.h"
#include "backend/cuda/tactics.h"
#include "kernels/cuda/dequantize_blocks.h"
#include "ops/dequantize_blocks.h"

namespace narae::cuda {
namespace {

class DequantizeTactic final : public Tactic {
 public:
  const char* name() const override { return "dequantize_blocks"; }
  Numerics numerics() const override { return {true, true, true}; }
  void propose(const Node& node, const NodeDims&, const Target&, std::vector<Choice>& out) const override {
    if (node.is("dequantize_blocks")) out.push_back(plain_choice(this, node));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    return launch_seconds(target, 0, 1, node_bytes(node, choice, dims));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    DequantizeArgs args;
    args.format = block_format_from_name(node.attributes<DequantizeBlocksAttributes>().format);
    args.type = node.output(0)->dtype();
    args.blocks = element_count(dims.inputs[0]) / block_format_info(args.format).bytes;
    return std::make_unique<OwnKernel<DequantizeArgs>>(dequantize_blocks, args, "decoding blocks",
                                                       [](DequantizeArgs& a, std::span<void* const> operands, void*) {
                                                         a.in = at(operands, 0), a.out = at(operands, 1);
                                                       });
  }
};

}  // namespace

std::unique_ptr<Tactic> make_dequantize_tactic(const CudaLevel&) { return std::make_unique<DequantizeTactic>(); }

}  // namespace narae::cuda
