// SPDX-License-Identifier: Apache-2.0
#include "ops/resize.h"

#include "ops/define.h"
#include "ops/elements.h"
#include "ops/ops.h"

namespace narae {
namespace {

bool is_one_of(const std::string& text, std::initializer_list<const char*> names) {
  return std::find(names.begin(), names.end(), text) != names.end();
}

void check_modes(const ResizeAttributes& a) {
  if (!is_one_of(a.mode, {"nearest", "linear", "cubic"})) fail(ErrorCode::bad_file, "mode \"{}\"", a.mode);
  if (!is_one_of(a.nearest_mode, {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"})) {
    fail(ErrorCode::bad_file, "nearest mode \"{}\"", a.nearest_mode);
  }
  if (!is_one_of(a.coordinate_mode, {"half_pixel", "pytorch_half_pixel", "half_pixel_symmetric", "align_corners",
                                     "asymmetric", "tf_crop_and_resize", "tf_half_pixel_for_nn"})) {
    fail(ErrorCode::bad_file, "coordinate mode \"{}\"", a.coordinate_mode);
  }
}

void infer(InferContext& c) {
  const auto& a = c.attributes<ResizeAttributes>();
  const Shape& x = c.shape(0);
  check_modes(a);
  if (a.sizes.size() != x.size() || (!a.scales.empty() && a.scales.size() != x.size()) ||
      (!a.roi.empty() && a.roi.size() != 2 * x.size())) {
    fail(ErrorCode::bad_file, "{} sizes, {} scales, {} ends of the region for an operand {}", a.sizes.size(),
         a.scales.size(), a.roi.size(), shape_text(x));
  }
  for (const double scale : a.scales) {
    if (!(scale > 1e-6 && scale < 1e6)) fail(ErrorCode::bad_file, "scale {} is outside [1e-6, 1e6]", scale);
  }
  if (a.mode != "nearest" && !is_float(c.dtype(0))) {
    fail(ErrorCode::bad_file, "mode {} needs floats, the operand is {}; cast it", a.mode, dtype_name(c.dtype(0)));
  }
  c.set_output(0, c.dtype(0), a.sizes);
}

double place_of(const ResizeAttributes& a, size_t axis, double in, double out, double scale, double y) {
  const std::string& mode = a.coordinate_mode;
  const double length = scale * in;
  if (mode == "align_corners") return length == 1 ? 0 : y * (in - 1) / (length - 1);
  if (mode == "asymmetric") return y / scale;
  if (mode == "tf_half_pixel_for_nn") return (y + 0.5) / scale;
  if (mode == "pytorch_half_pixel" && out == 1) return 0;
  if (mode == "tf_crop_and_resize") {
    const double start = a.roi.empty() ? 0 : a.roi[axis], end = a.roi.empty() ? 1 : a.roi[a.roi.size() / 2 + axis];
    if (length == 1) return (end - start) * (in - 1) / 2 + start * (in - 1);
    return y * (end - start) * (in - 1) / (length - 1) + start * (in - 1);
  }
  const double offset = mode == "half_pixel_symmetric" ? in / 2 * (1 - out / length) : 0;
  return offset + (y + 0.5) / scale - 0.5;
}

double nearest(const std::string& mode, double place) {
  if (mode == "floor") return std::floor(place);
  if (mode == "ceil") return std::ceil(place);
  return mode == "round_prefer_floor" ? std::ceil(place - 0.5) : std::floor(place + 0.5);
}

// Weight of an element at a distance, in units of the (widened) filter.
double filter(const ResizeAttributes& a, double distance) {
  const double x = std::fabs(distance);
  if (a.mode == "linear") return std::max(0.0, 1 - x);
  if (x <= 1) return ((a.cubic_a + 2) * x - (a.cubic_a + 3)) * x * x + 1;
  if (x < 2) return ((a.cubic_a * x - 5 * a.cubic_a) * x + 8 * a.cubic_a) * x - 4 * a.cubic_a;
  return 0;
}

}  // namespace

bool AxisSamples::is_identity(int64_t in) const {
  if (static_cast<int64_t>(outside.size()) != in) return false;
  for (int64_t y = 0; y < in; ++y) {
    if (outside[static_cast<size_t>(y)]) return false;
    double own = 0;
    for (int64_t i = y * taps; i < (y + 1) * taps; ++i) {
      const auto at = static_cast<size_t>(i);
      if (places[at] == y) {
        own += weights[at];
      } else if (weights[at] != 0) {
        return false;
      }
    }
    if (own != 1) return false;
  }
  return true;
}

AxisSamples axis_samples(const ResizeAttributes& a, size_t axis, int64_t in, int64_t out) {
  const double scale = a.scales.empty() ? static_cast<double>(out) / static_cast<double>(in) : a.scales[axis];
  const double shrink = a.antialias ? std::min(scale, 1.0) : 1.0;
  const double reach = a.mode == "cubic" ? 2 : 1;
  const auto first = a.mode == "nearest" ? 0 : static_cast<int64_t>(std::floor(-reach / shrink)) + 1;
  AxisSamples samples;
  samples.taps = a.mode == "nearest" ? 1 : 2 - 2 * first;
  for (int64_t y = 0; y < out; ++y) {
    const double place =
        place_of(a, axis, static_cast<double>(in), static_cast<double>(out), scale, static_cast<double>(y));
    samples.outside.push_back(a.coordinate_mode == "tf_crop_and_resize" &&
                              (place < 0 || place > static_cast<double>(in - 1)));
    const double base = a.mode == "nearest" ? nearest(a.nearest_mode, place) : std::floor(place);
    const size_t begin = samples.weights.size();
    double sum = 0;
    for (int64_t t = 0; t < samples.taps; ++t) {
      const double at = base + static_cast<double>(first + t);
      const bool is_outside = at < 0 || at > static_cast<double>(in - 1);
      double weight = a.mode == "nearest" ? 1 : filter(a, (at - place) * shrink);
      if (is_outside && a.exclude_outside) weight = 0;
      sum += weight;
      samples.weights.push_back(weight);
      const double inside = std::min(std::max(0.0, at), static_cast<double>(in - 1));  // 0 where the region is NaN
      samples.places.push_back(static_cast<int64_t>(inside));
    }
    if (!a.antialias && !a.exclude_outside) continue;
    for (size_t i = begin; i < samples.weights.size(); ++i) samples.weights[i] /= sum;
  }
  return samples;
}

namespace {

// One axis of `values`, whose sizes are `dims`, becomes `out` long.
std::vector<double> sample_axis(const std::vector<double>& values, const Dims& dims, int64_t axis, int64_t out,
                                const AxisSamples& samples, double extrapolation_value) {
  const AxisSplit split(dims, axis, axis + 1);
  std::vector<double> result(static_cast<size_t>(split.outer * out * split.inner));
  for (int64_t outer = 0; outer < split.outer; ++outer) {
    for (int64_t y = 0; y < out; ++y) {
      double* to = result.data() + (outer * out + y) * split.inner;
      if (samples.outside[static_cast<size_t>(y)]) {
        std::fill_n(to, split.inner, extrapolation_value);
        continue;
      }
      for (int64_t t = y * samples.taps; t < (y + 1) * samples.taps; ++t) {
        const double* from =
            values.data() + (outer * split.size + samples.places[static_cast<size_t>(t)]) * split.inner;
        const double weight = samples.weights[static_cast<size_t>(t)];
        for (int64_t i = 0; i < split.inner; ++i) to[i] += weight * from[i];
      }
    }
  }
  return result;
}

void reference(ReferenceContext& c) {
  const auto& a = c.attributes<ResizeAttributes>();
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  if (y.count() == 0) return;
  if (x.count() == 0) fail(ErrorCode::does_not_fit, "nothing to sample in {}", dims_text(x.dims));
  Dims dims = x.dims;
  std::vector<double> values = read_elements(x);
  for (size_t axis = dims.size(); axis-- > 0;) {
    const AxisSamples samples = axis_samples(a, axis, dims[axis], y.dims[axis]);
    if (samples.is_identity(dims[axis])) continue;
    values = sample_axis(values, dims, static_cast<int64_t>(axis), y.dims[axis], samples, a.extrapolation_value);
    dims[axis] = y.dims[axis];
  }
  write_elements(y, values);
}

}  // namespace

const OpDef* resize_op() {
  static const OpDef def = define_op<ResizeAttributes>("resize", 1, 1, 0, infer, reference);
  return &def;
}

}  // namespace narae
