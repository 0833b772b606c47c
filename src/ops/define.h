// SPDX-License-Identifier: Apache-2.0
// What the files of ops/ share to write an OpDef and its reference kernel shortly. References are plain loops, right
// before fast: they define each op.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "graph/builder.h"
#include "graph/graph.h"

namespace narae {

template <typename T>
OpDef define_op(const char* name, int min_inputs, int max_inputs, uint32_t traits, void (*infer)(InferContext&),
                void (*reference)(ReferenceContext&)) {
  OpDef def;
  def.name = name;
  def.min_inputs = min_inputs;
  def.max_inputs = max_inputs;
  def.traits = traits;
  def.infer = infer;
  def.reference = reference;
  def.parse_attributes = [](const FieldTexts& texts, const SymbolLookup& lookup) {
    return parse_attributes<T>(texts, lookup);
  };
  return def;
}

// Calls visit with a value-initialised element of the C++ type that stores `dtype`: f16 and bf16 arrive as uint16_t.
template <typename Visit>
void visit_storage(DType dtype, Visit visit) {
  switch (dtype_size(dtype)) {
    case 1: return visit(uint8_t{});
    case 2: return visit(uint16_t{});
    case 4: return visit(uint32_t{});
    default: return visit(uint64_t{});
  }
}

// Row-major strides in elements.
inline Dims row_strides(const Dims& dims) {
  Dims strides(dims.size());
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= dims[i];
  }
  return strides;
}

// Strides of an operand of shape `dims` read at the places of `result` (0 where it broadcasts).
inline Dims broadcast_strides(const Dims& dims, const Dims& result) {
  const Dims own = row_strides(dims);
  Dims strides(result.size(), 0);
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] != 1) strides[i + result.size() - dims.size()] = own[i];
  }
  return strides;
}

// Calls body(index, position) for every index of `dims` in row-major order; position counts from 0.
template <typename Body>
void for_each_index(const Dims& dims, Body body) {
  const int64_t count = element_count(dims);
  Dims index(dims.size(), 0);
  for (int64_t position = 0; position < count; ++position) {
    body(index, position);
    for (size_t i = dims.size(); i-- > 0;) {
      if (++index[i] < dims[i]) break;
      index[i] = 0;
    }
  }
}
inline int64_t offset_of(const Dims& index, const Dims& strides) {
  int64_t offset = 0;
  for (size_t i = 0; i < index.size(); ++i) offset += index[i] * strides[i];
  return offset;
}

// An axis in [-rank, rank) as one in [0, rank).
inline int64_t normal_axis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank) fail(ErrorCode::bad_file, "axis {} of a value of rank {}", axis, rank);
  return axis < 0 ? axis + rank : axis;
}

}  // namespace narae
