// SPDX-License-Identifier: Apache-2.0
// Cuts a text box out of a picture and lays it flat.
#pragma once

#include "canvas.h"

namespace ocr {

// Perspective warp to the longer of the box's opposite sides, bicubic, edge pixels repeated; what comes out at least
// 1.5 times as high as wide is taken for text that runs upwards and turned by 90 degrees counter-clockwise.
cv::Mat crop(const cv::Mat& picture, const Quad& box);

}  // namespace ocr
