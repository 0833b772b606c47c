// SPDX-License-Identifier: Apache-2.0
// The parts of the OCR demo that need no network.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <opencv2/imgproc.hpp>

#include "canvas.h"
#include "crop.h"
#include "ctc.h"
#include "det_postprocess.h"
#include "draw.h"
#include "image_io.h"
#include "net_input.h"
#include "offset_polygon.h"
#include "pipeline.h"

namespace ocr {
namespace {

TEST(OffsetConvex, KeepsTheDistanceFromARectangleEverywhere) {
  const std::vector<cv::Point> rectangle{{100, 50}, {400, 50}, {400, 90}, {100, 90}};
  const auto outline = offset_convex(rectangle, 28);
  ASSERT_GT(outline.size(), 12u);
  for (const cv::Point& point : outline) {
    const double distance = -cv::pointPolygonTest(rectangle, cv::Point2f(point), true);
    EXPECT_NEAR(distance, 28, 0.75) << point;
  }
  EXPECT_EQ(cv::boundingRect(outline), cv::Rect(cv::Point(72, 22), cv::Point(429, 119)));
}

TEST(OffsetConvex, DirectionDoesNotMatterAndNoAreaGivesNothing) {
  const std::vector<cv::Point> one{{10, 10}, {90, 40}, {80, 70}, {0, 40}};
  const std::vector<cv::Point> other(one.rbegin(), one.rend());
  EXPECT_EQ(cv::boundingRect(offset_convex(one, 9.5)), cv::boundingRect(offset_convex(other, 9.5)));
  EXPECT_TRUE(offset_convex({{1, 1}, {5, 1}, {9, 1}}, 3).empty());
  EXPECT_TRUE(offset_convex({{1, 1}, {1, 1}}, 3).empty());
}

TEST(BoxesOfMap, FindsGrownBoxesInReadingOrderInThePicturesPixels) {
  cv::Mat map = cv::Mat::zeros(128, 256, CV_32FC1);
  map(cv::Rect(150, 34, 60, 12)) = 0.9;  // right on the first line, a little higher
  map(cv::Rect(30, 36, 60, 12)) = 0.9;
  map(cv::Rect(30, 90, 60, 12)) = 0.8;
  map(cv::Rect(150, 90, 60, 12)) = 0.4;  // over the pixel threshold, under the box's
  map(cv::Rect(240, 100, 2, 1)) = 1.0;   // too small
  const auto boxes = boxes_of_map(map, {512, 256});
  ASSERT_EQ(boxes.size(), 3u);
  // 61x13 pixels after dilation, so 60 x 12 between pixel centres, grown by 60 * 12 * 1.6 / 144 = 8.
  const Quad expected{cv::Point2f(44, 56), {198, 56}, {198, 112}, {44, 112}};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_LE(cv::norm(boxes[0][i] - expected[i]), 3.0) << boxes[0][i];
  EXPECT_GT(boxes[1][0].x, 250);
  EXPECT_GT(boxes[2][0].y, 150);
}

TEST(BoxesOfMap, AnEmptyMapHasNoBoxes) {
  EXPECT_TRUE(boxes_of_map(cv::Mat::zeros(64, 64, CV_32FC1), {64, 64}).empty());
}

TEST(ReadingOrder, LinesFirstThenColumns) {
  auto at = [](float x, float y) { return Quad{cv::Point2f(x, y), {x + 9, y}, {x + 9, y + 9}, {x, y + 9}}; };
  std::vector<Quad> boxes{at(300, 100), at(200, 104), at(10, 108), at(50, 20), at(10, 125)};
  sort_in_reading_order(boxes);
  std::vector<float> lefts;
  for (const Quad& box : boxes) lefts.push_back(box[0].x);
  EXPECT_EQ(lefts, (std::vector<float>{50, 10, 200, 300, 10}));
}

TEST(Canvas, SmallAndWidePicturesGoThereAndBack) {
  EXPECT_EQ(Canvas(cv::Mat::zeros(320, 640, CV_8UC3)).picture().size(), cv::Size(640, 320));
  EXPECT_EQ(Canvas(cv::Mat::zeros(1000, 4000, CV_8UC3)).picture().size(), cv::Size(1984, 512));
  const Canvas wide(cv::Mat::zeros(40, 800, CV_8UC3));  // 20 : 1
  EXPECT_EQ(wide.picture().size(), cv::Size(800, 200));
  const Quad back = wide.to_original({cv::Point2f(10, 80), {700, 80}, {700, 120}, {10, 130}});
  EXPECT_EQ(back[0], cv::Point2f(10, 0));
  EXPECT_EQ(back[2], cv::Point2f(700, 40));
  EXPECT_EQ(back[3], cv::Point2f(10, 40));  // held inside
}

TEST(Crop, TextThatRunsUpwardsIsLaidFlat) {
  cv::Mat picture = cv::Mat::zeros(200, 200, CV_8UC3);
  picture(cv::Rect(50, 20, 20, 10)).setTo(cv::Scalar::all(255));  // the upper end
  const cv::Mat line = crop(picture, {cv::Point2f(50, 20), {70, 20}, {70, 120}, {50, 120}});
  ASSERT_EQ(line.size(), cv::Size(100, 20));
  EXPECT_EQ(line.at<cv::Vec3b>(10, 3)[0], 255);  // turned counter-clockwise: the upper end comes first
  EXPECT_EQ(line.at<cv::Vec3b>(10, 90)[0], 0);
}

TEST(NetInput, LinesAreScaledPaddedAndNormalised) {
  const cv::Mat white(24, 48, CV_8UC3, cv::Scalar(255, 127, 0));
  const NetInput batch = line_batch(std::vector<cv::Mat>{white, white}, 48, 192);
  EXPECT_EQ(batch.shape, (Shape{2, 3, 48, 192}));
  const std::size_t plane = 48 * 192;
  EXPECT_FLOAT_EQ(batch.data[0], 1.0f);
  EXPECT_NEAR(batch.data[plane], -1.0 / 255, 1e-6);
  EXPECT_FLOAT_EQ(batch.data[2 * plane], -1.0f);
  EXPECT_FLOAT_EQ(batch.data[95], 1.0f);
  EXPECT_FLOAT_EQ(batch.data[96], 0.0f);  // 48 * 2 columns are used
  EXPECT_FLOAT_EQ(batch.data[3 * plane], 1.0f);
  EXPECT_EQ(detector_input(cv::Mat::zeros(320, 640, CV_8UC3)).shape, (Shape{1, 3, 736, 1472}));
  EXPECT_EQ(detector_input(cv::Mat::zeros(1000, 784, CV_8UC3)).shape, (Shape{1, 3, 992, 768}));  // 24.5 goes to 24
}

TEST(Ctc, MergesRepeatsDropsBlanksAndAveragesTheKept) {
  const Alphabet alphabet("a\nb\r\nc");
  ASSERT_EQ(alphabet.classes(), 5u);
  const std::vector<std::pair<std::size_t, float>> steps{{1, .9f}, {1, .5f}, {0, .8f}, {1, .7f},
                                                         {4, .6f}, {2, .4f}, {0, .9f}, {0, .9f}};
  std::vector<float> probabilities(2 * steps.size() * 5, 0.01f);  // the second line: all alike, so class 0
  for (std::size_t i = 0; i < steps.size(); ++i) probabilities[i * 5 + steps[i].first] = steps[i].second;
  const View view{probabilities.data(), {2, static_cast<std::int64_t>(steps.size()), 5}};
  const auto texts = decode_ctc(view, alphabet);
  ASSERT_EQ(texts.size(), 2u);
  EXPECT_EQ(texts[0].utf8, "aa b");
  EXPECT_NEAR(texts[0].score, (0.9 + 0.7 + 0.6 + 0.4) / 4, 1e-6);
  EXPECT_EQ(texts[1].utf8, "");
  EXPECT_EQ(texts[1].score, 0);
  EXPECT_THROW(decode_ctc(view, Alphabet("a")), std::runtime_error);
}

TEST(Png, WhatIsDrawnComesBack) {
  const cv::Mat page = read_png(OCR_FOLDER "/page.png");
  ASSERT_EQ(page.size(), cv::Size(640, 320));
  const cv::Mat picture = drawn(page, {{{cv::Point2f(32, 24), {481, 31}, {480, 69}, {31, 62}}, {"N\xC3\xA9", 0.9f}}});
  EXPECT_EQ(picture.size(), cv::Size(1280, 320));
  EXPECT_GT(cv::norm(picture.colRange(640, 1280), cv::Mat(320, 640, CV_8UC3, cv::Scalar::all(255))), 1000);
  const auto path = std::filesystem::temp_directory_path() / "narae_ocr_test.png";
  write_png(path, picture);
  EXPECT_EQ(cv::norm(read_png(path), picture), 0);
  std::filesystem::remove(path);
  EXPECT_THROW(read_png("/nonexistent/picture.png"), std::runtime_error);
  EXPECT_THROW(write_png("/nonexistent/picture.png", picture), std::runtime_error);
}

}  // namespace
}  // namespace ocr
