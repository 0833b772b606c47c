// SPDX-License-Identifier: Apache-2.0
#include "compile/pass_driver.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "graph/builder.h"
#include "ops/ops.h"

namespace narae {
namespace {

struct PassDriverTest : ::testing::Test {
  PassDriverTest() { add_all_ops(ops); }
  OpTable ops;
};

TEST_F(PassDriverTest, SelectionReadsFromLeftToRight) {
  EXPECT_TRUE(PassSelection::parse("all").has("cse"));
  EXPECT_FALSE(PassSelection::parse("none").has("cse"));
  EXPECT_FALSE(PassSelection::parse("-cse").has("cse"));
  EXPECT_TRUE(PassSelection::parse("-cse").has("dead_code"));
  EXPECT_TRUE(PassSelection::parse("cse").has("cse"));
  EXPECT_FALSE(PassSelection::parse("cse").has("dead_code"));
  EXPECT_TRUE(PassSelection::parse("none,dead_code,cse").has("dead_code"));
  EXPECT_EQ(PassSelection::parse("-dead_code,-cse").text(), PassSelection::parse("all,-cse,-dead_code").text());
  for (const char* bad : {"", "cse,", ",cse", "-", "-all"}) EXPECT_THROW(PassSelection::parse(bad), Error) << bad;
  try {
    PassSelection::parse("-csee");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_NE(std::string(error.what()).find("dead_code"), std::string::npos);
  }
}

TEST_F(PassDriverTest, ReportsWhatRanAndStopsAtNothing) {
  Graph graph(ops, "g");
  Value* x = graph.add_input("x", DType::f32, {2});
  Builder b(graph);
  b.op("neg", {x});
  graph.add_output(b.op("relu", {x}), "y");
  std::vector<std::string> seen;
  PassOptions options;
  options.selection = PassSelection::parse("cse,dead_code");
  options.after = [&](const Pass& pass, const Graph& after) {
    seen.push_back(pass.name + std::to_string(after.node_count()));
  };
  const PassReport report = run_portable_passes(graph, options);
  EXPECT_EQ(seen, (std::vector<std::string>{"cse2", "dead_code1"}));
  ASSERT_EQ(report.passes.size(), 2u);
  EXPECT_FALSE(report.passes[0].changed);
  EXPECT_TRUE(report.passes[1].changed);
  EXPECT_EQ(report.passes[1].nodes_before, 2u);
  EXPECT_EQ(report.passes[1].nodes_after, 1u);
}

}  // namespace
}  // namespace narae
