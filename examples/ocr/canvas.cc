// SPDX-License-Identifier: Apache-2.0
#include "canvas.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

namespace ocr {

namespace {

constexpr int longest_side = 2000, shortest_side = 30, least_height = 30, widest_ratio = 8;

// Halves go to the even multiple, as everywhere in this pipeline.
int to_multiple_of_32(int size) { return static_cast<int>(std::nearbyint(size / 32.0)) * 32; }

}  // namespace

Canvas::Canvas(const cv::Mat& bgr) : original_(bgr.size()), picture_(bgr) {
  if (int longest = std::max(bgr.cols, bgr.rows); longest > longest_side) scale_to(double(longest_side) / longest);
  if (int shortest = std::min(picture_.cols, picture_.rows); shortest < shortest_side)
    scale_to(double(shortest_side) / shortest);
  const int height = picture_.rows, width = picture_.cols;
  if (height <= least_height || double(width) / height > widest_ratio) {
    const int wanted = std::max(width / widest_ratio, least_height) * 2;
    top_ = std::abs(wanted - height) / 2;
    cv::copyMakeBorder(picture_, picture_, top_, top_, 0, 0, cv::BORDER_CONSTANT, cv::Scalar::all(0));
  }
}

void Canvas::scale_to(double ratio) {
  const int width = to_multiple_of_32(static_cast<int>(picture_.cols * ratio));
  const int height = to_multiple_of_32(static_cast<int>(picture_.rows * ratio));
  if (width <= 0 || height <= 0)
    throw std::runtime_error("a picture of " + std::to_string(original_.width) + "x" +
                             std::to_string(original_.height) + " pixels is too narrow to be read; cut it into pieces");
  cv::Mat scaled;
  cv::resize(picture_, scaled, {width, height});
  picture_ = scaled;
  scale_x_ = double(original_.width) / width;
  scale_y_ = double(original_.height) / height;
}

Quad Canvas::to_original(const Quad& quad) const {
  Quad result;
  for (std::size_t i = 0; i < quad.size(); ++i) {
    result[i].x = std::clamp(static_cast<float>(quad[i].x * scale_x_), 0.0f, float(original_.width));
    result[i].y = std::clamp(static_cast<float>((quad[i].y - top_) * scale_y_), 0.0f, float(original_.height));
  }
  return result;
}

}  // namespace ocr
