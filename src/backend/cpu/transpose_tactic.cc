// SPDX-License-Identifier: Apache-2.0
// transpose, expand and tile as strided copies; a transpose also straight out of channel blocks.
#include <algorithm>

#include "backend/cpu/cost.h"
#include "backend/cpu/move_kernel.h"
#include "backend/cpu/tactics.h"
#include "backend/operand_placement.h"
#include "base/error.h"
#include "ops/transpose.h"

namespace narae::cpu {
namespace {

Move permuted(const Node& node, const NodeDims& dims) {
  const auto& perm = node.attributes<TransposeAttributes>().perm;
  const Dims from = layout_strides(Layout::plain(), dims.inputs[0]);
  Move move{0, 1, 0, 0, dims.outputs[0], {}, layout_strides(Layout::plain(), dims.outputs[0])};
  for (const int64_t axis : perm) move.from_strides.push_back(from[static_cast<size_t>(axis)]);
  return move;
}

Move expanded(const NodeDims& dims) {
  const Dims& result = dims.outputs[0];
  return {0,
          1,
          0,
          0,
          result,
          operand_strides(dims.inputs[0], result, Layout::plain()),
          layout_strides(Layout::plain(), result)};
}

// Every axis as (repeat, element).
Move tiled(const NodeDims& dims) {
  Move move{0, 1, 0, 0, {}, {}, {}};
  const Dims from = layout_strides(Layout::plain(), dims.inputs[0]),
             to = layout_strides(Layout::plain(), dims.outputs[0]);
  for (size_t i = 0; i < from.size(); ++i) {
    const int64_t size = dims.inputs[0][i];
    if (size == 0) return {0, 1, 0, 0, {0}, {0}, {0}};
    move.dims.insert(move.dims.end(), {dims.outputs[0][i] / size, size});
    move.from_strides.insert(move.from_strides.end(), {0, from[i]});
    move.to_strides.insert(move.to_strides.end(), {to[i] * size, to[i]});
  }
  return move;
}

// From channel blocks to a plain result: whole blocks, then the real lanes of the last one.
std::vector<Move> unblocked(const Node& node, const NodeDims& dims, int block) {
  const auto& perm = node.attributes<TransposeAttributes>().perm;
  const Layout layout = Layout::blocked(1, block);
  const Dims from = layout_strides(layout, dims.inputs[0]), to = layout_strides(Layout::plain(), dims.outputs[0]);
  const int64_t channels = dims.inputs[0][1], whole = channels / block, rest = channels % block;
  const auto part = [&](int64_t blocks, int64_t lanes, int64_t first_block) {
    Move move{0, 1, first_block * from[1], 0, {}, {}, {}};
    for (size_t i = 0; i < perm.size(); ++i) {
      const auto axis = static_cast<size_t>(perm[i]);
      if (axis == 1) {
        move.to_offset = first_block * block * to[i];
        move.dims.insert(move.dims.end(), {blocks, lanes});
        move.from_strides.insert(move.from_strides.end(), {from[1], 1});
        move.to_strides.insert(move.to_strides.end(), {block * to[i], to[i]});
      } else {
        move.dims.push_back(dims.inputs[0][axis]);
        move.from_strides.push_back(from[axis]);
        move.to_strides.push_back(to[i]);
      }
    }
    return move;
  };
  std::vector<Move> moves;
  if (whole > 0) moves.push_back(part(whole, block, 0));
  if (rest > 0) moves.push_back(part(1, rest, whole));
  return moves;
}

class TransposeTactic final : public Tactic {
 public:
  explicit TransposeTactic(CpuLevel level) : level_(std::move(level)), kernels_(reorder_kernels(level_.isa)) {}
  const char* name() const override { return "transpose"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override {
    if (!node.is("transpose") && !node.is("expand") && !node.is("tile")) return;
    const size_t element = dtype_size(node.output(0)->dtype());
    const auto offer = [&](const Layout& layout) {
      Choice choice = plain_choice(this, node);
      choice.inputs[0] = layout;
      if (make_move_kernel(1, *kernels_, static_cast<int64_t>(element), moves(node, choice, dims))) {
        out.push_back(std::move(choice));
      }
    };
    offer(Layout::plain());
    const size_t rank = dims.inputs[0].size();
    if (!node.is("transpose") || element != 4 || target.channel_block <= 1 || rank < 3 || rank > 5) return;
    if (dims.inputs[0][1] > 1) offer(Layout::blocked(1, target.channel_block));
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    if (choice.inputs[0].is_plain() && keeps_order(node, dims)) return 0;
    // Every line of the one side is used by several rows of the other.
    return roofline(target, 0, 1, node_bytes(node, choice, dims) * (node.is("transpose") ? 2 : 1));
  }

  void aliases(const Node& node, const Choice& choice, const NodeDims& dims, std::vector<Alias>& out) const override {
    if (choice.inputs[0].is_plain() && keeps_order(node, dims)) out.push_back({0, 0, false, 0});
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    std::unique_ptr<Kernel> kernel =
        make_move_kernel(level_.threads, *kernels_, static_cast<int64_t>(dtype_size(node.output(0)->dtype())),
                         moves(node, choice, dims));
    if (!kernel) fail(ErrorCode::internal, "{}: too many axes to copy", node.label());
    return kernel;
  }

 private:
  static std::vector<Move> moves(const Node& node, const Choice& choice, const NodeDims& dims) {
    if (!choice.inputs[0].is_plain()) return unblocked(node, dims, choice.inputs[0].block);
    if (node.is("transpose")) return {permuted(node, dims)};
    return {node.is("expand") ? expanded(dims) : tiled(dims)};
  }
  // Only axes of one element change places, or nothing is repeated.
  static bool keeps_order(const Node& node, const NodeDims& dims) {
    if (element_count(dims.inputs[0]) != element_count(dims.outputs[0])) return false;
    if (!node.is("transpose")) return true;
    int64_t last = -1;
    for (const int64_t axis : node.attributes<TransposeAttributes>().perm) {
      if (dims.inputs[0][static_cast<size_t>(axis)] == 1) continue;
      if (axis < last) return false;
      last = axis;
    }
    return true;
  }

  CpuLevel level_;
  const ReorderKernels* kernels_;
};

}  // namespace

std::unique_ptr<Tactic> make_transpose_tactic(const CpuLevel& level) {
  return std::make_unique<TransposeTactic>(level);
}

}  // namespace narae::cpu
