// SPDX-License-Identifier: Apache-2.0
// Operators that move or repeat elements by shape: sizes are Dims all the way, so nothing here needs a fixed shape
// unless it says so.
#include <algorithm>

#include "base/error.h"
#include "import/onnx/onnx_ops.h"
#include "import/onnx/shape_math.h"
#include "ops/depth_to_space.h"
#include "ops/pad.h"
#include "ops/slice.h"
#include "ops/split.h"
#include "ops/tile.h"

namespace narae::onnx {

Results onnx_reshape(OnnxNode& n) {
  Value* x = n.in(0);
  const bool zero_is_zero = n.integer("allowzero", 0) != 0;
  return {n.emit().reshape(x, reshaped(x->shape(), n.dims(1, "shape"), zero_is_zero))};
}

Results onnx_flatten(OnnxNode& n) {
  Value* x = n.in(0);
  const int64_t axis = n.integer("axis", 1);
  const size_t cut = axis == x->rank() ? static_cast<size_t>(axis) : normal_axis(axis, x->shape().size());
  Dim rows = 1, columns = 1;
  for (size_t i = 0; i < x->shape().size(); ++i)
    (i < cut ? rows : columns) = (i < cut ? rows : columns) * x->shape()[i];
  return {n.emit().reshape(x, {rows, columns})};
}

Results onnx_squeeze(OnnxNode& n) {
  Value* x = n.in(0);
  const auto given = n.integers_or_operand("axes", 1);
  std::vector<int64_t> axes;
  if (given) {
    axes = normal_axes(*given, x->shape().size());
  } else {
    for (int i = 0; i < x->rank(); ++i) {
      if (x->shape()[static_cast<size_t>(i)] == Dim(1)) axes.push_back(i);
    }
  }
  return {n.emit().squeeze(x, axes)};
}

Results onnx_unsqueeze(OnnxNode& n) {
  Value* x = n.in(0);
  const auto axes = n.integers_or_operand("axes", 1);
  if (!axes) fail(ErrorCode::bad_file, "axes are missing; export the model again");
  return {n.emit().unsqueeze(x, normal_axes(*axes, x->shape().size() + axes->size()))};
}

Results onnx_transpose(OnnxNode& n) {
  Value* x = n.in(0);
  std::vector<int64_t> permutation = n.integers("perm");
  if (permutation.empty()) {
    for (int i = x->rank(); i-- > 0;) permutation.push_back(i);
  }
  if (permutation.size() != x->shape().size()) {
    fail(ErrorCode::bad_file, "perm has {} axes for a value of rank {}", permutation.size(), x->rank());
  }
  normal_axes(permutation, x->shape().size());  // each axis once
  for (int64_t& axis : permutation) axis = static_cast<int64_t>(normal_axis(axis, x->shape().size()));
  return {n.emit().transpose(x, permutation)};
}

Results onnx_shape(OnnxNode& n) {
  const Shape& shape = n.in(0)->shape();
  const auto rank = static_cast<int64_t>(shape.size());
  const auto bound = [&](int64_t at) { return std::clamp(at < 0 ? at + rank : at, int64_t{0}, rank); };
  const int64_t start = bound(n.integer("start", 0)), end = bound(n.integer("end", rank));
  std::vector<Dim> dims;
  for (int64_t i = start; i < end; ++i) dims.push_back(shape[static_cast<size_t>(i)]);
  return {n.emit().dims(dims)};
}

Results onnx_size(OnnxNode& n) { return {n.emit().reshape(n.emit().dims({element_count(n.in(0)->shape())}), {})}; }

Results onnx_concat(OnnxNode& n) {
  Results xs = n.inputs();
  if (xs.empty()) fail(ErrorCode::bad_file, "there is nothing to concatenate");
  const size_t axis = normal_axis(n.integer("axis"), xs[0]->shape().size());
  return {n.emit().concat(xs, static_cast<int64_t>(axis))};
}

Results onnx_split(OnnxNode& n) {
  Value* x = n.in(0);
  const size_t axis = normal_axis(n.integer("axis", 0), x->shape().size());
  const Dim& size = x->shape()[axis];
  const auto parts = static_cast<int64_t>(n.output_count());
  if (n.integer("num_outputs", parts) != parts)
    fail(ErrorCode::bad_file, "num_outputs differs from the outputs listed");
  std::vector<Dim> lengths;
  if (n.has_attribute("split")) {
    const std::vector<int64_t> given = n.integers("split");
    lengths.assign(given.begin(), given.end());
  } else if (n.has(1)) {
    lengths = n.dims(1, "split");
  } else {
    const Dim each = ceildiv(size, parts);
    for (int64_t i = 0; i + 1 < parts; ++i) lengths.push_back(each);
    lengths.push_back(size - each * Dim(parts - 1));  // the last may be smaller
  }
  if (lengths.size() != n.output_count()) fail(ErrorCode::bad_file, "{} sizes for {} outputs", lengths.size(), parts);
  return n.emit()
      .builder()
      .node("split", {x}, SplitAttributes{static_cast<int64_t>(axis), lengths}, static_cast<int>(parts))
      ->outputs();
}

Results onnx_slice(OnnxNode& n) {
  Value* x = n.in(0);
  const bool by_attribute = n.has_attribute("starts");
  std::vector<Dim> starts, ends;
  if (by_attribute) {
    const auto s = n.integers("starts"), e = n.integers("ends");
    starts.assign(s.begin(), s.end());
    ends.assign(e.begin(), e.end());
  } else {
    starts = n.dims(1, "starts");
    ends = n.dims(2, "ends");
  }
  auto axes = by_attribute ? n.integers_or_operand("axes", 99) : n.integers_or_operand("axes", 3);
  if (!axes) {
    axes.emplace();
    for (size_t i = 0; i < starts.size(); ++i) axes->push_back(static_cast<int64_t>(i));
  }
  std::vector<int64_t> steps(starts.size(), 1);
  if (!by_attribute && n.has(4)) steps = n.constant_integers(4, "steps");
  if (ends.size() != starts.size() || axes->size() != starts.size() || steps.size() != starts.size()) {
    fail(ErrorCode::bad_file, "{} starts, {} ends, {} axes and {} steps", starts.size(), ends.size(), axes->size(),
         steps.size());
  }
  return {n.emit().builder().op("slice", {x}, SliceAttributes{starts, ends, *axes, steps})};
}

Results onnx_expand(OnnxNode& n) {
  Value* x = n.in(0);
  const std::vector<Dim> target = n.dims(1, "shape");
  const size_t rank = std::max(target.size(), x->shape().size());
  Shape shape(rank, Dim(1));
  for (size_t i = 0; i < rank; ++i) {
    const Dim own = i + x->shape().size() < rank ? Dim(1) : x->shape()[i + x->shape().size() - rank];
    const Dim wanted = i + target.size() < rank ? Dim(1) : target[i + target.size() - rank];
    if (own == Dim(1)) {
      shape[i] = wanted;
    } else {
      shape[i] = own;
      if (wanted != own && wanted != Dim(1)) {  // one of the two, which a product says in one equation
        if (wanted.is_constant() && own.is_constant()) {
          fail(ErrorCode::bad_file, "shape {} does not broadcast to {}", shape_text(x->shape()), shape_text(target));
        }
        n.emit().builder().graph().add_guard((wanted - Dim(1)) * (wanted - own), 0, "Expand: size 1 or equal");
      }
    }
  }
  return {n.emit().expand(x, shape)};
}

Results onnx_tile(OnnxNode& n) {
  const Emit& e = n.emit();
  Value* x = n.in(0);
  const std::vector<Dim> repeats = n.dims(1, "repeats");
  if (repeats.size() != x->shape().size())
    fail(ErrorCode::bad_file, "{} repeats for rank {}", repeats.size(), x->rank());
  return {e.builder().op("tile", {x}, TileAttributes{repeats})};
}

Results onnx_depth_to_space(OnnxNode& n) {
  return {n.emit().builder().op("depth_to_space", {n.in(0)},
                                DepthToSpaceAttributes{n.integer("blocksize"), n.text("mode", "DCR")})};
}

Results onnx_space_to_depth(OnnxNode& n) {
  return {n.emit().builder().op("space_to_depth", {n.in(0)}, SpaceToDepthAttributes{n.integer("blocksize")})};
}

Results onnx_pad(OnnxNode& n) {
  const Emit& e = n.emit();
  Value* x = n.in(0);
  const size_t rank = x->shape().size();
  PadAttributes a;
  a.mode = n.text("mode", "constant");
  std::vector<Dim> given;
  if (n.has_attribute("pads")) {
    const std::vector<int64_t> pads = n.integers("pads");
    given.assign(pads.begin(), pads.end());
  } else {
    given = n.dims(1, "pads");
  }
  std::vector<int64_t> axes;
  if (n.has(3)) {
    axes = n.constant_integers(3, "axes");
  } else {
    for (size_t i = 0; i < rank; ++i) axes.push_back(static_cast<int64_t>(i));
  }
  if (given.size() != 2 * axes.size()) fail(ErrorCode::bad_file, "{} pads for {} axes", given.size(), axes.size());
  normal_axes(axes, rank);
  a.pads.assign(2 * rank, 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t axis = normal_axis(axes[i], rank);
    a.pads[axis] = given[i];
    a.pads[axis + rank] = given[i + axes.size()];
  }
  Value* fill = n.optional(2);
  if (n.has_attribute("value")) fill = e.number(n.number("value"), x);
  if (fill) fill = e.reshape(fill, {});
  if (a.mode != "constant") return {e.builder().op("pad", {x}, a)};
  return {e.builder().op("pad", {x, fill ? fill : e.number(0, x)}, a)};
}

Results onnx_center_crop_pad(OnnxNode& n) {
  const Emit& e = n.emit();
  Value* x = n.in(0);
  const std::vector<Dim> target = n.dims(1, "shape");
  std::vector<int64_t> axes = n.integers("axes");
  if (axes.empty()) {
    for (int i = 0; i < x->rank(); ++i) axes.push_back(i);
  }
  if (axes.size() != target.size()) fail(ErrorCode::bad_file, "{} axes for {} sizes", axes.size(), target.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    const size_t axis = normal_axis(axes[i], x->shape().size());
    const Dim& size = x->shape()[axis];
    const Dim kept = min(size, target[i]);
    const Dim missing = target[i] - kept;
    x = e.slice(x, static_cast<int64_t>(axis), floordiv(size - kept, 2), kept);
    std::vector<Dim> before(x->shape().size(), 0), after(x->shape().size(), 0);
    before[axis] = floordiv(missing, 2);
    after[axis] = missing - before[axis];
    x = e.pad(x, before, after, e.number(0, x));
  }
  return {x};
}

}  // namespace narae::onnx
