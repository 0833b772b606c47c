// SPDX-License-Identifier: Apache-2.0
// How long work tells whoever asked for it how far it is, and asks whether to go on.
#pragma once

#include <string_view>

namespace narae {

// Implemented by the caller; called from the thread that does the work, seldom enough not to matter.
class Progress {
 public:
  virtual ~Progress() = default;
  // `done` of `total` steps of `stage`; total 0 = unknown.
  virtual void report(std::string_view stage, long done, long total) = 0;
  // True: the work should end with Error failed "cancelled".
  virtual bool cancelled() { return false; }
};

}  // namespace narae
