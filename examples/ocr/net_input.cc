// SPDX-License-Identifier: Apache-2.0
#include "net_input.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>

namespace ocr {

namespace {

constexpr int least_detector_side = 736;

// Writes `bgr` into the left of three planes of `width` columns each.
void write_planes(const cv::Mat& bgr, float* planes, int width) {
  const std::size_t plane = static_cast<std::size_t>(bgr.rows) * width;
  for (int y = 0; y < bgr.rows; ++y) {
    const unsigned char* pixel = bgr.ptr(y);
    float* row = planes + static_cast<std::size_t>(y) * width;
    for (int x = 0; x < bgr.cols; ++x)
      for (std::size_t c = 0; c < 3; ++c) row[c * plane + x] = (static_cast<float>(*pixel++) / 255.0f - 0.5f) / 0.5f;
  }
}

cv::Mat resized(const cv::Mat& bgr, int width, int height) {
  cv::Mat result;
  cv::resize(bgr, result, {width, height});
  return result;
}

}  // namespace

NetInput detector_input(const cv::Mat& bgr) {
  const double ratio = std::max(1.0, double(least_detector_side) / std::min(bgr.cols, bgr.rows));
  auto side = [&](int size) { return static_cast<int>(std::nearbyint(static_cast<int>(size * ratio) / 32.0)) * 32; };
  const int width = side(bgr.cols), height = side(bgr.rows);
  NetInput input{std::vector<float>(std::size_t(3) * width * height), {1, 3, height, width}};
  write_planes(resized(bgr, width, height), input.data.data(), width);
  return input;
}

NetInput line_batch(std::span<const cv::Mat> lines, int height, int width) {
  const std::size_t size = std::size_t(3) * width * height;
  NetInput input{std::vector<float>(size * lines.size()), {static_cast<std::int64_t>(lines.size()), 3, height, width}};
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const double ratio = double(lines[i].cols) / lines[i].rows;
    const int used = std::min(width, static_cast<int>(std::ceil(height * ratio)));
    write_planes(resized(lines[i], used, height), input.data.data() + i * size, width);
  }
  return input;
}

}  // namespace ocr
