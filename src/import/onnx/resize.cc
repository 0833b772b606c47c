// SPDX-License-Identifier: Apache-2.0
// Resize and Upsample: which axes, and sizes from scales.
#include "ops/resize.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "import/onnx/onnx_ops.h"

namespace narae::onnx {

namespace {

int64_t whole_size(double size) {
  if (!(size >= 0 && size < 1e12)) fail(ErrorCode::bad_file, "a result of size {}", size);
  return static_cast<int64_t>(size);
}

// floor(size * scale). Where the size is not known, the scale must be a ratio of small numbers.
Dim scaled_size(const Dim& size, double scale) {
  if (size.is_constant()) return whole_size(std::floor(static_cast<double>(size.value()) * scale + 1e-9));
  for (int64_t below = 1; below <= 64; ++below) {
    const double above = scale * static_cast<double>(below);
    if (above < 1e6 && std::fabs(above - std::round(above)) < 1e-6) {
      return floordiv(size * Dim(static_cast<int64_t>(std::round(above))), below);
    }
  }
  fail(ErrorCode::bad_file, "scale {} of the unknown size {} is no ratio of small numbers; fix the size", scale,
       size.text());
}

std::vector<double> constant_numbers(const OnnxNode& n, size_t i, const char* what) {
  const Tensor tensor = n.constant(i, what);
  std::vector<double> values;
  for (int64_t k = 0; k < tensor.count(); ++k) values.push_back(element_as_double(tensor, k));
  return values;
}

void set_scales(ResizeAttributes& a, const Shape& shape, const std::vector<int64_t>& axes,
                const std::vector<double>& scales) {
  if (scales.size() != axes.size()) fail(ErrorCode::bad_file, "{} scales for {} axes", scales.size(), axes.size());
  a.sizes = shape;
  a.scales.assign(shape.size(), 1.0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(axes[i]);
    if (!(scales[i] > 0)) fail(ErrorCode::bad_file, "scale {}", scales[i]);
    a.scales[axis] = scales[i];
    a.sizes[axis] = scaled_size(shape[axis], scales[i]);
  }
}

// One scale for all axes, so that the result is at most ("not_larger") or at least as large as asked for.
void keep_aspect_ratio(ResizeAttributes& a, const Shape& shape, const std::vector<int64_t>& axes,
                       const std::vector<Dim>& wanted, bool smallest) {
  double scale = smallest ? INFINITY : 0.0;
  for (size_t i = 0; i < axes.size(); ++i) {
    const Dim& size = shape[static_cast<size_t>(axes[i])];
    if (!size.is_constant() || !wanted[i].is_constant()) {
      fail(ErrorCode::bad_file, "keep_aspect_ratio_policy needs fixed sizes; fix them in the model");
    }
    const double ratio = static_cast<double>(wanted[i].value()) / static_cast<double>(size.value());
    scale = smallest ? std::min(scale, ratio) : std::max(scale, ratio);
  }
  a.sizes = shape;
  a.scales.assign(shape.size(), 1.0);
  for (const int64_t at : axes) {
    const auto axis = static_cast<size_t>(at);
    a.scales[axis] = scale;
    a.sizes[axis] = whole_size(std::floor(static_cast<double>(shape[axis].value()) * scale + 0.5));
  }
}

void set_sizes(ResizeAttributes& a, const OnnxNode& n, const Shape& shape, const std::vector<int64_t>& axes) {
  const std::vector<Dim> wanted = n.dims(3, "sizes");
  if (wanted.size() != axes.size()) fail(ErrorCode::bad_file, "{} sizes for {} axes", wanted.size(), axes.size());
  const std::string policy = n.text("keep_aspect_ratio_policy", "stretch");
  if (policy != "stretch") return keep_aspect_ratio(a, shape, axes, wanted, policy == "not_larger");
  a.sizes = shape;
  for (size_t i = 0; i < axes.size(); ++i) a.sizes[static_cast<size_t>(axes[i])] = wanted[i];
}

bool given(const OnnxNode& n, size_t i) { return n.has(i) && n.in(i)->shape() != Shape{Dim(0)}; }

}  // namespace

Results onnx_resize(OnnxNode& n) {
  Value* x = n.in(0);
  const Shape& shape = x->shape();
  ResizeAttributes a;
  a.mode = n.text("mode", "nearest");
  a.antialias = n.integer("antialias", 0) != 0;
  a.coordinate_mode = n.text("coordinate_transformation_mode", n.opset() < 11 ? "asymmetric" : "half_pixel");
  a.nearest_mode = n.text("nearest_mode", n.opset() < 11 ? "floor" : "round_prefer_floor");
  a.cubic_a = n.number("cubic_coeff_a", -0.75);
  a.exclude_outside = n.integer("exclude_outside", 0) != 0;
  a.extrapolation_value = n.number("extrapolation_value", 0.0);
  std::vector<int64_t> axes = n.integers("axes");
  for (int64_t& axis : axes) axis = static_cast<int64_t>(normal_axis(axis, shape.size()));
  if (axes.empty()) {
    for (int64_t i = 0; i < x->rank(); ++i) axes.push_back(i);
  }
  const size_t scales_at = n.opset() < 11 ? 1 : 2;
  if (given(n, scales_at)) {
    n.ignore({"keep_aspect_ratio_policy"});
    set_scales(a, shape, axes, constant_numbers(n, scales_at, "scales"));
  } else {
    set_sizes(a, n, shape, axes);
  }
  if (a.coordinate_mode == "tf_crop_and_resize") {
    const std::vector<double> roi = constant_numbers(n, 1, "roi");
    if (roi.size() != 2 * axes.size())
      fail(ErrorCode::bad_file, "roi has {} elements for {} axes", roi.size(), axes.size());
    a.roi.assign(shape.size(), 0.0);
    a.roi.resize(2 * shape.size(), 1.0);
    for (size_t i = 0; i < axes.size(); ++i) {
      a.roi[static_cast<size_t>(axes[i])] = roi[i];
      a.roi[static_cast<size_t>(axes[i]) + shape.size()] = roi[i + axes.size()];
    }
  }
  return {n.emit().builder().op("resize", {x}, a)};
}

Results onnx_upsample(OnnxNode& n) {
  Value* x = n.in(0);
  ResizeAttributes a;
  a.mode = n.text("mode", "nearest");
  a.coordinate_mode = "asymmetric";
  a.nearest_mode = "floor";
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < x->rank(); ++i) axes.push_back(i);
  set_scales(a, x->shape(), axes, n.has_attribute("scales") ? n.numbers("scales") : constant_numbers(n, 1, "scales"));
  return {n.emit().builder().op("resize", {x}, a)};
}

}  // namespace narae::onnx
