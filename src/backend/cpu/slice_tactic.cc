// SPDX-License-Identifier: Apache-2.0
// split and slice: results lie in the operand where they are contiguous there; else strided copies.
#include "backend/cpu/cost.h"
#include "backend/cpu/move_kernel.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"
#include "ops/slice.h"
#include "ops/split.h"

namespace narae::cpu {
namespace {

// A result's part of the operand: first element and step on every axis.
struct Part {
  std::vector<int64_t> first, step;
};

std::vector<Part> parts_of(const Node& node, const NodeDims& dims) {
  const size_t rank = dims.inputs[0].size();
  const Part whole{std::vector<int64_t>(rank, 0), std::vector<int64_t>(rank, 1)};
  std::vector<Part> parts;
  const auto axis_at = [&](int64_t axis) {
    return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
  };
  if (node.is("split")) {
    const size_t axis = axis_at(node.attributes<SplitAttributes>().axis);
    int64_t first = 0;
    for (const Dims& result : dims.outputs) {
      parts.push_back(whole);
      parts.back().first[axis] = first;
      first += result[axis];
    }
    return parts;
  }
  const auto& a = node.attributes<SliceAttributes>();
  parts.push_back(whole);
  for (size_t i = 0; i < a.axes.size(); ++i) {
    const size_t axis = axis_at(a.axes[i]);
    const int64_t step = a.steps.empty() ? 1 : a.steps[i];
    const SliceRange range =
        slice_range(Dim(dims.inputs[0][axis]), Dim(dims.evaluate(a.starts[i])), Dim(dims.evaluate(a.ends[i])), step);
    parts[0].first[axis] = range.first.value(), parts[0].step[axis] = step;
  }
  return parts;
}

class SliceTactic final : public Tactic {
 public:
  explicit SliceTactic(CpuLevel level) : level_(std::move(level)), kernels_(reorder_kernels(level_.isa)) {}
  const char* name() const override { return "slice"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override {
    if (!node.is("split") && !node.is("slice")) return;
    const std::vector<Part> parts = parts_of(node, dims);
    const size_t element = dtype_size(node.input(0)->dtype());
    const auto offer = [&](const Layout& layout) {
      Choice choice = plain_choice(this, node);
      choice.inputs[0] = layout;
      choice.outputs.assign(choice.outputs.size(), layout);
      if (make_move_kernel(1, *kernels_, static_cast<int64_t>(element), moves(parts, choice, dims))) {
        out.push_back(std::move(choice));
      }
    };
    offer(Layout::plain());
    const size_t rank = dims.inputs[0].size();
    const int block = target.channel_block;
    if (block <= 1 || element != 4 || rank < 3 || rank > 5) return;
    for (size_t i = 0; i < parts.size(); ++i) {
      // Whole blocks, up to the end of the channels or of a block.
      const int64_t first = parts[i].first[1], last = first + dims.outputs[i][1];
      if (parts[i].step[1] != 1 || first % block != 0) return;
      if (last % block != 0 && last != dims.inputs[0][1]) return;
    }
    offer(Layout::blocked(1, block));
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    std::vector<Alias> found;
    aliases(node, choice, dims, found);
    if (found.size() == dims.outputs.size()) return 0.3e-6;
    double bytes = 0;  // only what is taken is read
    for (size_t i = 0; i < dims.outputs.size(); ++i) {
      bytes += 2.0 * static_cast<double>(choice.outputs[i].stored_count(dims.outputs[i])) *
               static_cast<double>(dtype_size(node.output(i)->dtype()));
    }
    return roofline(target, 0, 1, bytes);
  }

  void aliases(const Node& node, const Choice& choice, const NodeDims& dims, std::vector<Alias>& out) const override {
    const std::vector<Part> parts = parts_of(node, dims);
    for (size_t i = 0; i < parts.size(); ++i) {
      const int64_t offset = contiguous_offset(parts[i], dims.inputs[0], dims.outputs[i], choice.inputs[0]);
      if (offset < 0) continue;
      out.push_back({0, static_cast<int>(i), false, offset * static_cast<int64_t>(dtype_size(node.input(0)->dtype()))});
    }
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    std::unique_ptr<Kernel> kernel =
        make_move_kernel(level_.threads, *kernels_, static_cast<int64_t>(dtype_size(node.input(0)->dtype())),
                         moves(parts_of(node, dims), choice, dims));
    if (!kernel) fail(ErrorCode::internal, "{}: too many axes to cut", node.label());
    return kernel;
  }

 private:
  // Where the part starts when it is one run of the operand's memory; -1 when it is not.
  static int64_t contiguous_offset(const Part& part, const Dims& operand, const Dims& result, const Layout& layout) {
    const StoredView from = stored_view(operand, layout), to = stored_view(result, layout);
    int64_t offset = 0;
    for (size_t i = 0; i < operand.size(); ++i) {
      if (part.step[i] != 1 || result[i] == 0) return -1;
      offset += stored_offset(operand, layout, i, part.first[i]);
    }
    for (size_t i = 0; i < to.dims.size(); ++i) {
      if (to.dims[i] != 1 && to.strides[i] != from.strides[i]) return -1;
    }
    return offset;
  }

  static std::vector<Move> moves(const std::vector<Part>& parts, const Choice& choice, const NodeDims& dims) {
    const Layout& layout = choice.inputs[0];
    const StoredView from = stored_view(dims.inputs[0], layout);
    std::vector<Move> all;
    for (size_t i = 0; i < parts.size(); ++i) {
      const StoredView to = stored_view(dims.outputs[i], layout);
      Move move{0, 1 + i, 0, 0, to.dims, from.strides, to.strides};
      for (size_t axis = 0; axis < dims.inputs[0].size(); ++axis) {
        move.from_offset += stored_offset(dims.inputs[0], layout, axis, parts[i].first[axis]);
        move.from_strides[axis] *= parts[i].step[axis];
      }
      all.push_back(std::move(move));
    }
    return all;
  }

  CpuLevel level_;
  const ReorderKernels* kernels_;
};

}  // namespace

std::unique_ptr<Tactic> make_slice_tactic(const CpuLevel& level) { return std::make_unique<SliceTactic>(level); }

}  // namespace narae::cpu
