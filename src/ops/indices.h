// SPDX-License-Identifier: Apache-2.0
// What the ops that read places from an operand (gather, scatter, one_hot, ..) share: every index is checked before it
// is used, because indices are data.
#pragma once

#include <string_view>

#include "base/error.h"
#include "graph/graph.h"

namespace narae {

inline void check_index_type(const InferContext& c, size_t operand) {
  const DType dtype = c.dtype(operand);
  if (dtype != DType::i64 && dtype != DType::i32) {
    fail(ErrorCode::bad_file, "the indices are {}, not i32 or i64", dtype_name(dtype));
  }
}

// An index in [-size, size) as one in [0, size).
inline int64_t checked_index(int64_t index, int64_t size, std::string_view op) {
  if (index < -size || index >= size) {
    fail(ErrorCode::does_not_fit, "{}: index {} is outside an axis of size {}", op, index, size);
  }
  return index < 0 ? index + size : index;
}

// The indices may be smaller than the operand on other axes than `axis`, never larger.
inline void check_inside(const Dims& indices, const Dims& dims, size_t axis, std::string_view op) {
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i != axis && indices[i] > dims[i]) {
      fail(ErrorCode::does_not_fit, "{}: indices of shape {} do not fit into {}", op, dims_text(indices),
           dims_text(dims));
    }
  }
}

}  // namespace narae
