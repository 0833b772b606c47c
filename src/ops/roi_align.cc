// SPDX-License-Identifier: Apache-2.0
#include "ops/roi_align.h"

#include <limits>

#include "ops/define.h"
#include "ops/elements.h"
#include "ops/ops.h"

namespace narae {
namespace {

constexpr int64_t sampling_limit = 4096;  // points along a bin

void infer(InferContext& c) {
  const auto& a = c.attributes<RoiAlignAttributes>();
  const Shape &x = c.shape(0), &rois = c.shape(1), &images = c.shape(2);
  if (x.size() != 4 || rois.size() != 2 || rois[1] != Dim(4) || images.size() != 1) {
    fail(ErrorCode::bad_file, "operands {}, {}, {}", shape_text(x), shape_text(rois), shape_text(images));
  }
  if (!is_float(c.dtype(0)) || c.dtype(1) != c.dtype(0) || c.dtype(2) != DType::i64) {
    fail(ErrorCode::bad_file, "operands are {}, {}, {}", dtype_name(c.dtype(0)), dtype_name(c.dtype(1)),
         dtype_name(c.dtype(2)));
  }
  if (a.height < 1 || a.width < 1 || a.sampling < 0 || a.sampling > sampling_limit) {
    fail(ErrorCode::bad_file, "{} x {} bins of {} points", a.height, a.width, a.sampling);
  }
  c.require_equal(rois[0], images[0], "regions and their images");
  c.set_output(0, c.dtype(0), Shape{rois[0], x[1], Dim(a.height), Dim(a.width)});
}

// Where the bins of one axis of one region are read.
struct RoiAxis {
  double start, bin;
  int64_t points;
};
RoiAxis roi_axis(const RoiAlignAttributes& a, double from, double to, int64_t bins) {
  const double shift = a.half_pixel ? 0.5 : 0.0, start = from * a.scale - shift;
  double length = to * a.scale - shift - start;
  if (!a.half_pixel) length = std::max(length, 1.0);
  const double bin = length / static_cast<double>(bins);
  return {
      start, bin,
      a.sampling ? a.sampling : static_cast<int64_t>(std::min(std::max(0.0, std::ceil(bin)), double{sampling_limit}))};
}
double point(const RoiAxis& axis, int64_t bin, int64_t i) {
  return axis.start + static_cast<double>(bin) * axis.bin +
         (static_cast<double>(i) + 0.5) * axis.bin / static_cast<double>(axis.points);
}

struct Corners {
  int64_t low = 0, high = 0;
  double low_weight = 0, high_weight = 0;
};
// No weights more than one element outside of [0, size).
Corners corners_at(double place, int64_t size) {
  if (!(place >= -1) || place > static_cast<double>(size)) return {};
  place = std::max(place, 0.0);
  const auto low = static_cast<int64_t>(place);
  if (low >= size - 1) return {size - 1, size - 1, 1, 0};
  return {low, low + 1, 1 - (place - static_cast<double>(low)), place - static_cast<double>(low)};
}

double bin_value(const RoiAlignAttributes& a, const double* plane, const Tensor& x, const RoiAxis& h, const RoiAxis& w,
                 int64_t row, int64_t column) {
  double sum = 0, top = -std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < h.points; ++i) {
    const Corners y = corners_at(point(h, row, i), x.dims[2]);
    for (int64_t j = 0; j < w.points; ++j) {
      const Corners z = corners_at(point(w, column, j), x.dims[3]);
      const double parts[4] = {y.low_weight * z.low_weight * plane[y.low * x.dims[3] + z.low],
                               y.low_weight * z.high_weight * plane[y.low * x.dims[3] + z.high],
                               y.high_weight * z.low_weight * plane[y.high * x.dims[3] + z.low],
                               y.high_weight * z.high_weight * plane[y.high * x.dims[3] + z.high]};
      for (const double part : parts) {
        sum += part;
        top = std::max(top, part);
      }
    }
  }
  const bool is_empty = h.points <= 0 || w.points <= 0;
  if (a.max) return is_empty ? 0 : top;
  return is_empty ? 0 : sum / static_cast<double>(h.points * w.points);
}

void reference(ReferenceContext& c) {
  const auto& a = c.attributes<RoiAlignAttributes>();
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const std::vector<double> xs = read_elements(x), rois = read_elements(c.inputs[1]);
  if (y.count() && x.count() == 0) fail(ErrorCode::does_not_fit, "nothing to sample in {}", dims_text(x.dims));
  for_each_index(y.dims, [&](const Dims& index, int64_t position) {
    const int64_t image = c.inputs[2].as<int64_t>()[index[0]];
    if (image < 0 || image >= x.dims[0]) {
      fail(ErrorCode::does_not_fit, "region {} is of image {} of {}", index[0], image, x.dims[0]);
    }
    const double* roi = rois.data() + index[0] * 4;
    const RoiAxis h = roi_axis(a, roi[1], roi[3], a.height), w = roi_axis(a, roi[0], roi[2], a.width);
    const double* plane = xs.data() + (image * x.dims[1] + index[1]) * x.dims[2] * x.dims[3];
    set_element(y, position, bin_value(a, plane, x, h, w, index[2], index[3]));
  });
}

}  // namespace

const OpDef* roi_align_op() {
  static const OpDef def = define_op<RoiAlignAttributes>("roi_align", 3, 3, 0, infer, reference);
  return &def;
}

}  // namespace narae
