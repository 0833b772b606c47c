// SPDX-License-Identifier: Apache-2.0
// Any node by its op's reference on the host: operands come over, results go back, the stream stands still meanwhile.
// The last tactic of the list, so that every model runs; explain lists such nodes.
#include "backend/cuda/cuda_stream.h"
#include "backend/cuda/tactics.h"
#include "backend/reference_tactic.h"

namespace narae::cuda {
namespace {

class HostStep final : public Kernel {
 public:
  HostStep(const Node& node, const NodeDims& dims) : node_(node), reference_(node, dims) {
    const size_t inputs = node.inputs().size();
    for (size_t i = 0; i < inputs + node.outputs().size(); ++i) {
      const Value* value = i < inputs ? node.input(i) : node.output(i - inputs);
      if (!value) {
        host_.emplace_back();
      } else if (value->is_constant() && value->tensor().data) {
        host_.push_back(aligned(value->tensor()));
      } else {
        host_.push_back(Tensor::allocate(value->dtype(), i < inputs ? dims.inputs[i] : dims.outputs[i - inputs]));
      }
    }
  }

  bool on_host() const override { return true; }
  void launch(Stream& stream, std::span<void* const> operands, void*) const override {
    const size_t inputs = node_.inputs().size();
    std::vector<void*> pointers;
    for (size_t i = 0; i < host_.size(); ++i) {
      const Value* value = i < inputs ? node_.input(i) : nullptr;
      const bool known = value && value->is_constant() && value->tensor().data;
      if (i < inputs && host_[i].data && !known) stream.copy(host_[i].data, operands[i], host_[i].bytes());
      pointers.push_back(host_[i].data);
    }
    stream.synchronize();
    reference_.run(pointers);
    for (size_t i = inputs; i < host_.size(); ++i) stream.copy(operands[i], host_[i].data, host_[i].bytes());
    stream.synchronize();  // the next run writes the same host memory
  }

 private:
  const Node& node_;
  BoundReference reference_;
  std::vector<Tensor> host_;
};

class HostStepTactic final : public Tactic {
 public:
  const char* name() const override { return "host_step"; }
  bool is_reference() const override { return true; }
  void propose(const Node& node, const NodeDims&, const Target&, std::vector<Choice>& out) const override {
    out.push_back(plain_choice(this, node));
  }
  // Far above any kernel: chosen only where there is none.
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target&) const override {
    double work = node_bytes(node, choice, dims);
    if (node.op().has(op_contraction) || node.op().has(op_has_body)) work *= 1000;
    return 1e-3 + work * 2e-8;
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    return std::make_unique<HostStep>(node, dims);
  }
};

}  // namespace

std::unique_ptr<Tactic> make_host_step_tactic(const CudaLevel&) { return std::make_unique<HostStepTactic>(); }

}  // namespace narae::cuda
