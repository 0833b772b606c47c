// SPDX-License-Identifier: Apache-2.0
// transpose, concat, split, slice and expand as strided copies, none where planner and aliases have put both ends at
// one place.
#include <optional>

#include "backend/cuda/strided_copy.h"
#include "backend/cuda/tactics.h"
#include "base/error.h"
#include "ops/concat.h"
#include "ops/slice.h"
#include "ops/split.h"
#include "ops/transpose.h"

namespace narae::cuda {
namespace {

size_t axis_of(int64_t axis, size_t rank) {
  return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
}

std::vector<Move> transpose_moves(const Node& node, const NodeDims& dims) {
  const std::vector<int64_t> from = logical_strides(dims.inputs[0], Layout::plain());
  const auto& perm = node.attributes<TransposeAttributes>().perm;
  Move move{0, 1, 0, 0, dims.outputs[0], {}, logical_strides(dims.outputs[0], Layout::plain())};
  for (size_t i = 0; i < from.size(); ++i) {
    move.from_strides.push_back(from[perm.empty() ? from.size() - 1 - i : axis_of(perm[i], from.size())]);
  }
  return {move};
}

std::vector<Move> concat_moves(const Node& node, const Choice& choice, const NodeDims& dims) {
  const size_t axis = axis_of(node.attributes<ConcatAttributes>().axis, dims.outputs[0].size());
  const std::vector<int64_t> to = logical_strides(dims.outputs[0], choice.outputs[0]);
  std::vector<Move> moves;
  int64_t first = 0;
  for (size_t i = 0; i < dims.inputs.size(); ++i) {
    moves.push_back({i, dims.inputs.size(), 0, first * to[axis], dims.inputs[i],
                     logical_strides(dims.inputs[i], choice.inputs[i]), to});
    first += dims.inputs[i][axis];
  }
  return moves;
}

std::vector<Move> split_moves(const Node& node, const NodeDims& dims) {
  const std::vector<int64_t> from = logical_strides(dims.inputs[0], Layout::plain());
  const size_t axis = axis_of(node.attributes<SplitAttributes>().axis, from.size());
  std::vector<Move> moves;
  int64_t first = 0;
  for (size_t i = 0; i < dims.outputs.size(); ++i) {
    moves.push_back({0, node.inputs().size() + i, first * from[axis], 0, dims.outputs[i], from,
                     logical_strides(dims.outputs[i], Layout::plain())});
    first += dims.outputs[i][axis];
  }
  return moves;
}

std::vector<Move> slice_moves(const Node& node, const NodeDims& dims) {
  const auto& a = node.attributes<SliceAttributes>();
  Move move{0,
            node.inputs().size(),
            0,
            0,
            dims.outputs[0],
            logical_strides(dims.inputs[0], Layout::plain()),
            logical_strides(dims.outputs[0], Layout::plain())};
  for (size_t i = 0; i < a.axes.size(); ++i) {
    const size_t axis = axis_of(a.axes[i], dims.inputs[0].size());
    const int64_t step = a.steps.empty() ? 1 : a.steps[i];
    const SliceRange range =
        slice_range(Dim(dims.inputs[0][axis]), Dim(dims.evaluate(a.starts[i])), Dim(dims.evaluate(a.ends[i])), step);
    move.from_offset += range.first.value() * move.from_strides[axis];
    move.from_strides[axis] *= step;
  }
  return {move};
}

std::vector<Move> expand_moves(const Node& node, const NodeDims& dims) {
  const std::vector<int64_t> own = logical_strides(dims.inputs[0], Layout::plain());
  std::vector<int64_t> from(dims.outputs[0].size(), 0);
  const size_t shift = from.size() - own.size();
  for (size_t i = 0; i < own.size(); ++i) from[i + shift] = dims.inputs[0][i] == 1 ? 0 : own[i];
  return {{0, node.inputs().size(), 0, 0, dims.outputs[0], from, logical_strides(dims.outputs[0], Layout::plain())}};
}

std::vector<Move> moves_of(const Node& node, const Choice& choice, const NodeDims& dims) {
  if (node.is("transpose")) return transpose_moves(node, dims);
  if (node.is("concat")) return concat_moves(node, choice, dims);
  if (node.is("split")) return split_moves(node, dims);
  return node.is("slice") ? slice_moves(node, dims) : expand_moves(node, dims);
}

class MoveTactic final : public Tactic {
 public:
  explicit MoveTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "move"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!level_.texts->available()) return;
    bool covered = node.is("expand");
    for (const char* name : {"transpose", "concat", "split", "slice"}) covered |= node.is(name);
    if (!covered) return;
    const size_t bytes = dtype_size(node.input(0)->dtype());
    if ((bytes != 1 && bytes != 2 && bytes != 4 && bytes != 8)) return;
    out.push_back(plain_choice(this, node));
    if (!node.is("concat") || dims.outputs[0].size() < 3 || dims.outputs[0].size() > 5) return;
    Choice last = plain_choice(this, node);  // channels last
    for (size_t i = 0; i < dims.inputs.size(); ++i) {
      if (dims.inputs[i][1] == 0) return;
      last.inputs[i] = Layout::blocked(1, static_cast<int>(dims.inputs[i][1]));
    }
    last.outputs[0] = Layout::blocked(1, static_cast<int>(dims.outputs[0][1]));
    out.push_back(std::move(last));
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const double launches = node.is("concat") ? static_cast<double>(dims.inputs.size()) : node.outputs().size();
    return launch_seconds(target, 0, 1, 2 * node_bytes(node, choice, dims)) + 2e-6 * (launches - 1);
  }

  // Where nothing lies before the joined or cut axis, its parts are whole stretches of memory.
  void aliases(const Node& node, const Choice& choice, const NodeDims& dims, std::vector<Alias>& out) const override {
    const bool joins = node.is("concat"), cuts = node.is("split");
    if (!joins && !cuts) return;
    const Dims& whole = joins ? dims.outputs[0] : dims.inputs[0];
    const size_t axis = axis_of(
        joins ? node.attributes<ConcatAttributes>().axis : node.attributes<SplitAttributes>().axis, whole.size());
    if (!choice.outputs[0].is_plain()) return;
    for (size_t i = 0; i < axis; ++i) {
      if (whole[i] != 1) return;
    }
    const auto bytes = static_cast<int64_t>(dtype_size(node.input(0)->dtype()));
    for (const Move& move : moves_of(node, choice, dims)) {
      const int input = static_cast<int>(move.from), output = static_cast<int>(move.to - node.inputs().size());
      // Kernels read sixteen bytes at once: parts that begin elsewhere are copied.
      const int64_t offset = (joins ? move.to_offset : move.from_offset) * bytes;
      if (offset % 16 == 0) out.push_back({input, output, joins, offset});
    }
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    return make_move_kernel(*level_.texts, dtype_size(node.input(0)->dtype()), moves_of(node, choice, dims));
  }

 private:
  CudaLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_move_tactic(const CudaLevel& level) { return std::make_unique<MoveTactic>(level); }

}  // namespace narae::cuda
