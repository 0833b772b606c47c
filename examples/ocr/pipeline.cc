// SPDX-License-Identifier: Apache-2.0
#include "pipeline.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "crop.h"
#include "det_postprocess.h"
#include "net_input.h"

namespace ocr {

namespace {

constexpr int line_height = 48, classifier_width = 192, least_recogniser_width = 320;
constexpr std::size_t batch_size = 6;
constexpr float turn_threshold = 0.9f, text_threshold = 0.5f;

double ratio(const cv::Mat& line) { return double(line.cols) / line.rows; }

// Indices of the lines from the narrowest to the widest, in groups of at most batch_size.
std::vector<std::vector<std::size_t>> batches_by_ratio(const std::vector<cv::Mat>& lines) {
  std::vector<std::size_t> order(lines.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return ratio(lines[a]) < ratio(lines[b]); });
  std::vector<std::vector<std::size_t>> batches;
  for (std::size_t begin = 0; begin < order.size(); begin += batch_size) {
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto count = static_cast<std::ptrdiff_t>(std::min(batch_size, order.size() - begin));
    batches.emplace_back(first, first + count);
  }
  return batches;
}

std::vector<cv::Mat> pick(const std::vector<cv::Mat>& lines, const std::vector<std::size_t>& indices) {
  std::vector<cv::Mat> picked;
  for (std::size_t index : indices) picked.push_back(lines[index]);
  return picked;
}

View run(const char* stage, Net& net, const NetInput& input, Times& times) {
  return times.measure(stage, input.shape, [&] { return net.run(input.data.data(), input.shape); });
}

}  // namespace

Pipeline::Pipeline(Net& detector, Net& classifier, Net& recogniser, Alphabet alphabet)
    : detector_(detector), classifier_(classifier), recogniser_(recogniser), alphabet_(std::move(alphabet)) {}

std::vector<Quad> Pipeline::detect(const cv::Mat& bgr, Times& times) {
  const NetInput input = times.measure("resize", {}, [&] { return detector_input(bgr); });
  const View output = run("det", detector_, input, times);
  if (output.shape.size() != 4 || output.shape[0] != 1 || output.shape[1] != 1)
    throw std::runtime_error("the detector's output is not [1, 1, height, width]");
  const cv::Mat map(static_cast<int>(output.shape[2]), static_cast<int>(output.shape[3]), CV_32FC1,
                    const_cast<float*>(output.data));
  return times.measure("boxes", {}, [&] { return boxes_of_map(map, bgr.size()); });
}

void Pipeline::turn_upright(std::vector<cv::Mat>& lines, Times& times) {
  for (const auto& batch : batches_by_ratio(lines)) {
    const View output = run("cls", classifier_, line_batch(pick(lines, batch), line_height, classifier_width), times);
    if (output.shape != Shape{static_cast<std::int64_t>(batch.size()), 2})
      throw std::runtime_error("the classifier's output is not [lines, 2]");
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const float upright = output.data[2 * i], upside_down = output.data[2 * i + 1];
      cv::Mat& line = lines[batch[i]];
      if (upside_down > upright && upside_down > turn_threshold) cv::rotate(line, line, cv::ROTATE_180);
    }
  }
}

std::vector<Text> Pipeline::recognise(const std::vector<cv::Mat>& lines, Times& times) {
  std::vector<Text> texts(lines.size());
  for (const auto& batch : batches_by_ratio(lines)) {
    const double widest = std::max(double(least_recogniser_width) / line_height, ratio(lines[batch.back()]));
    const NetInput input = line_batch(pick(lines, batch), line_height, static_cast<int>(line_height * widest));
    const View output = run("rec", recogniser_, input, times);
    auto decoded = times.measure("decode", {}, [&] { return decode_ctc(output, alphabet_); });
    for (std::size_t i = 0; i < batch.size(); ++i) texts[batch[i]] = decoded.at(i);
  }
  return texts;
}

std::vector<Line> Pipeline::read(const cv::Mat& bgr, Times& times) {
  const Canvas canvas(bgr);
  const std::vector<Quad> boxes = detect(canvas.picture(), times);
  std::vector<cv::Mat> crops = times.measure("crop", {}, [&] {
    std::vector<cv::Mat> result;
    for (const Quad& box : boxes) result.push_back(crop(canvas.picture(), box));
    return result;
  });
  turn_upright(crops, times);
  std::vector<Text> texts = recognise(crops, times);
  std::vector<Line> lines;
  for (std::size_t i = 0; i < boxes.size(); ++i)
    if (texts[i].score >= text_threshold) lines.push_back({canvas.to_original(boxes[i]), std::move(texts[i])});
  return lines;
}

}  // namespace ocr
