// SPDX-License-Identifier: Apache-2.0
// Shows what was read: the picture with its boxes, and beside it the texts at their places.
#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "pipeline.h"

namespace ocr {

// Twice as wide as `bgr`. The texts are drawn with OpenCV's stroke font, which knows ASCII only; other characters show
// as '?', here and nowhere else.
cv::Mat drawn(const cv::Mat& bgr, const std::vector<Line>& lines);

}  // namespace ocr
