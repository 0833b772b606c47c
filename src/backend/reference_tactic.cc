// SPDX-License-Identifier: Apache-2.0
// References allocate and take their time; nodes that land here are listed by explain.
#include "backend/reference_tactic.h"

#include "base/error.h"

namespace narae {
namespace {

class ReferenceKernel final : public Kernel {
 public:
  ReferenceKernel(const Node& node, const NodeDims& dims) : bound_(node, dims) {}
  void launch(Stream& stream, std::span<void* const> operands, void*) const override {
    static_cast<HostStream&>(stream).host(
        [this, pointers = std::vector<void*>(operands.begin(), operands.end())] { bound_.run(pointers); });
  }

 private:
  BoundReference bound_;
};

}  // namespace

BoundReference::BoundReference(const Node& node, const NodeDims& dims) : node_(node), dims_(dims.inputs) {
  dims_.insert(dims_.end(), dims.outputs.begin(), dims.outputs.end());
  symbols_ = *dims.symbols;
}

void BoundReference::run(std::span<void* const> operands) const {
  const size_t count = node_.inputs().size();
  std::vector<Tensor> inputs(count), outputs(node_.outputs().size());
  for (size_t i = 0; i < operands.size(); ++i) {
    const Value* value = i < count ? node_.input(i) : node_.output(i - count);
    if (!value) continue;
    Tensor& tensor = i < count ? inputs[i] : outputs[i - count];
    tensor.data = operands[i];
    tensor.dtype = value->dtype();
    tensor.dims = dims_[i];
  }
  const std::function<int64_t(const Dim&)> value_of = [this](const Dim& dim) { return evaluate(dim, symbols_); };
  ReferenceContext context{node_, inputs, outputs, value_of};
  node_.op().reference(context);
}

void ReferenceTactic::propose(const Node& node, const NodeDims&, const Target&, std::vector<Choice>& out) const {
  out.push_back(plain_choice(this, node));
}

// Far above any kernel: chosen only where there is none.
double ReferenceTactic::estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target&) const {
  double work = node_bytes(node, choice, dims);
  if (node.op().has(op_contraction) || node.op().has(op_has_body)) work *= 1000;
  return 1e-3 + work * 2e-8;
}

std::unique_ptr<Kernel> ReferenceTactic::specialise(const Node& node, const Choice&, const NodeDims& dims,
                                                    Device&) const {
  return std::make_unique<ReferenceKernel>(node, dims);
}

}  // namespace narae
