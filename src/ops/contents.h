// SPDX-License-Identifier: Apache-2.0
// What shape rules share to carry the contents of small values (Value::contents) through an op, so that chains such as
// Shape -> Gather -> Concat -> Reshape stay Dims. Contents are one Dim per element of a value of rank <= 1; of a float
// value they mean that its elements are these whole numbers.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace narae {

inline constexpr size_t contents_limit = 64;

// How many elements a value of this shape has, when its contents could be listed.
inline bool countable(const Shape& shape, size_t& count) {
  if (shape.size() > 1) return false;
  if (shape.empty()) {
    count = 1;
    return true;
  }
  if (!shape[0].is_constant() || shape[0].value() > static_cast<int64_t>(contents_limit)) return false;
  count = static_cast<size_t>(shape[0].value());
  return true;
}

// Element i of contents that broadcast.
inline const Dim& content_at(const std::vector<Dim>& contents, size_t i) {
  return contents[contents.size() == 1 ? 0 : i];
}

inline bool all_constant(const std::vector<Dim>& contents) {
  for (const Dim& dim : contents) {
    if (!dim.is_constant()) return false;
  }
  return true;
}

// A float type that holds sizes exactly.
inline bool holds_sizes(DType dtype) { return dtype == DType::f32 || dtype == DType::f64; }

// Far enough from overflow to calculate with: Dim's own products saturate at no_limit.
inline bool modest(const Dim& dim) {
  return !dim.is_constant() || (dim.value() < Dim::no_limit && dim.value() > -Dim::no_limit);
}
// A value of this type holds the Dim unchanged. Sizes of 2^31 and more are taken not to occur in 32 bits.
bool content_fits(const Dim& dim, DType dtype);

// Contents of operand i; a small constant of whole floats has some, too. False: not known.
bool known_contents(const InferContext& c, size_t i, std::vector<Dim>& contents);

// Which of a < b, a == b, a > b can be.
struct PossibleOrders {
  bool less, equal, greater;
};
PossibleOrders possible_orders(const Dim& a, const Dim& b);

}  // namespace narae
