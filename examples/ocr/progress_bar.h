// SPDX-License-Identifier: Apache-2.0
// One line on stderr that fills up; where stderr is no terminal, only the line that closes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ocr {

class ProgressBar {
 public:
  explicit ProgressBar(std::string title);
  // `done` of `total` steps of `stage`; total 0: unknown.
  void show(std::string_view stage, std::int64_t done, std::int64_t total);
  // Replaces the bar by `note`.
  void finish(std::string_view note);

 private:
  std::string title_;
  std::string shown_;
  bool terminal_;
};

}  // namespace ocr
