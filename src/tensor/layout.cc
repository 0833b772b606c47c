// SPDX-License-Identifier: Apache-2.0
#include "tensor/layout.h"

#include <cstdio>

#include "base/error.h"

namespace narae {

std::string Layout::text() const { return is_plain() ? "plain" : fmt::format("block{}x{}", blocked_axis, block); }

Layout Layout::parse(const std::string& text) {
  if (text == "plain") return plain();
  Layout layout;
  if (std::sscanf(text.c_str(), "block%dx%d", &layout.blocked_axis, &layout.block) != 2 || layout.blocked_axis < 0 ||
      layout.blocked_axis > 15 || layout.block < 1 || layout.block > 4096) {
    fail(ErrorCode::bad_file, "unknown layout \"{}\"", text);
  }
  return layout;
}

int64_t Layout::stored_count(const Dims& dims) const {
  int64_t count = 1;
  for (size_t i = 0; i < dims.size(); ++i) {
    count *= static_cast<int>(i) == blocked_axis ? (dims[i] + block - 1) / block * block : dims[i];
  }
  return count;
}

}  // namespace narae
