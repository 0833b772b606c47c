// SPDX-License-Identifier: Apache-2.0
// What the program says when it is done: texts, a table of times, and both as tab-separated values for scripts.
#pragma once

#include <string>
#include <vector>

#include "pipeline.h"
#include "times.h"

namespace ocr {

// The same calls in every reading: the first, which also plans for the shapes, and the median of those after it (of
// the first where there is no other).
struct CallTime {
  std::string stage;
  Shape shape;
  double first_ms = 0, median_ms = 0;
};

// `readings`: of one picture, at least one.
std::vector<CallTime> summed_up(const std::vector<Times>& readings);

void print_lines(const std::vector<Line>& lines);
void print_times(const std::vector<CallTime>& calls, std::size_t readings);
// Lines `text SCORE X,Y X,Y X,Y X,Y TEXT` and `net NAME SHAPE MEDIAN_MS`, separated by tabs.
// Throws std::runtime_error when the file cannot be written.
void write_tsv(const std::string& path, const std::vector<Line>& lines, const std::vector<CallTime>& calls);

}  // namespace ocr
