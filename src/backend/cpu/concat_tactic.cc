// SPDX-License-Identifier: Apache-2.0
// concat: every operand lies in the result where it can; then nothing is left to do. Blocked along the joined axis,
// every operand but the last must be whole blocks.
#include "backend/cpu/cost.h"
#include "backend/cpu/move_kernel.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"
#include "ops/concat.h"

namespace narae::cpu {
namespace {

size_t axis_of(const Node& node) {
  const int64_t axis = node.attributes<ConcatAttributes>().axis;
  return static_cast<size_t>(axis < 0 ? axis + node.output(0)->rank() : axis);
}

class ConcatTactic final : public Tactic {
 public:
  explicit ConcatTactic(CpuLevel level) : level_(std::move(level)), kernels_(reorder_kernels(level_.isa)) {}
  const char* name() const override { return "concat"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override {
    if (!node.is("concat")) return;
    const size_t element = dtype_size(node.output(0)->dtype());
    const auto offer = [&](const Layout& layout) {
      Choice choice = plain_choice(this, node);
      choice.inputs.assign(choice.inputs.size(), layout);
      choice.outputs[0] = layout;
      if (make_move_kernel(1, *kernels_, static_cast<int64_t>(element), moves(node, choice, dims))) {
        out.push_back(std::move(choice));
      }
    };
    offer(Layout::plain());
    const size_t rank = dims.outputs[0].size();
    if (target.channel_block <= 1 || element != 4 || rank < 3 || rank > 5) return;
    if (axis_of(node) == 1) {
      for (size_t i = 0; i + 1 < dims.inputs.size(); ++i) {
        if (dims.inputs[i][1] % target.channel_block != 0) return;
      }
    }
    offer(Layout::blocked(1, target.channel_block));
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    std::vector<Alias> found;
    aliases(node, choice, dims, found);
    if (!found.empty()) return 0.3e-6;  // most operands are made in place
    return roofline(target, 0, 1, node_bytes(node, choice, dims));
  }

  void aliases(const Node& node, const Choice& choice, const NodeDims& dims, std::vector<Alias>& out) const override {
    const size_t axis = axis_of(node);
    const Dims& result = dims.outputs[0];
    int64_t outer = 1;
    for (size_t i = 0; i < axis; ++i) outer *= result[i];
    if (outer != 1) return;
    int64_t first = 0;
    for (size_t i = 0; i < dims.inputs.size(); ++i) {
      const int64_t bytes = stored_offset(result, choice.outputs[0], axis, first) *
                            static_cast<int64_t>(dtype_size(node.output(0)->dtype()));
      out.push_back({static_cast<int>(i), 0, true, bytes});
      first += dims.inputs[i][axis];
    }
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    std::unique_ptr<Kernel> kernel =
        make_move_kernel(level_.threads, *kernels_, static_cast<int64_t>(dtype_size(node.output(0)->dtype())),
                         moves(node, choice, dims));
    if (!kernel) fail(ErrorCode::internal, "{}: too many axes to join", node.label());
    return kernel;
  }

 private:
  static std::vector<Move> moves(const Node& node, const Choice& choice, const NodeDims& dims) {
    const size_t axis = axis_of(node);
    const Layout& layout = choice.outputs[0];
    const StoredView to = stored_view(dims.outputs[0], layout);
    std::vector<Move> all;
    int64_t first = 0;
    for (size_t i = 0; i < dims.inputs.size(); ++i) {
      const StoredView from = stored_view(dims.inputs[i], layout);
      all.push_back({i, dims.inputs.size(), 0, stored_offset(dims.outputs[0], layout, axis, first), from.dims,
                     from.strides, to.strides});
      first += dims.inputs[i][axis];
    }
    return all;
  }

  CpuLevel level_;
  const ReorderKernels* kernels_;
};

}  // namespace

std::unique_ptr<Tactic> make_concat_tactic(const CpuLevel& level) { return std::make_unique<ConcatTactic>(level); }

}  // namespace narae::cpu
