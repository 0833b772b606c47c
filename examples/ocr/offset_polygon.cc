// SPDX-License-Identifier: Apache-2.0
// The one thing not to get wrong: which side is out; the sign of the area decides it.
#include "offset_polygon.h"

#include <algorithm>
#include <cmath>

namespace ocr {

namespace {

constexpr double pi = 3.14159265358979323846;
constexpr double arc_tolerance = 0.25;  // pixels between an arc and the chords that stand for it

double doubled_area(const std::vector<cv::Point>& polygon) {
  double sum = 0;
  for (std::size_t i = 0; i < polygon.size(); ++i)
    sum += cv::Point2d(polygon[i]).cross(polygon[(i + 1) % polygon.size()]);
  return sum;
}

// Chords a full circle of this radius is made of.
double chords_per_turn(double radius) {
  const double tolerance = std::min(arc_tolerance, radius * 0.25);
  return std::min(pi / std::acos(1 - tolerance / radius), radius * pi);
}

void add_corner(std::vector<cv::Point>& outline, const cv::Point& corner, double from, double turn, double radius) {
  const double step = 2 * pi / chords_per_turn(radius);
  const long steps = std::max(std::lround(turn / step), 1L);
  auto add = [&](double angle) {
    outline.emplace_back(static_cast<int>(std::lround(corner.x + radius * std::cos(angle))),
                         static_cast<int>(std::lround(corner.y + radius * std::sin(angle))));
  };
  for (long i = 0; i < steps; ++i) add(from + step * static_cast<double>(i));
  add(from + turn);
}

}  // namespace

std::vector<cv::Point> offset_convex(const std::vector<cv::Point>& polygon, double distance) {
  std::vector<cv::Point> points;
  for (const cv::Point& point : polygon)
    if (points.empty() || point != points.back()) points.push_back(point);
  while (points.size() > 1 && points.front() == points.back()) points.pop_back();
  const double area = doubled_area(points);
  if (area == 0) return {};
  if (area < 0) std::reverse(points.begin(), points.end());
  std::vector<cv::Point> outline;
  for (std::size_t i = 0, n = points.size(); i < n; ++i) {
    const cv::Point2d in = points[i] - points[(i + n - 1) % n], out = points[(i + 1) % n] - points[i];
    // The outward normal is the edge turned by a quarter; a corner sweeps from one edge's normal to the next one's.
    add_corner(outline, points[i], std::atan2(-in.x, in.y), std::atan2(in.cross(out), in.dot(out)), distance);
  }
  return outline;
}

}  // namespace ocr
