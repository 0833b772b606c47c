// SPDX-License-Identifier: Apache-2.0
// Decides what runs next. One per Worker, one thread; never blocks, knows neither clock nor device.
#pragma once

#include "batch/queue.h"
#include "batch/step.h"

namespace narae {

class Batcher {
 public:
  virtual ~Batcher() = default;
  virtual size_t wants() const = 0;  // requests it would take now; the others are better off in the Queue
  virtual size_t live() const = 0;   // requests it has and has not answered
  virtual void admit(Arrivals& arrivals, Time now) = 0;
  virtual Step* next(Time now) = 0;                 // null: nothing to run now. Steps complete in order
  virtual Time wake() const = 0;                    // when next() may change its mind by itself
  virtual void late(Step& step) = 0;                // inputs that need the outputs of `step.after`
  virtual void complete(Step& step, Time now) = 0;  // commits, publishes, answers; rolls back where step.error
};

}  // namespace narae
