// SPDX-License-Identifier: Apache-2.0
// The Runner of an ordinary tensor model: a step is one run of a Session, in the Worker's thread (depth 1).
#pragma once

#include "batch/runner.h"
#include "engine/session.h"

namespace narae {

class SessionRunner final : public Runner {
 public:
  explicit SessionRunner(Session& session) : session_(session) {}
  void begin(Step& step) override { step.out = session_.run(step.block.begin); }
  void finish(Step&) override {}
  void wait(Step&) override {}

 private:
  Session& session_;
};

}  // namespace narae
