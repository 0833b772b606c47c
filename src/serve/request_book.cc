// SPDX-License-Identifier: Apache-2.0
#include "serve/request_book.h"

#include <algorithm>

namespace narae {

void RequestBook::add(Entry entry) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ring_[added_++ % ring_.size()] = std::move(entry);
}

std::optional<RequestBook::Entry> RequestBook::find(std::string_view id) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const uint64_t count = std::min<uint64_t>(added_, ring_.size());
  for (uint64_t back = 1; back <= count; ++back) {
    const Entry& entry = ring_[(added_ - back) % ring_.size()];
    if (entry.id == id) return entry;
  }
  return std::nullopt;
}

}  // namespace narae
