// SPDX-License-Identifier: Apache-2.0
#include "draw.h"

#include <array>
#include <opencv2/imgproc.hpp>
#include <string>

namespace ocr {

namespace {

const std::array<cv::Scalar, 6> colours{cv::Scalar(200, 80, 0),  cv::Scalar(0, 130, 40),  cv::Scalar(30, 30, 200),
                                        cv::Scalar(150, 0, 150), cv::Scalar(0, 110, 190), cv::Scalar(120, 120, 0)};

std::string ascii(const std::string& utf8) {
  std::string result;
  for (unsigned char byte : utf8) {
    if (byte < 0x80) result += byte >= 0x20 ? static_cast<char>(byte) : ' ';
    if (byte >= 0xc0) result += '?';  // once a character: its further bytes are below 0xc0
  }
  return result;
}

// The text on white, as large as it comes.
cv::Mat written(const std::string& text, const cv::Scalar& colour) {
  constexpr int font = cv::FONT_HERSHEY_SIMPLEX, thickness = 2, margin = 6;
  int below = 0;
  const cv::Size size = cv::getTextSize(text, font, 1.2, thickness, &below);
  cv::Mat label(size.height + below + 2 * margin, size.width + 2 * margin, CV_8UC3, cv::Scalar::all(255));
  cv::putText(label, text, {margin, margin + size.height}, font, 1.2, colour, thickness, cv::LINE_AA);
  return label;
}

void write_into(cv::Mat& page, const Quad& box, const std::string& text, const cv::Scalar& colour) {
  const cv::Mat label = written(text, colour);
  const float right = static_cast<float>(label.cols), bottom = static_cast<float>(label.rows);
  const Quad corners{cv::Point2f(0, 0), {right, 0}, {right, bottom}, {0, bottom}};
  cv::warpPerspective(label, page, cv::getPerspectiveTransform(corners.data(), box.data()), page.size(), cv::INTER_AREA,
                      cv::BORDER_TRANSPARENT);
}

}  // namespace

cv::Mat drawn(const cv::Mat& bgr, const std::vector<Line>& lines) {
  cv::Mat result(bgr.rows, 2 * bgr.cols, CV_8UC3, cv::Scalar::all(255));
  cv::Mat left = result.colRange(0, bgr.cols), right = result.colRange(bgr.cols, 2 * bgr.cols);
  bgr.copyTo(left);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const cv::Scalar& colour = colours[i % colours.size()];
    std::vector<cv::Point> outline(lines[i].box.begin(), lines[i].box.end());
    write_into(right, lines[i].box, ascii(lines[i].text.utf8), colour);
    for (cv::Mat* side : {&left, &right}) cv::polylines(*side, outline, true, colour, 2, cv::LINE_AA);
  }
  return result;
}

}  // namespace ocr
