// SPDX-License-Identifier: Apache-2.0
// PNG files as 8-bit BGR pictures, the channel order the networks were trained on.
#pragma once

#include <opencv2/core.hpp>
#include <string>

namespace ocr {

// Any PNG; transparent parts come out over white. Throws std::runtime_error with the path and libpng's reason.
cv::Mat read_png(const std::string& path);
// `bgr` is CV_8UC3. Throws std::runtime_error; what was written so far is then removed.
void write_png(const std::string& path, const cv::Mat& bgr);

}  // namespace ocr
