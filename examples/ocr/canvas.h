// SPDX-License-Identifier: Apache-2.0
// Brings a picture of any size to one that text detection can take, and its coordinates back.
#pragma once

#include <array>
#include <opencv2/core.hpp>

namespace ocr {

// Clockwise from the top left, in pixels.
using Quad = std::array<cv::Point2f, 4>;

class Canvas {
 public:
  // Sides above 2000 are scaled down, under 30 up, both to multiples of 32; what is at most 30 high or wider than 8 : 1
  // then gets black rows above and below. Most pictures stay as they are. `bgr`: CV_8UC3, not empty.
  explicit Canvas(const cv::Mat& bgr);

  const cv::Mat& picture() const { return picture_; }
  // From the canvas to the original picture, held inside it.
  Quad to_original(const Quad& quad) const;

 private:
  void scale_to(double ratio);
  cv::Size original_;
  cv::Mat picture_;
  double scale_x_ = 1, scale_y_ = 1;  // original over canvas
  int top_ = 0;                       // black rows above
};

}  // namespace ocr
