// SPDX-License-Identifier: Apache-2.0
#include "progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace ocr {

namespace {
constexpr std::int64_t width = 32;
constexpr const char* clear_line = "\r\x1b[K";
}  // namespace

ProgressBar::ProgressBar(std::string title) : title_(std::move(title)), terminal_(isatty(fileno(stderr))) {}

void ProgressBar::show(std::string_view stage, std::int64_t done, std::int64_t total) {
  if (!terminal_) return;
  const auto filled =
      static_cast<std::size_t>(total > 0 ? std::clamp<std::int64_t>(width * done / total, 0, width) : 0);
  std::string line = title_ + " [" + std::string(filled, '#') + std::string(width - filled, '.') + "] ";
  line += stage;
  if (total > 0) line += " " + std::to_string(done) + "/" + std::to_string(total);
  if (line == shown_) return;
  std::fprintf(stderr, "%s%s", clear_line, line.c_str());
  std::fflush(stderr);
  shown_ = std::move(line);
}

void ProgressBar::finish(std::string_view note) {
  std::fprintf(stderr, "%s%s %.*s\n", terminal_ ? clear_line : "", title_.c_str(), static_cast<int>(note.size()),
               note.data());
}

}  // namespace ocr
