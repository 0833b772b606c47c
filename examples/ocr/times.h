// SPDX-License-Identifier: Apache-2.0
// Where the time of reading a picture goes: one entry a call of a stage.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "net.h"

namespace ocr {

struct StageTime {
  std::string stage;
  Shape shape;  // of a network's input; empty for the other stages
  double ms = 0;
};

class Times {
 public:
  // Runs `body`, enters how long it took and returns what it returned.
  template <typename Body>
  auto measure(std::string stage, Shape shape, Body&& body) {
    const auto start = std::chrono::steady_clock::now();
    auto result = body();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    entries_.push_back({std::move(stage), std::move(shape), took.count()});
    return result;
  }
  const std::vector<StageTime>& entries() const { return entries_; }

 private:
  std::vector<StageTime> entries_;
};

}  // namespace ocr
