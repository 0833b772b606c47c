// SPDX-License-Identifier: Apache-2.0
#include "progress_bar.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>

#include "base/clock.h"

namespace narae {
namespace {
constexpr long width = 32;
constexpr double redraw_seconds = 0.05;
constexpr double worth_a_line_seconds = 1;  // shorter stages stay silent where nobody watches
}  // namespace

ProgressBar::ProgressBar() : terminal_(isatty(STDERR_FILENO) == 1), begin_(now_seconds()) {}

ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::clear() {
  if (shown_) fmt::print(stderr, "\r\x1b[K");
  shown_ = false;
}

void ProgressBar::report(std::string_view stage, long done, long total) {
  const double now = now_seconds();
  if (stage != stage_) {
    stage_ = stage;
    last_ = 0;
  }
  const bool finished = total > 0 && done >= total;
  if (!terminal_) {
    if (finished && now - begin_ >= worth_a_line_seconds) fmt::print(stderr, "{}: {:.1f} s\n", stage, now - begin_);
  } else if (finished || now - last_ >= redraw_seconds) {
    const long full = total > 0 ? std::min(width, width * done / total) : 0;
    fmt::print(stderr, "\r\x1b[K{:<12} [{}{}] {}/{}", stage, std::string(static_cast<size_t>(full), '#'),
               std::string(static_cast<size_t>(width - full), '.'), done, total);
    std::fflush(stderr);
    shown_ = true;
    last_ = now;
  }
  if (finished) begin_ = now;
}

}  // namespace narae
