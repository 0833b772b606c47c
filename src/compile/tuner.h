// SPDX-License-Identifier: Apache-2.0
// Times candidates on the device and fills the runtime's TimingCache; selection then reads it. Only candidates near the
// model's best are timed, in turns (A B A B ..) so that a drifting machine favours none.
#pragma once

#include "base/progress.h"
#include "engine/runtime.h"
#include "plan/selection.h"

namespace narae {

struct TuneResult {
  int64_t timed = 0;   // choices measured now
  int64_t cached = 0;  // choices whose time was known already
};

// `level` 3 to 5: how far from the model's best a candidate may be and how long each is run. Fused bodies are timed
// whole, and part by part, so that split_bodies can compare.
TuneResult tune(const Graph& graph, Runtime& runtime, const SymbolValues& sizes, int level, Progress* progress);

}  // namespace narae
