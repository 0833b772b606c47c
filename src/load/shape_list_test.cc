// SPDX-License-Identifier: Apache-2.0
#include "load/shape_list.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "graph/text.h"
#include "ops/ops.h"

namespace narae {
namespace {

struct ShapeListTest : ::testing::Test {
  ShapeListTest() {
    add_all_ops(ops);
    graph = parse_graph(R"(graph "g" {
      symbol N 0 64
      symbol W 1 1000
      input %0 "x" f32[N,3,W]
      input %1 "mask:0" f32[N]
      %2 f32[N,3,W] = relu(%0)
      output %2 "y"
      output %1 "m"
    })",
                        ops);
  }
  ErrorCode code(const ShapeRanges& ranges) {
    try {
      make_profile(*graph, ranges);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode{};
  }
  OpTable ops;
  std::unique_ptr<Graph> graph;
};

TEST_F(ShapeListTest, ReadsNamesWithColonsAndScalars) {
  const ShapeList list = parse_shape_list("x:1x3x224,mask:0:12,s:", "--shapes");
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].dims, (Dims{1, 3, 224}));
  EXPECT_EQ(list[1].name, "mask:0");
  EXPECT_EQ(list[1].dims, (Dims{12}));
  EXPECT_TRUE(list[2].dims.empty());
  for (const char* bad :
       {"x", ":1", "x:1x", "x:ax2", "x:-1", "x:1,,", "x:1,", ",x:1", "x:1,x:1", "x:1x2y", "x:99999999999999999999"}) {
    try {
      parse_shape_list(bad, "--shapes");
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::usage) << bad;
    }
  }
}

TEST_F(ShapeListTest, ProfilesFillWhatListsLeaveOut) {
  Profile profile = make_profile(
      *graph, {parse_shape_list("x:1x3x32", ""), parse_shape_list("x:2x3x320", ""), parse_shape_list("x:8x3x640", "")});
  EXPECT_EQ(profile.symbols.at("N"), (SymbolRange{1, 2, 8}));
  EXPECT_EQ(profile.symbols.at("W"), (SymbolRange{32, 320, 640}));
  profile = make_profile(*graph, {{}, {}, parse_shape_list("x:8x3x640", "")});
  EXPECT_EQ(profile.symbols.at("N"), (SymbolRange{1, 8, 8}));
  profile = make_profile(*graph, {{}, parse_shape_list("mask:0:4", ""), {}});
  EXPECT_EQ(profile.symbols.at("N"), (SymbolRange{1, 4, 64}));
  EXPECT_EQ(profile.symbols.count("W"), 0u);
}

TEST_F(ShapeListTest, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(code({parse_shape_list("z:1", ""), {}, {}}), ErrorCode::usage);
  EXPECT_EQ(code({parse_shape_list("x:1x3", ""), {}, {}}), ErrorCode::does_not_fit);
  EXPECT_EQ(code({parse_shape_list("x:1x4x5", ""), {}, {}}), ErrorCode::does_not_fit);
  EXPECT_EQ(code({parse_shape_list("x:1x3x5,mask:0:2", ""), {}, {}}), ErrorCode::does_not_fit);
  EXPECT_EQ(code({{}, {}, parse_shape_list("x:65x3x5", "")}), ErrorCode::does_not_fit);
  EXPECT_EQ(code({parse_shape_list("x:4x3x5", ""), parse_shape_list("x:2x3x5", ""), {}}), ErrorCode::does_not_fit);
}

}  // namespace
}  // namespace narae
