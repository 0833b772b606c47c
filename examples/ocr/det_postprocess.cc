// SPDX-License-Identifier: Apache-2.0
// The one thing not to get wrong: where coordinates are cut to whole pixels; scores and corners hang on it.
#include "det_postprocess.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "offset_polygon.h"

namespace ocr {

namespace {

constexpr double pixel_threshold = 0.3, box_threshold = 0.5, growth = 1.6;
constexpr float least_side = 3, least_grown_side = 5;
constexpr int least_box_side = 3, same_line = 10;
constexpr std::size_t most_candidates = 1000;

struct Rectangle {
  Quad corners;
  float short_side;
};

// The two leftmost points, then the two rightmost, each pair ordered by height.
Quad clockwise_from_top_left(Quad points) {
  std::stable_sort(points.begin(), points.end(), [](auto a, auto b) { return a.x < b.x; });
  if (points[1].y < points[0].y) std::swap(points[0], points[1]);
  if (points[3].y < points[2].y) std::swap(points[2], points[3]);
  return {points[0], points[2], points[3], points[1]};
}

Rectangle smallest_rectangle(const std::vector<cv::Point>& points) {
  const cv::RotatedRect rect = cv::minAreaRect(points);
  Quad corners;
  rect.points(corners.data());
  return {clockwise_from_top_left(corners), std::min(rect.size.width, rect.size.height)};
}

std::vector<cv::Point> whole_pixels(const Quad& corners) {
  std::vector<cv::Point> points;
  for (const cv::Point2f& corner : corners) points.emplace_back(static_cast<int>(corner.x), static_cast<int>(corner.y));
  return points;
}

// Mean probability inside the rectangle, its border included.
double mean_inside(const cv::Mat& map, const Quad& corners) {
  auto [left, right] = std::minmax({corners[0].x, corners[1].x, corners[2].x, corners[3].x});
  auto [top, bottom] = std::minmax({corners[0].y, corners[1].y, corners[2].y, corners[3].y});
  auto column = [&](float x) { return std::clamp(static_cast<int>(x), 0, map.cols - 1); };
  auto row = [&](float y) { return std::clamp(static_cast<int>(y), 0, map.rows - 1); };
  const cv::Point from(column(std::floor(left)), row(std::floor(top)));
  const cv::Rect window(from, cv::Point(column(std::ceil(right)) + 1, row(std::ceil(bottom)) + 1));
  Quad shifted = corners;
  for (cv::Point2f& corner : shifted) corner -= cv::Point2f(from);
  cv::Mat mask = cv::Mat::zeros(window.size(), CV_8UC1);
  cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{whole_pixels(shifted)}, cv::Scalar(1));
  return cv::mean(map(window), mask)[0];
}

std::vector<cv::Point> grown(const Quad& corners) {
  double doubled_area = 0, perimeter = 0;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const cv::Point2d a = corners[i], b = corners[(i + 1) % corners.size()];
    doubled_area += a.cross(b);
    perimeter += std::hypot(b.x - a.x, b.y - a.y);
  }
  return offset_convex(whole_pixels(corners), std::abs(doubled_area) / 2 * growth / perimeter);
}

// Nothing when the region is too small or too unlikely.
std::optional<Quad> box_of_region(const cv::Mat& map, const std::vector<cv::Point>& contour) {
  const Rectangle core = smallest_rectangle(contour);
  if (core.short_side < least_side || mean_inside(map, core.corners) < box_threshold) return std::nullopt;
  const std::vector<cv::Point> outline = grown(core.corners);
  if (outline.empty()) return std::nullopt;
  const Rectangle box = smallest_rectangle(outline);
  if (box.short_side < least_grown_side) return std::nullopt;
  return box.corners;
}

// To the picture's pixels; nothing when hardly anything is left inside it.
std::optional<Quad> scaled_into(const Quad& box, cv::Size map, cv::Size picture) {
  Quad result;
  for (std::size_t i = 0; i < box.size(); ++i) {
    result[i].x = std::clamp(std::nearbyint(box[i].x / map.width * picture.width), 0.0f, picture.width - 1.0f);
    result[i].y = std::clamp(std::nearbyint(box[i].y / map.height * picture.height), 0.0f, picture.height - 1.0f);
  }
  result = clockwise_from_top_left(result);
  const int width = static_cast<int>(cv::norm(result[0] - result[1]));
  const int height = static_cast<int>(cv::norm(result[0] - result[3]));
  if (width <= least_box_side || height <= least_box_side) return std::nullopt;
  return result;
}

}  // namespace

void sort_in_reading_order(std::vector<Quad>& boxes) {
  std::stable_sort(boxes.begin(), boxes.end(),
                   [](const Quad& a, const Quad& b) { return a[0].y != b[0].y ? a[0].y < b[0].y : a[0].x < b[0].x; });
  // A box moves left past its neighbours on the same line.
  for (std::size_t i = 1; i < boxes.size(); ++i)
    for (std::size_t j = i; j > 0; --j) {
      const cv::Point2f here = boxes[j][0], before = boxes[j - 1][0];
      if (std::abs(here.y - before.y) >= same_line || here.x >= before.x) break;
      std::swap(boxes[j], boxes[j - 1]);
    }
}

std::vector<Quad> boxes_of_map(const cv::Mat& map, cv::Size picture) {
  CV_Assert(map.type() == CV_32FC1);
  cv::Mat regions = map > pixel_threshold;
  cv::dilate(regions, regions, cv::Mat::ones(2, 2, CV_8UC1));
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(regions, contours, cv::RETR_LIST, cv::CHAIN_APPROX_SIMPLE);
  contours.resize(std::min(contours.size(), most_candidates));
  std::vector<Quad> boxes;
  for (const auto& contour : contours)
    if (auto box = box_of_region(map, contour))
      if (auto scaled = scaled_into(*box, map.size(), picture)) boxes.push_back(*scaled);
  sort_in_reading_order(boxes);
  return boxes;
}

}  // namespace ocr
