// SPDX-License-Identifier: Apache-2.0
// From the detector's probability map to boxes: Liao et al., "Real-time Scene Text Detection with Differentiable
// Binarization", AAAI 2020. The map shows shrunk text; a box is the region's rectangle grown back.
#pragma once

#include <opencv2/core.hpp>
#include <vector>

#include "canvas.h"

namespace ocr {

// `map`: CV_32FC1, probability of text per pixel, of any size. Boxes are in pixels of a picture of size `picture`,
// whole numbers inside it, in reading order (top to bottom; left to right where tops are under 10 pixels apart).
std::vector<Quad> boxes_of_map(const cv::Mat& map, cv::Size picture);

// Into reading order by the first corner.
void sort_in_reading_order(std::vector<Quad>& boxes);

}  // namespace ocr
