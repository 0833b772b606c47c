// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/shape_math.h"

#include <algorithm>

#include "base/error.h"

namespace narae::onnx {

namespace {

// True for what a graph input gives: any integer may come. Sizes computed from shapes are taken as they are.
bool sign_unknown(const Dim& dim) { return !dim.is_constant() && dim.low() <= -(Dim::no_limit / 2); }

Dim is_negative(const Dim& dim) { return min(max(Dim(0) - dim, 0), 1); }
Dim is_zero(const Dim& dim) { return Dim(1) - min(max(dim, Dim(0) - dim), 1); }

Dim product(const std::vector<Dim>& dims) {
  Dim out = 1;
  for (const Dim& dim : dims) out = out * dim;
  return out;
}

// total(from) / total(to), with equal factors cancelled first so that it stays exact for unknown sizes.
Dim quotient(std::vector<Dim> from, std::vector<Dim> to) {
  for (size_t i = 0; i < to.size();) {
    const auto same = std::find(from.begin(), from.end(), to[i]);
    if (same == from.end()) {
      ++i;
    } else {
      from.erase(same);
      to.erase(to.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  const Dim above = product(from), below = product(to);
  if (below == Dim(1)) return above;
  if (below.is_constant() && below.value() == 0) return 0;
  if (above.is_constant() && below.is_constant() && above.value() % below.value() != 0) {
    fail(ErrorCode::bad_file, "{} elements do not divide into rows of {}", above.text(), below.text());
  }
  return floordiv(above, below);
}

}  // namespace

Shape reshaped(const Shape& from, const std::vector<Dim>& target, bool zero_is_zero) {
  Shape shape(target.size());
  std::vector<Dim> known;  // factors of the result without the inferred one
  int64_t inferred = -1;
  std::vector<size_t> open;
  for (size_t i = 0; i < target.size(); ++i) {
    const Dim& size = target[i];
    const Dim copied = i < from.size() ? from[i] : Dim(0);
    if (size == Dim(-1)) {
      if (inferred >= 0) fail(ErrorCode::bad_file, "two sizes are -1");
      inferred = static_cast<int64_t>(i);
      continue;
    }
    if (size == Dim(0) && !zero_is_zero) {
      if (i >= from.size())
        fail(ErrorCode::bad_file, "size 0 at axis {} copies from a value of rank {}", i, from.size());
      shape[i] = copied;
    } else if (sign_unknown(size)) {
      open.push_back(i);
      shape[i] = max(size, 0) + (zero_is_zero ? Dim(0) : is_zero(size) * copied) + is_negative(size);
    } else if (size.is_constant() && size.value() < 0) {
      fail(ErrorCode::bad_file, "size {}", size.value());
    } else {
      shape[i] = size;
    }
    known.push_back(shape[i]);
  }
  if (inferred >= 0) {
    shape[static_cast<size_t>(inferred)] = quotient(from, known);
  } else if (!open.empty()) {
    // One of the open sizes may be -1 (counted as 1 in `known`): it becomes what is left.
    const Dim left = floordiv(product(from), max(product(known), 1));
    for (const size_t i : open) {
      const Dim negative = is_negative(target[i]);
      shape[i] = shape[i] + negative * (left - Dim(1));
    }
  }
  return shape;
}

Dim range_count(const Dim& start, const Dim& limit, const Dim& delta) {
  const Dim sign = Dim(1) - is_negative(delta) * Dim(2);
  return max(ceildiv((limit - start) * sign, delta * sign), 0);
}

}  // namespace narae::onnx
