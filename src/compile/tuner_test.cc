// SPDX-License-Identifier: Apache-2.0
// Measured mode: what is chosen was timed, parts of split bodies too, and estimates do not win against timings.
#include "compile/tuner.h"

#include <gtest/gtest.h>

#include "compile/compiler.h"
#include "graph/text.h"

namespace narae {
namespace {

const char* siblings = R"(graph "g" {
  input %0 "x" f32[1,32,14,14]
  const %1 f32[32,32,1,1] normal 1
  const %2 f32[48,32,1,1] normal 2
  const %3 f32[32,32,3,3] normal 3
  %4 f32[1,32,14,14] = conv(%0, %1) {strides=[1,1], dilations=[1,1], pads=[0,0,0,0], groups=1} from "a"
  %5 f32[1,48,14,14] = conv(%0, %2) {strides=[1,1], dilations=[1,1], pads=[0,0,0,0], groups=1} from "b"
  %6 f32[1,32,14,14] = relu(%4) from "relu"
  %7 f32[1,32,14,14] = conv(%6, %3) {strides=[1,1], dilations=[1,1], pads=[1,1,1,1], groups=1} from "c"
  %8 f32[1,32,14,14] = silu(%7) from "silu"
  output %5 "y"
  output %8 "z"
})";

struct TunerTest : testing::Test {
  TunerTest() {
    RuntimeOptions options;
    options.threads = 1;
    runtime = std::make_unique<Runtime>(options);
  }
  std::unique_ptr<Graph> graph() const { return parse_graph(siblings, runtime->ops()); }
  std::shared_ptr<Engine> compile_at(int level) {
    CompileOptions options;
    options.opt_level = level;
    return compile(graph(), *runtime, options);
  }
  std::unique_ptr<Runtime> runtime;
};

bool is_measured(const NodeChoice& chosen) {
  for (const Candidate& candidate : chosen.candidates) {
    if (choice_text(candidate.choice) == choice_text(chosen.choice)) return candidate.measured;
  }
  return false;
}

TEST_F(TunerTest, WhatIsChosenWasTimed) {
  const std::shared_ptr<Engine> engine = compile_at(3);
  EXPECT_GT(engine->lowered().notes.timed_choices, 0);
  for (const auto& [node, chosen] : engine->lowered().selection.nodes)
    EXPECT_TRUE(is_measured(chosen)) << node->label();
  const std::shared_ptr<Engine> again = compile_at(3);
  EXPECT_EQ(again->lowered().notes.timed_choices, 0);
  EXPECT_GT(again->lowered().notes.cached_choices, 0);
}

TEST_F(TunerTest, EstimatesDoNotWinAgainstTimings) {
  // As on a machine that is busy while it tunes: every timing is far above every estimate.
  const std::unique_ptr<Graph> one = graph();
  Device& device = *runtime->device();
  const Node* several = one->first();  // a node that there is a choice for
  while (several && candidates_for(*several, device, {}, EstimatedCosts()).size() < 2) several = several->next();
  ASSERT_TRUE(several);
  const Node& node = *several;
  const NodeDims dims = node_dims(node, {});
  std::vector<Candidate> candidates = candidates_for(node, device, {}, EstimatedCosts());
  const Choice timed = candidates.back().choice;
  runtime->timing_cache().put(TimingCache::key(node, timed, dims, device.target()), 1.0);
  candidates = candidates_for(node, device, {}, MeasuredCosts(runtime->timing_cache()));
  for (const Candidate& candidate : candidates) {
    if (choice_text(candidate.choice) == choice_text(timed)) {
      EXPECT_TRUE(candidate.measured);
      EXPECT_EQ(candidate.seconds, 1.0);
    } else {
      EXPECT_GT(candidate.seconds, 0.01);
    }
  }
}

}  // namespace
}  // namespace narae
