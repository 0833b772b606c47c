// SPDX-License-Identifier: Apache-2.0
// arg_max, arg_min and topk along any axis.
#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"
#include "kernels/cpu/arg.h"
#include "ops/topk.h"

namespace narae::cpu {
namespace {

ArgShape arg_shape(const Node& node, const NodeDims& dims) {
  ArgShape shape;
  const Dims& x = dims.inputs[0];
  int64_t axis;
  if (node.is("topk")) {
    const auto& a = node.attributes<TopkAttributes>();
    axis = a.axis, shape.largest = a.largest;
  } else {
    const auto& a = node.attributes<ArgAttributes>();
    axis = a.axis, shape.largest = node.is("arg_max"), shape.last = a.select_last_index;
  }
  if (axis < 0) axis += static_cast<int64_t>(x.size());
  shape.dtype = node.input(0)->dtype();
  shape.size = x[static_cast<size_t>(axis)];
  for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
    if (i < axis) shape.outer *= x[static_cast<size_t>(i)];
    if (i > axis) shape.inner *= x[static_cast<size_t>(i)];
  }
  if (node.is("topk")) shape.k = dims.outputs[0][static_cast<size_t>(axis)];
  return shape;
}

class ArgKernel final : public CpuKernel {
 public:
  ArgKernel(int threads, const ArgShape& shape) : CpuKernel(threads), shape_(shape) {}

 protected:
  int64_t tasks() const override { return arg_tasks(shape_); }
  void run(std::span<void* const> operands, void*, void*, int64_t begin, int64_t end) const override {
    arg_run(shape_, operands[0], static_cast<int64_t*>(operands[1]), begin, end);
  }

 private:
  ArgShape shape_;
};

class TopkKernel final : public CpuKernel {
 public:
  TopkKernel(int threads, const ArgShape& shape) : CpuKernel(threads), shape_(shape) {}

 protected:
  int64_t tasks() const override { return shape_.k == 0 ? 0 : topk_tasks(shape_); }
  size_t scratch_bytes() const override { return static_cast<size_t>(shape_.size) * sizeof(int64_t); }
  void run(std::span<void* const> operands, void* scratch, void*, int64_t begin, int64_t end) const override {
    topk_run(shape_, operands[0], operands[1], static_cast<int64_t*>(operands[2]), static_cast<int64_t*>(scratch),
             begin, end);
  }

 private:
  ArgShape shape_;
};

class ArgTactic final : public Tactic {
 public:
  explicit ArgTactic(CpuLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "arg"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!node.is("arg_max") && !node.is("arg_min") && !node.is("topk")) return;
    // An empty axis has no largest element: the reference says so.
    if (!arg_takes(node.input(0)->dtype()) || (!node.is("topk") && arg_shape(node, dims).size == 0)) return;
    out.push_back(plain_choice(this, node));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const ArgShape shape = arg_shape(node, dims);
    // One comparison at a time; a heap for topk.
    const double steps = node.is("topk") ? 4 + std::log2(1.0 + static_cast<double>(shape.k)) : 2;
    return roofline(target, static_cast<double>(element_count(dims.inputs[0])) * steps, 0.02,
                    node_bytes(node, choice, dims));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    const ArgShape shape = arg_shape(node, dims);
    if (node.is("topk")) return std::make_unique<TopkKernel>(level_.threads, shape);
    if (shape.size == 0 && element_count(dims.outputs[0]) > 0) {
      fail(ErrorCode::does_not_fit, "an empty axis has no largest or smallest element");
    }
    return std::make_unique<ArgKernel>(level_.threads, shape);
  }

 private:
  CpuLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_arg_tactic(const CpuLevel& level) { return std::make_unique<ArgTactic>(level); }

}  // namespace narae::cpu
