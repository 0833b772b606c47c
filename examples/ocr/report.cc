// SPDX-License-Identifier: Apache-2.0
#include "report.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace ocr {

namespace {

std::string text_of(const Shape& shape) {
  std::string text;
  for (std::int64_t dim : shape) text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text;
}

std::string text_of(const Quad& box) {
  std::string text;
  for (const cv::Point2f& corner : box)
    text +=
        (text.empty() ? "" : " ") + std::to_string(std::lround(corner.x)) + "," + std::to_string(std::lround(corner.y));
  return text;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

std::vector<CallTime> summed_up(const std::vector<Times>& readings) {
  std::vector<CallTime> calls;
  const auto& first = readings.at(0).entries();
  for (std::size_t i = 0; i < first.size(); ++i) {
    std::vector<double> later;
    for (std::size_t k = 1; k < readings.size(); ++k) later.push_back(readings[k].entries().at(i).ms);
    calls.push_back({first[i].stage, first[i].shape, first[i].ms, later.empty() ? first[i].ms : median(later)});
  }
  return calls;
}

void print_lines(const std::vector<Line>& lines) {
  std::printf("%zu line%s of text\n", lines.size(), lines.size() == 1 ? "" : "s");
  for (const Line& line : lines) std::printf("  %.3f  %s\n", line.text.score, line.text.utf8.c_str());
}

void print_times(const std::vector<CallTime>& calls, std::size_t readings) {
  std::printf("%-8s %-18s %10s %10s\n", "stage", "input", "first ms", readings > 1 ? "median ms" : "");
  double first = 0, typical = 0;
  auto row = [&](const char* stage, const std::string& input, double first_ms, double median_ms) {
    std::printf("%-8s %-18s %10.2f", stage, input.c_str(), first_ms);
    if (readings > 1) std::printf(" %10.2f", median_ms);
    std::printf("\n");
  };
  for (const CallTime& call : calls) {
    row(call.stage.c_str(), text_of(call.shape), call.first_ms, call.median_ms);
    first += call.first_ms;
    typical += call.median_ms;
  }
  row("all", "", first, typical);
}

void write_tsv(const std::string& path, const std::vector<Line>& lines, const std::vector<CallTime>& calls) {
  std::ofstream file(path);
  for (const Line& line : lines)
    file << "text\t" << line.text.score << '\t' << text_of(line.box) << '\t' << line.text.utf8 << '\n';
  for (const CallTime& call : calls)
    if (!call.shape.empty())
      file << "net\t" << call.stage << '\t' << text_of(call.shape) << '\t' << call.median_ms << '\n';
  file.close();
  if (!file) throw std::runtime_error("cannot write \"" + path + "\"");
}

}  // namespace ocr
