// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/graph_order.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace narae::onnx {
namespace {

NodeProto node(std::string_view name, std::vector<std::string_view> inputs, std::vector<std::string_view> outputs) {
  NodeProto out;
  out.name = name;
  out.op_type = "Op";
  out.inputs = std::move(inputs);
  out.outputs = std::move(outputs);
  return out;
}

std::string error_of(const std::vector<NodeProto>& nodes) {
  try {
    execution_order(nodes, {"x"});
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_file);
    return error.what();
  }
  return "";
}

TEST(GraphOrder, SortsAndKeepsASortedOrder) {
  EXPECT_EQ(
      execution_order({node("a", {"x"}, {"1"}), node("b", {"x", ""}, {"2", ""}), node("c", {"2", "1"}, {"3"})}, {"x"}),
      (std::vector<size_t>{0, 1, 2}));
  EXPECT_EQ(
      execution_order({node("c", {"2", "1", "1"}, {"3"}), node("a", {"x"}, {"1"}), node("b", {"1"}, {"2"})}, {"x"}),
      (std::vector<size_t>{1, 2, 0}));
}

TEST(GraphOrder, RefusesCyclesDuplicatesAndUnknownNames) {
  EXPECT_NE(error_of({node("a", {"2"}, {"1"}), node("b", {"1"}, {"2"})}).find("cycle"), std::string::npos);
  EXPECT_NE(error_of({node("self", {"1"}, {"1"})}).find("node \"self\""), std::string::npos);
  EXPECT_NE(error_of({node("a", {"x"}, {"1"}), node("b", {"x"}, {"1"})}).find("already given"), std::string::npos);
  EXPECT_NE(error_of({node("a", {"x"}, {"x"})}).find("already given"), std::string::npos);
  EXPECT_NE(error_of({node("", {"gone"}, {"1"})}).find("node \"Op -> 1\" > input \"gone\""), std::string::npos);
}

}  // namespace
}  // namespace narae::onnx
