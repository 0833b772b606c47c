// SPDX-License-Identifier: Apache-2.0
// Collapsing and planning of strided copies.
#include "kernels/cpu/reorder.h"

#include <algorithm>
#include <cstdlib>

namespace narae::cpu {
namespace {

constexpr int64_t task_elements = 4096;

struct Axis {
  int64_t dim, in, out;
};

// Ones dropped, sorted so that the output is written in order, neighbours merged where both sides allow.
std::vector<Axis> collapse(const std::vector<int64_t>& dims, const std::vector<int64_t>& in,
                           const std::vector<int64_t>& out) {
  std::vector<Axis> axes;
  for (size_t d = 0; d < dims.size(); d++)
    if (dims[d] != 1) axes.push_back({dims[d], in[d], out[d]});
  std::stable_sort(axes.begin(), axes.end(),
                   [](const Axis& a, const Axis& b) { return std::llabs(a.out) > std::llabs(b.out); });
  std::vector<Axis> merged;
  for (const Axis& a : axes) {
    if (!merged.empty() && merged.back().in == a.in * a.dim && merged.back().out == a.out * a.dim) {
      merged.back() = {merged.back().dim * a.dim, a.in, a.out};
    } else {
      merged.push_back(a);
    }
  }
  return merged;
}

void cut(CopyPlan& plan) {
  if (plan.form == CopyForm::transpose) {
    plan.row_tile = std::min<int64_t>(plan.rows, 64);
    plan.column_tile = std::min<int64_t>(plan.columns, 64);
  } else {
    plan.column_tile = std::min(plan.columns, task_elements);
    plan.row_tile = std::clamp<int64_t>(task_elements / plan.column_tile, 1, plan.rows);
  }
  plan.row_tiles = (plan.rows + plan.row_tile - 1) / plan.row_tile;
  plan.column_tiles = (plan.columns + plan.column_tile - 1) / plan.column_tile;
}

}  // namespace

CopyPlan make_copy_plan(const std::vector<int64_t>& dims, const std::vector<int64_t>& in_strides,
                        const std::vector<int64_t>& out_strides, int64_t element_bytes) {
  CopyPlan plan;
  plan.element_bytes = element_bytes;
  if (element_bytes != 1 && element_bytes != 2 && element_bytes != 4 && element_bytes != 8)
    plan.error = "elements of 1, 2, 4 or 8 bytes only";
  for (int64_t d : dims)
    if (d == 0) return plan;
  std::vector<Axis> axes = collapse(dims, in_strides, out_strides);
  if (axes.size() > max_copy_dims) plan.error = "the views do not collapse to 10 dims";
  if (plan.error) return plan;

  if (!axes.empty()) {
    const Axis columns = axes.back();
    axes.pop_back();
    plan.columns = columns.dim, plan.column_in = columns.in, plan.column_out = columns.out;
    plan.form = columns.in == 1 && columns.out == 1 ? CopyForm::rows : CopyForm::elements;
    // The other inner loop: the input's contiguous dim when there is one, else the next outer dim.
    auto rows = axes.end();
    if (plan.form == CopyForm::elements && columns.out == 1) {
      rows = std::find_if(axes.begin(), axes.end(), [](const Axis& a) { return a.in == 1; });
      if (rows != axes.end()) plan.form = CopyForm::transpose;
    }
    if (rows == axes.end() && !axes.empty()) rows = axes.end() - 1;
    if (rows != axes.end()) {
      plan.rows = rows->dim, plan.row_in = rows->in, plan.row_out = rows->out;
      axes.erase(rows);
    }
  }
  plan.outer_rank = static_cast<int>(axes.size());
  plan.tasks = 1;
  for (int d = 0; d < plan.outer_rank; d++) {
    plan.outer_dims[d] = axes[d].dim, plan.outer_in[d] = axes[d].in, plan.outer_out[d] = axes[d].out;
    plan.tasks *= axes[d].dim;
  }
  cut(plan);
  plan.tasks *= plan.row_tiles * plan.column_tiles;
  return plan;
}

const ReorderKernels* reorder_kernels(std::string_view isa) {
  if (isa == "avx512" || isa == "avx512_vnni") return &reorder_kernels_avx512;
  if (isa == "avx2") return &reorder_kernels_avx2;
  return isa == "portable" ? &reorder_kernels_portable : nullptr;
}

}  // namespace narae::cpu
