// SPDX-License-Identifier: Apache-2.0
// Runs steps on a device, in the order of begin(). Any of the three may throw: the step then fails, and wait() is still
// called, because the device may be using its memory.
#pragma once

#include "batch/step.h"

namespace narae {

class Runner {
 public:
  virtual ~Runner() = default;
  virtual void begin(Step& step) = 0;   // moves, inputs, forward
  virtual void finish(Step& step) = 0;  // late inputs, sample, results to the host; not after begin() threw
  virtual void wait(Step& step) = 0;    // until the device has done with it; step.out is there
};

}  // namespace narae
