// SPDX-License-Identifier: Apache-2.0
#include "ops/grid_sample.h"

#include "ops/define.h"
#include "ops/elements.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  const auto& a = c.attributes<GridSampleAttributes>();
  const Shape &x = c.shape(0), &grid = c.shape(1);
  if (a.mode != "nearest" && a.mode != "linear" && a.mode != "cubic") fail(ErrorCode::bad_file, "mode \"{}\"", a.mode);
  if (a.padding != "zeros" && a.padding != "border" && a.padding != "reflection") {
    fail(ErrorCode::bad_file, "padding \"{}\"", a.padding);
  }
  if (x.size() < 3 || grid.size() != x.size() || grid.back() != Dim(static_cast<int64_t>(x.size()) - 2)) {
    fail(ErrorCode::bad_file, "a grid {} does not sample {}", shape_text(grid), shape_text(x));
  }
  if (!is_float(c.dtype(1)) || (a.mode != "nearest" && !is_float(c.dtype(0)))) {
    fail(ErrorCode::bad_file, "the grid is {}, x is {}", dtype_name(c.dtype(1)), dtype_name(c.dtype(0)));
  }
  c.require_equal(grid[0], x[0], "batch of grid and x");
  Shape result{x[0], x[1]};
  result.insert(result.end(), grid.begin() + 1, grid.end() - 1);
  c.set_output(0, c.dtype(0), std::move(result));
}

// What lies beyond an end is mirrored at it, again and again.
double reflect(double place, double low, double high) {
  const double range = high - low;
  if (range <= 0) return 0;
  const double past = place < low ? low - place : place - high;
  if (past <= 0) return place;
  const double turns = std::floor(past / range), rest = past - turns * range;
  const bool from_low = (place < low) == (std::fmod(turns, 2) == 0);
  return from_low ? low + rest : high - rest;
}

// The elements of one axis that one result reads; place -1 is a zero.
struct Taps {
  int count = 0;
  int64_t places[4] = {};
  double weights[4] = {};
};

Taps taps_at(const GridSampleAttributes& a, double coordinate, int64_t size) {
  const double length = static_cast<double>(size);
  const double low = a.align_corners ? 0 : -0.5, high = a.align_corners ? length - 1 : length - 0.5;
  double place = a.align_corners ? (coordinate + 1) / 2 * (length - 1) : ((coordinate + 1) * length - 1) / 2;
  if (!(std::fabs(place) < 1e9)) place = -1e9;  // far away or not a number
  if (a.mode == "nearest") place = std::nearbyint(place);
  if (place < low || place > high) {
    if (a.padding == "border") place = std::clamp(place, 0.0, length - 1);
    if (a.padding == "reflection") place = reflect(place, low, high);
  }
  const double base = std::floor(place), r = place - base;
  Taps taps;
  taps.count = a.mode == "nearest" ? 1 : a.mode == "linear" ? 2 : 4;
  for (int t = 0; t < taps.count; ++t) {
    double at = base + t - (taps.count == 4 ? 1 : 0);
    const double x = std::fabs(at - place), cubic = -0.75;
    taps.weights[t] = taps.count == 1   ? 1
                      : taps.count == 2 ? (t ? r : 1 - r)
                      : x <= 1          ? ((cubic + 2) * x - (cubic + 3)) * x * x + 1
                                        : ((cubic * x - 5 * cubic) * x + 8 * cubic) * x - 4 * cubic;
    if (a.padding == "border") at = std::clamp(at, 0.0, length - 1);
    if (a.padding == "reflection") at = std::clamp(std::trunc(reflect(at, low, high)), 0.0, length - 1);
    taps.places[t] = at < 0 || at >= length ? -1 : static_cast<int64_t>(at);
  }
  return taps;
}

// Sum over the taps of axes [axis, ..) of one plane.
double sample(const double* plane, const Dims& sizes, const std::vector<Taps>& taps, size_t axis, int64_t offset) {
  if (axis == sizes.size()) return plane[offset];
  double sum = 0;
  for (int t = 0; t < taps[axis].count; ++t) {
    if (taps[axis].places[t] < 0) continue;
    sum += taps[axis].weights[t] * sample(plane, sizes, taps, axis + 1, offset * sizes[axis] + taps[axis].places[t]);
  }
  return sum;
}

void reference(ReferenceContext& c) {
  const auto& a = c.attributes<GridSampleAttributes>();
  const Tensor &x = c.inputs[0], &grid = c.inputs[1], &y = c.outputs[0];
  const std::vector<double> xs = read_elements(x), coordinates = read_elements(grid);
  const Dims sizes(x.dims.begin() + 2, x.dims.end());
  const int64_t channels = x.dims[1], plane = element_count(sizes), rank = static_cast<int64_t>(sizes.size());
  const int64_t points = y.count() ? y.count() / (y.dims[0] * channels) : 0;
  std::vector<Taps> taps(sizes.size());
  std::vector<double> ys(static_cast<size_t>(y.count()));
  for (int64_t row = 0; row < y.dims[0] * points; ++row) {
    for (int64_t axis = 0; axis < rank; ++axis) {
      const double coordinate = coordinates[static_cast<size_t>((row + 1) * rank - 1 - axis)];
      taps[static_cast<size_t>(axis)] = taps_at(a, coordinate, sizes[static_cast<size_t>(axis)]);
    }
    const int64_t n = row / points, point = row % points;
    for (int64_t i = n * channels; i < (n + 1) * channels; ++i) {
      ys[static_cast<size_t>(i * points + point)] = sample(xs.data() + i * plane, sizes, taps, 0, 0);
    }
  }
  write_elements(y, ys);
}

}  // namespace

const OpDef* grid_sample_op() {
  static const OpDef def = define_op<GridSampleAttributes>("grid_sample", 2, 2, 0, infer, reference);
  return &def;
}

}  // namespace narae
