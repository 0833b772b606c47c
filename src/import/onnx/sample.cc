// SPDX-License-Identifier: Apache-2.0
// Operators that read an image at computed places: GridSample, RoiAlign, AffineGrid.
#include "base/error.h"
#include "import/onnx/onnx_ops.h"
#include "ops/grid_sample.h"
#include "ops/roi_align.h"

namespace narae::onnx {

Results onnx_grid_sample(OnnxNode& n) {
  GridSampleAttributes a;
  a.mode = n.text("mode", "linear");
  if (a.mode == "bilinear") a.mode = "linear";  // names before opset 20
  if (a.mode == "bicubic") a.mode = "cubic";
  a.padding = n.text("padding_mode", "zeros");
  a.align_corners = n.integer("align_corners", 0) != 0;
  return {n.emit().builder().op("grid_sample", {n.in(0), n.in(1)}, a)};
}

Results onnx_roi_align(OnnxNode& n) {
  RoiAlignAttributes a;
  a.height = n.integer("output_height", 1);
  a.width = n.integer("output_width", 1);
  a.sampling = n.integer("sampling_ratio", 0);
  a.scale = n.number("spatial_scale", 1.0);
  const std::string shift =
      n.text("coordinate_transformation_mode", n.opset() < 16 ? "output_half_pixel" : "half_pixel");
  a.half_pixel = shift == "half_pixel";
  const std::string mode = n.text("mode", "avg");
  if (mode != "avg" && mode != "max") fail(ErrorCode::bad_file, "unknown mode {}", mode);
  a.max = mode == "max";
  return {n.emit().builder().op("roi_align", {n.in(0), n.in(1), n.emit().cast(n.in(2), DType::i64)}, a)};
}

namespace {

// Places -1 .. 1 along an axis: of its outer edges, or with align_corners of the middles of its outer elements.
Value* places(const Emit& e, const Dim& size, bool align_corners, DType dtype) {
  Value* at = e.iota(size, dtype);
  if (align_corners)
    return e.sub(e.div(e.mul(at, 2.0), e.cast(e.reshape(e.dims({max(size - Dim(1), 1)}), {}), dtype)), 1.0);
  Value* count = e.cast(e.reshape(e.dims({size}), {}), dtype);
  return e.sub(e.div(e.add(e.mul(at, 2.0), 1.0), count), 1.0);
}

}  // namespace

Results onnx_affine_grid(OnnxNode& n) {
  const Emit& e = n.emit();
  Value* theta = n.in(0);  // [N, D, D + 1]
  const std::vector<Dim> size = n.dims(1, "size");
  const bool align = n.integer("align_corners", 0) != 0;
  const size_t axes = size.size() - 2;
  if (size.size() < 4 || size.size() > 5) fail(ErrorCode::bad_file, "size has {} elements, not 4 or 5", size.size());
  const Shape spatial(size.begin() + 2, size.end());
  Shape row = spatial;
  row.push_back(1);
  Values coordinates;  // the last axis of the image first, then a one
  for (size_t i = axes; i-- > 0;) {
    Shape along(axes + 1, Dim(1));
    along[i] = spatial[i];
    coordinates.push_back(e.expand(e.reshape(places(e, spatial[i], align, theta->dtype()), along), row));
  }
  coordinates.push_back(e.fill(row, 1.0, theta->dtype()));
  Value* homogeneous = e.concat(coordinates, static_cast<int64_t>(axes));
  const Dim places_count = element_count(spatial);
  Value* flat = e.reshape(homogeneous, {places_count, static_cast<int64_t>(axes + 1)});
  Value* grid = e.matmul(flat, e.transpose(theta, {0, 2, 1}));
  Shape shape{size[0]};
  shape.insert(shape.end(), spatial.begin(), spatial.end());
  shape.push_back(static_cast<int64_t>(axes));
  return {e.reshape(grid, shape)};
}

}  // namespace narae::onnx
