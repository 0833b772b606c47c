// SPDX-License-Identifier: Apache-2.0
#include "backend/operand_placement.h"

namespace narae {
Dims stored_dims(const Dims& dims, const Layout& layout) {
  Dims stored = dims;
  if (layout.is_plain()) return stored;
  int64_t& axis = stored[static_cast<size_t>(layout.blocked_axis)];
  axis = (axis + layout.block - 1) / layout.block;
  stored.push_back(layout.block);
  return stored;
}

Layout operand_layout(const Dims& dims, const Dims& result, const Layout& layout) {
  if (layout.is_plain()) return layout;
  const int axis = layout.blocked_axis - static_cast<int>(result.size() - dims.size());
  if (axis < 0) return Layout::plain();
  const int64_t channels = dims[static_cast<size_t>(axis)];
  if (channels == 1 || channels != result[static_cast<size_t>(layout.blocked_axis)]) return Layout::plain();
  return Layout::blocked(axis, layout.block);
}

std::vector<int64_t> operand_strides(const Dims& dims, const Dims& result, const Layout& layout) {
  const Layout own = operand_layout(dims, result, layout);
  const Dims strides = layout_strides(own, dims);
  const size_t shift = result.size() - dims.size();
  std::vector<int64_t> all(result.size() + (layout.is_plain() ? 0 : 1), 0);
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] != 1) all[i + shift] = strides[i];
  }
  if (!own.is_plain()) all.back() = 1;
  return all;
}

void place_operand(size_t i, const Dims& dims, const Dims& result, const Layout& layout, Choice& choice) {
  choice.inputs[i] = operand_layout(dims, result, layout);
}

}  // namespace narae
