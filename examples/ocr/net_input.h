// SPDX-License-Identifier: Apache-2.0
// Pictures as the networks take them: planes of b, g, r with (v / 255 - 0.5) / 0.5.
#pragma once

#include <opencv2/core.hpp>
#include <span>
#include <vector>

#include "net.h"

namespace ocr {

struct NetInput {
  std::vector<float> data;
  Shape shape;  // [count, 3, height, width]
};

// The whole picture for the detector: shorter side at least 736, sides multiples of 32.
NetInput detector_input(const cv::Mat& bgr);
// Text lines side by side in a batch: each scaled to `height` keeping its ratio, at most `width` wide; what is free to
// the right stays 0 (middle grey).
NetInput line_batch(std::span<const cv::Mat> lines, int height, int width);

}  // namespace ocr
