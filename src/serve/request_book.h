// SPDX-License-Identifier: Apache-2.0
// What became of the requests of late, for `explain request`. Old ones are forgotten. Any thread.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "batch/request.h"

namespace narae {

class RequestBook {
 public:
  struct Entry {
    std::string id, model;
    std::shared_ptr<const Trace> trace;
  };

  explicit RequestBook(size_t capacity = 1024) : ring_(capacity) {}
  void add(Entry entry);
  // The latest of that id.
  std::optional<Entry> find(std::string_view id) const;

 private:
  mutable std::mutex mutex_;
  std::vector<Entry> ring_;
  uint64_t added_ = 0;
};

}  // namespace narae
