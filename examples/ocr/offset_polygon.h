// SPDX-License-Identifier: Apache-2.0
// Grows a convex polygon on the pixel grid, with round corners.
#pragma once

#include <opencv2/core.hpp>
#include <vector>

namespace ocr {

// The outline of all points within `distance` (> 0, pixels) of the convex `polygon` (either direction). Corners are
// pieces of a regular polygon at most a quarter of a pixel inside the true arc; results are whole pixels. Empty when
// `polygon` has no area. (The round join of polygon clippers that work on integers, Vatti 1992 and its descendants.)
std::vector<cv::Point> offset_convex(const std::vector<cv::Point>& polygon, double distance);

}  // namespace ocr
