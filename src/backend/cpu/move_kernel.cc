// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/move_kernel.h"

#include <algorithm>

#include "backend/operand_placement.h"

namespace narae::cpu {
namespace {

class MoveKernel final : public CpuKernel {
 public:
  struct Part {
    size_t from, to;
    int64_t from_bytes, to_bytes;
    CopyPlan plan;
    int64_t first_task;
    bool same_strides;
  };
  MoveKernel(int threads, const ReorderKernels& kernels, std::vector<Part> parts, int64_t tasks)
      : CpuKernel(threads), kernels_(kernels), parts_(std::move(parts)), tasks_(tasks) {}

 protected:
  int64_t tasks() const override { return tasks_; }
  void run(std::span<void* const> operands, void*, void*, int64_t begin, int64_t end) const override {
    for (const Part& part : parts_) {
      const int64_t first = std::max(begin, part.first_task) - part.first_task;
      const int64_t last = std::min(end, part.first_task + part.plan.tasks) - part.first_task;
      if (first >= last) continue;
      const char* from = static_cast<const char*>(operands[part.from]) + part.from_bytes;
      char* to = static_cast<char*>(operands[part.to]) + part.to_bytes;
      if (from == to && part.same_strides) continue;
      kernels_.copy(part.plan, from, to, first, last);
    }
  }

 private:
  const ReorderKernels& kernels_;
  std::vector<Part> parts_;
  int64_t tasks_;
};

}  // namespace

std::unique_ptr<Kernel> make_move_kernel(int threads, const ReorderKernels& kernels, int64_t element_bytes,
                                         const std::vector<Move>& moves) {
  std::vector<MoveKernel::Part> parts;
  int64_t tasks = 0;
  for (const Move& move : moves) {
    if (element_count(move.dims) == 0) continue;
    MoveKernel::Part part{move.from,
                          move.to,
                          move.from_offset * element_bytes,
                          move.to_offset * element_bytes,
                          make_copy_plan(move.dims, move.from_strides, move.to_strides, element_bytes),
                          tasks,
                          true};
    if (part.plan.error) return nullptr;
    for (size_t i = 0; i < move.dims.size(); ++i) {
      if (move.dims[i] != 1 && move.from_strides[i] != move.to_strides[i]) part.same_strides = false;
    }
    tasks += part.plan.tasks;
    parts.push_back(std::move(part));
  }
  return std::make_unique<MoveKernel>(threads, kernels, std::move(parts), tasks);
}

StoredView stored_view(const Dims& dims, const Layout& layout) {
  StoredView view{stored_dims(dims, layout), layout_strides(layout, dims)};
  if (!layout.is_plain()) view.strides.push_back(1);
  return view;
}

int64_t stored_offset(const Dims& dims, const Layout& layout, size_t axis, int64_t first) {
  const int64_t stride = layout_strides(layout, dims)[axis];
  return static_cast<int>(axis) == layout.blocked_axis ? first / layout.block * stride : first * stride;
}

}  // namespace narae::cpu
