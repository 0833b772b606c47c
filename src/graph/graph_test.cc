// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/error.h"
#include "graph/builder.h"
#include "graph/text.h"
#include "ops/interpret.h"
#include "ops/matmul.h"
#include "ops/ops.h"
#include "ops/reshape.h"
#include "ops/unary.h"

namespace narae {
namespace {

struct GraphTest : ::testing::Test {
  GraphTest() { add_all_ops(table); }
  OpTable table;
};

std::unique_ptr<Graph> sample(const OpTable& table) {
  auto graph = std::make_unique<Graph>(table, "sample");
  const Dim n = graph->new_symbol("N", 1);
  Value* x = graph->add_input("x", DType::f32, {n, 3});
  Tensor w = Tensor::allocate(DType::f32, {3, 8});
  fill_normal(w, 1);
  Builder b(*graph);
  b.set_origins({"fc"});
  Value* y = b.op("matmul", {x, graph->add_constant(w, "w")}, MatmulAttributes{});
  y = b.op("clip", {y}, ClipAttributes{0.0, 6.0});
  y = b.op("reshape", {y}, ReshapeAttributes{{n * 2, Dim(4)}});
  y = b.op("add", {y, b.scalar(0.1)});
  graph->add_output(y, "y");
  return graph;
}

TEST_F(GraphTest, TextParsesBackToTheSameTextAndNumbers) {
  auto graph = sample(table);
  graph->verify();
  PrintOptions options;
  options.inline_limit = 100;
  const std::string text = print_graph(*graph, options);
  auto parsed = parse_graph(text, table);
  EXPECT_EQ(print_graph(*parsed, options), text);
  Tensor x = Tensor::allocate(DType::f32, {2, 3});
  fill_normal(x, 3);
  const auto expected = interpret(*graph, {x}), got = interpret(*parsed, {x});
  EXPECT_TRUE(same_contents(expected[0], got[0]));
  EXPECT_EQ(got[0].dims, (Dims{4, 4}));
  auto copy = graph->clone();
  copy->verify();
  EXPECT_EQ(print_graph(*copy, options), text);
}

TEST_F(GraphTest, LeavesComeFromTheSource) {
  auto graph = sample(table);
  PrintOptions options;
  options.inline_limit = 1;
  auto parsed = parse_graph(print_graph(*graph, options), table, [&](std::string_view, DType dtype, const Dims& dims) {
    Tensor tensor = Tensor::allocate(dtype, dims);
    fill_normal(tensor, 1);
    return tensor;
  });
  EXPECT_EQ(print_graph(*parsed, options), print_graph(*graph, options));
}

TEST_F(GraphTest, BadTextNamesLineAndColumn) {
  auto message = [&](const std::string& text) {
    try {
      parse_graph(text, table);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_file);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_NE(message("graph \"g\" {\n  %1 f32[2] = relu(%0)\n}").find("line 2"), std::string::npos);
  EXPECT_NE(message("graph \"g\" {").find("expected"), std::string::npos);
  EXPECT_NE(message("graph \"g\" { input %0 f32[2] %1 f32[3] = relu(%0) }").find("not as written"), std::string::npos);
  EXPECT_NE(message("graph \"g\" { input %0 f32[2] %1 f32[2] = nosuch(%0) }").find("no such op"), std::string::npos);
  EXPECT_NE(message("graph \"g\" { const %0 f32[99999999999] normal 1 }").find("too large"), std::string::npos);
}

TEST_F(GraphTest, ShortTextsThatAskForTooMuchAreRefused) {
  const auto refused = [&](const std::string& body, const char* part) {
    try {
      parse_graph("graph \"g\" {\n" + body + "\n}", table);
      ADD_FAILURE() << "accepted: " << body;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_file) << error.what();
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  const std::string x = "input %0 \"x\" f32[4]\n";
  refused("const %0 f32[9000,9000] normal 1", "too large for the text form");
  refused("const %0 f32[3000,3000] normal 1\nconst %1 f32[3000,3000] normal 1", "too large for the text form");
  refused("input %0 \"x\" f32[4611686018427387904]", "no memory holds");
  refused("input %0 \"x\" f32[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "rank 17");
  refused("symbol N 1 9\ninput %0 \"x\" f32[N-20]", "negative size");
  refused(x + "%1 f32[4], %2 f32[] = relu(%0)", "has fewer than 2 results");
  refused(x + "%1 f32[4] = topk(%0) {axis=0, k=4, largest=true, sorted=true}", "more than 1 results");
}

TEST_F(GraphTest, GuardsAreCheckedAtBinding) {
  Graph graph(table, "g");
  const Dim n = graph.new_symbol("N", 1), m = graph.new_symbol("N", 1);
  EXPECT_EQ(m.symbol_name(), "N_2");
  Value* a = graph.add_input("a", DType::f32, {n});
  Value* b = graph.add_input("b", DType::f32, {m});
  Builder builder(graph);
  graph.add_output(builder.op("add", {a, b}), "y");
  ASSERT_EQ(graph.guards().size(), 1u);
  EXPECT_NO_THROW(bind_symbols(graph, std::vector<Dims>{{3}, {3}}));
  try {
    bind_symbols(graph, std::vector<Dims>{{3}, {4}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::does_not_fit);
    EXPECT_NE(std::string(error.what()).find("broadcast"), std::string::npos);
  }
  EXPECT_THROW(bind_symbols(graph, std::vector<Dims>{{3}}), Error);
}

TEST_F(GraphTest, EditsKeepTheGraphSound) {
  auto graph = sample(table);
  Node* clip = graph->first()->next();
  ASSERT_TRUE(clip->is("clip"));
  for (int i = 0; i < 100; ++i) {  // always at the same place, so the numbering has to be renewed
    Builder builder(*graph, clip);
    Value* relu = builder.op("relu", {clip->input(0)});
    graph->set_input(clip, 0, relu);
    graph->verify();
  }
  Node* early = Builder(*graph).op("neg", {graph->inputs()[0]})->producer();
  graph->move(early, graph->first());
  graph->verify();
  EXPECT_EQ(graph->first(), early);
  graph->replace_uses(clip->output(0), clip->input(0));
  graph->verify();
  EXPECT_EQ(graph->erase_dead(), 2);
  graph->verify();
  EXPECT_EQ(graph->node_count(), 103u);
}

TEST_F(GraphTest, WronglyTypedNodesAreRefusedAndLeaveNoTrace) {
  Graph graph(table, "g");
  Value* a = graph.add_input("a", DType::f32, {2});
  Value* b = graph.add_input("b", DType::i32, {2});
  Builder builder(graph);
  EXPECT_THROW(builder.op("add", {a, b}), Error);
  EXPECT_EQ(graph.node_count(), 0u);
  EXPECT_TRUE(a->users().empty());
  graph.verify();
}

}  // namespace
}  // namespace narae
