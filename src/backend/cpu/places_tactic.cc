// SPDX-License-Identifier: Apache-2.0
// gather_elements, gather_nd, their scatters without a reduction, and one_hot. Indices are data: one outside its axis
// is found while running and reported after the launch (to one_hot it is a row without a one).
#include <cstring>

#include "backend/cpu/cost.h"
#include "backend/cpu/index_kernel.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"
#include "kernels/cpu/places.h"
#include "ops/gather.h"
#include "ops/gather_nd.h"
#include "ops/one_hot.h"
#include "ops/scatter.h"

namespace narae::cpu {
namespace {

int64_t product(const Dims& dims, size_t first, size_t last) {
  return element_count(Dims(dims.begin() + static_cast<ptrdiff_t>(first), dims.begin() + static_cast<ptrdiff_t>(last)));
}

size_t axis_in(int64_t axis, size_t rank) {
  return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
}

std::string outside_text(const std::string& label) { return label + ": an index is outside its axis"; }

// Args: GatherElementsArgs or GatherNdArgs, run by `Run`.
template <typename Args, bool (*Run)(const Args&, int64_t, int64_t)>
class GatherKernel final : public IndexKernel {
 public:
  GatherKernel(int threads, const Args& args, int64_t tasks, const std::string& label)
      : IndexKernel(threads, outside_text(label)), args_(args), tasks_(tasks) {}

 protected:
  int64_t tasks() const override { return tasks_; }
  void run(std::span<void* const> operands, void*, void*, int64_t begin, int64_t end) const override {
    Args args = args_;
    args.in = operands[0], args.index = operands[1], args.out = operands[2];
    if (!Run(args, begin, end)) note_outside();
  }

 private:
  Args args_;
  int64_t tasks_;
};

// Args and Run as above, on a copy of the operand; one task, because the last of several updates to a place stays.
template <typename Args, bool (*Run)(const Args&, int64_t, int64_t)>
class ScatterKernel final : public IndexKernel {
 public:
  ScatterKernel(int threads, const Args& args, int64_t rows, int64_t bytes, const std::string& label)
      : IndexKernel(threads, outside_text(label)), args_(args), rows_(rows), bytes_(bytes) {}

 protected:
  int64_t tasks() const override { return 1; }
  void run(std::span<void* const> operands, void*, void*, int64_t, int64_t) const override {
    if (bytes_ && operands[3] != operands[0]) std::memcpy(operands[3], operands[0], static_cast<size_t>(bytes_));
    Args args = args_;
    args.in = operands[2], args.index = operands[1], args.out = operands[3];
    if (!Run(args, 0, rows_)) note_outside();
  }

 private:
  Args args_;
  int64_t rows_, bytes_;
};

class OneHotKernel final : public CpuKernel {
 public:
  OneHotKernel(int threads, const OneHotArgs& args) : CpuKernel(threads), args_(args) {}

 protected:
  int64_t tasks() const override { return args_.inner == 0 ? 0 : args_.outer * args_.depth; }
  void run(std::span<void* const> operands, void*, void*, int64_t begin, int64_t end) const override {
    OneHotArgs args = args_;
    args.index = operands[0], args.values = operands[1], args.out = operands[2];
    one_hot_run(args, begin, end);
  }

