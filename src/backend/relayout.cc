// SPDX-License-Identifier: Apache-2.0
#include "backend/relayout.h"

#include <cstring>

namespace narae {

Dims layout_strides(const Layout& layout, const Dims& dims) {
  Dims strides(dims.size());
  int64_t stride = layout.is_plain() ? 1 : layout.block;
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    const bool blocked = static_cast<int>(i) == layout.blocked_axis;
    stride *= blocked ? (dims[i] + layout.block - 1) / layout.block : dims[i];
  }
  return strides;
}

namespace {

// Place of `index` in the memory of a value of these strides, in elements.
int64_t offset(const Layout& layout, const Dims& strides, const Dims& index) {
  int64_t at = 0;
  for (size_t i = 0; i < index.size(); ++i) {
    if (static_cast<int>(i) == layout.blocked_axis) {
      at += index[i] / layout.block * strides[i] + index[i] % layout.block;
    } else {
      at += index[i] * strides[i];
    }
  }
  return at;
}

}  // namespace

void relayout(DType dtype, const Dims& dims, const void* from, const Layout& from_layout, void* to,
              const Layout& to_layout) {
  const size_t size = dtype_size(dtype);
  if (!to_layout.is_plain()) std::memset(to, 0, static_cast<size_t>(to_layout.stored_count(dims)) * size);
  const Dims from_strides = layout_strides(from_layout, dims), to_strides = layout_strides(to_layout, dims);
  Dims index(dims.size(), 0);
  for (int64_t count = element_count(dims); count > 0; --count) {
    std::memcpy(static_cast<char*>(to) + static_cast<size_t>(offset(to_layout, to_strides, index)) * size,
                static_cast<const char*>(from) + static_cast<size_t>(offset(from_layout, from_strides, index)) * size,
                size);
    for (size_t i = dims.size(); i-- > 0;) {
      if (++index[i] < dims[i]) break;
      index[i] = 0;
    }
  }
}

Tensor relayout(const Tensor& plain, const Layout& to) {
  Tensor result = Tensor::allocate(plain.dtype, {to.stored_count(plain.dims)});
  relayout(plain.dtype, plain.dims, plain.data, Layout::plain(), result.data, to);
  return result;
}

}  // namespace narae
