// SPDX-License-Identifier: Apache-2.0
// How the elements of a Value lie in memory. The logical shape never changes: selection gives each Value a Layout, and
// a reformat stands where two neighbours differ. Padding lanes of a blocked axis are zero; whoever produces the value
// writes them.
#pragma once

#include <string>

#include "tensor/dim.h"

namespace narae {

// Dense. `blocked_axis` >= 0: that axis is cut into blocks of `block` elements, which lie innermost:
// [N,C,H,W] blocked on axis 1 by 16 is stored as [N, ceil(C/16), H, W, 16].
struct Layout {
  int blocked_axis = -1;
  int block = 1;

  bool is_plain() const { return blocked_axis < 0; }
  friend bool operator==(const Layout& a, const Layout& b) {
    return a.blocked_axis == b.blocked_axis && a.block == b.block;
  }
  friend bool operator!=(const Layout& a, const Layout& b) { return !(a == b); }
  static Layout plain() { return {}; }
  static Layout blocked(int axis, int block) { return {axis, block}; }
  // "plain" or "block1x16" (axis 1 by 16); parse throws Error bad_file.
  std::string text() const;
  static Layout parse(const std::string& text);
  // Elements of memory that `dims` take, padding lanes included.
  int64_t stored_count(const Dims& dims) const;
};

}  // namespace narae