 private:
  OneHotArgs args_;
};

GatherElementsArgs elements_args(const Node& node, const NodeDims& dims) {
  GatherElementsArgs args;
  const Dims &x = dims.inputs[0], &index = dims.inputs[1];
  args.wide_index = node.input(1)->dtype() == DType::i64;
  args.element_bytes = static_cast<int>(dtype_size(node.input(0)->dtype()));
  args.rank = static_cast<int>(x.size());
  const int64_t axis = node.is("scatter_elements") ? node.attributes<ScatterElementsAttributes>().axis
                                                   : node.attributes<GatherAttributes>().axis;
  args.axis = static_cast<int>(axis_in(axis, x.size()));
  args.extent = x[static_cast<size_t>(args.axis)];
  for (size_t i = 0; i < x.size(); ++i) {
    args.dims[i] = index[i];
    args.in_strides[i] = product(x, i + 1, x.size());
  }
  return args;
}

GatherNdArgs nd_args(const Node& node, const NodeDims& dims) {
  GatherNdArgs args;
  const Dims &x = dims.inputs[0], &index = dims.inputs[1];
  const bool scatter = node.is("scatter_nd");
  const size_t batch = scatter ? 0 : static_cast<size_t>(node.attributes<GatherNdAttributes>().batch_dims);
  const auto depth = static_cast<size_t>(index.back());
  const auto element = static_cast<int64_t>(dtype_size(node.input(0)->dtype()));
  args.wide_index = node.input(1)->dtype() == DType::i64;
  args.depth = static_cast<int>(depth);
  args.rows = product(index, 0, index.size() - 1);
  args.rows_per_batch = std::max<int64_t>(1, product(index, batch, index.size() - 1));
  args.batch_bytes = product(x, batch, x.size()) * element;
  args.slice_bytes = product(x, batch + depth, x.size()) * element;
  for (size_t k = 0; k < depth; ++k) {
    args.extents[k] = x[batch + k];
    args.strides[k] = product(x, batch + k + 1, x.size()) * element;
  }
  return args;
}

OneHotArgs one_hot_args(const Node& node, const NodeDims& dims) {
  OneHotArgs args;
  const Dims& y = dims.outputs[0];
  const size_t axis = axis_in(node.attributes<OneHotAttributes>().axis, y.size());
  args.wide_index = node.input(0)->dtype() == DType::i64;
  args.element_bytes = static_cast<int>(dtype_size(node.output(0)->dtype()));
  args.outer = product(y, 0, axis), args.depth = y[axis], args.inner = product(y, axis + 1, y.size());
  return args;
}

// A scatter that replaces elements.
bool replaces(const Node& node) {
  if (node.is("scatter_elements")) return node.attributes<ScatterElementsAttributes>().reduction == "none";
  return node.is("scatter_nd") && node.attributes<ScatterNdAttributes>().reduction == "none";
}

// On every axis but the gathered one the indices may be fewer than the operand, never more: the reference refuses.
bool fits(const GatherElementsArgs& args, const Dims& x) {
  for (int d = 0; d < args.rank; ++d) {
    if (d != args.axis && args.dims[d] > x[static_cast<size_t>(d)]) return false;
  }
  return true;
}

class PlacesTactic final : public Tactic {
 public:
  explicit PlacesTactic(CpuLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "places"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    const bool scatter = replaces(node), one_hot = node.is("one_hot");
    const bool elements = node.is("gather_elements") || (scatter && node.is("scatter_elements"));
    if (!elements && !scatter && !one_hot && !node.is("gather_nd")) return;
    const DType index = node.input(one_hot ? 0 : 1)->dtype();
    const size_t rank = dims.inputs[0].size();
    if ((index != DType::i64 && index != DType::i32) || rank > max_places_rank) return;
    if (elements && (rank == 0 || !fits(elements_args(node, dims), dims.inputs[0]))) return;
    out.push_back(plain_choice(this, node));
    if (scatter) out.back().in_place[0] = 0;
  }
  double estimate(const Node& node, const Choice&, const NodeDims& dims, const Target& target) const override {
    const bool scatter = replaces(node), slices = node.is("gather_nd") || node.is("scatter_nd");
    const auto moved = static_cast<double>(element_count(scatter ? dims.inputs[2] : dims.outputs[0]));
    const auto count = static_cast<double>(element_count(dims.outputs[0]));
    // A scatter has one task.
    return roofline(target, slices ? 0 : moved, scatter ? 0.02 / target.cores : 0.02,
                    2 * count * static_cast<double>(dtype_size(node.output(0)->dtype())));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    if (node.is("one_hot")) return std::make_unique<OneHotKernel>(level_.threads, one_hot_args(node, dims));
    const auto bytes = element_count(dims.outputs[0]) * static_cast<int64_t>(dtype_size(node.output(0)->dtype()));
    if (node.is("scatter_nd")) {
      const GatherNdArgs args = nd_args(node, dims);
      const int64_t rows = args.slice_bytes ? args.rows : 0;
      return std::make_unique<ScatterKernel<GatherNdArgs, scatter_nd_run>>(level_.threads, args, rows, bytes,
                                                                           node.label());
    }
    if (node.is("gather_nd")) {
      const GatherNdArgs args = nd_args(node, dims);
      const int64_t tasks = args.slice_bytes ? args.rows : 0;
      return std::make_unique<GatherKernel<GatherNdArgs, gather_nd_run>>(level_.threads, args, tasks, node.label());
    }
    const GatherElementsArgs args = elements_args(node, dims);
    if (!fits(args, dims.inputs[0])) {
      fail(ErrorCode::does_not_fit, "indices of shape {} do not fit into {}", dims_text(dims.inputs[1]),
           dims_text(dims.inputs[0]));
    }
    if (node.is("scatter_elements")) {
      return std::make_unique<ScatterKernel<GatherElementsArgs, scatter_elements_run>>(
          level_.threads, args, gather_elements_tasks(args), bytes, node.label());
    }
    return std::make_unique<GatherKernel<GatherElementsArgs, gather_elements_run>>(
        level_.threads, args, gather_elements_tasks(args), node.label());
  }

 private:
  CpuLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_places_tactic(const CpuLevel& level) { return std::make_unique<PlacesTactic>(level); }

}  // namespace narae::cpu
