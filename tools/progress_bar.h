// SPDX-License-Identifier: Apache-2.0
// Progress of long work on stderr: one line that fills up on a terminal, one plain line per finished stage elsewhere.
#pragma once

#include <string>

#include "base/progress.h"

namespace narae {

class ProgressBar final : public Progress {
 public:
  ProgressBar();
  ~ProgressBar() override;  // leaves no half line behind
  void report(std::string_view stage, long done, long total) override;

 private:
  void clear();
  bool terminal_;
  bool shown_ = false;
  double last_ = 0;   // when the bar was drawn
  double begin_ = 0;  // of the stage
  std::string stage_;
};

}  // namespace narae
