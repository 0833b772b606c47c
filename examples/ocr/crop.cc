// SPDX-License-Identifier: Apache-2.0
#include "crop.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>

namespace ocr {

cv::Mat crop(const cv::Mat& picture, const Quad& box) {
  auto longer = [](cv::Point2f a, cv::Point2f b) { return static_cast<int>(std::max(cv::norm(a), cv::norm(b))); };
  const int width = longer(box[0] - box[1], box[2] - box[3]), height = longer(box[0] - box[3], box[1] - box[2]);
  const float right = static_cast<float>(width), bottom = static_cast<float>(height);
  const Quad flat{cv::Point2f(0, 0), {right, 0}, {right, bottom}, {0, bottom}};
  cv::Mat line;
  cv::warpPerspective(picture, line, cv::getPerspectiveTransform(box.data(), flat.data()), {width, height},
                      cv::INTER_CUBIC, cv::BORDER_REPLICATE);
  if (line.rows >= 1.5 * line.cols) cv::rotate(line, line, cv::ROTATE_90_COUNTERCLOCKWISE);
  return line;
}

}  // namespace ocr
