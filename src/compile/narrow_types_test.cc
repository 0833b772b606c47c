// SPDX-License-Identifier: Apache-2.0
// --precision: what is stored in 16 bits, what is not, and that the numbers stay near.
#include <gtest/gtest.h>

#include <cmath>

#include "compile/pass_driver.h"
#include "graph/text.h"
#include "ops/interpret.h"
#include "ops/ops.h"

namespace narae {
namespace {

class NarrowTypes : public testing::TestWithParam<const char*> {
 protected:
  NarrowTypes() { add_all_ops(ops_); }
  std::unique_ptr<Graph> narrowed(const Graph& graph, PassReport* report = nullptr) {
    std::unique_ptr<Graph> copy = graph.clone();
    Target target;
    target.precision = GetParam();
    run_portable_passes(*copy, {});
    const PassReport done = run_target_passes(*copy, target, {});
    if (report) *report = done;
    return copy;
  }
  static int count(const Graph& graph, DType type) {
    int found = 0;
    for (const Node* node = graph.first(); node; node = node->next()) {
      for (const Value* value : node->outputs()) found += value->dtype() == type;
    }
    return found;
  }
  OpTable ops_;
};

const char* network = R"(graph "net" {
  input %x "x" f32[2,3,16,16]
  const %w f32[8,3,3,3] normal 1
  const %b f32[8] normal 2
  const %f f32[8,5] normal 3
  const %s f32[5] normal 4
  const %t f32[5] normal 5
  %1 f32[2,8,16,16] = conv(%x, %w, %b) {strides=[1,1], dilations=[1,1], pads=[1,1,1,1], groups=1} from "conv"
  %2 f32[2,8,16,16] = relu(%1) from "relu"
  %3 f32[2,8,8,8] = max_pool(%2) {kernel=[2,2], strides=[2,2], dilations=[1,1], pads=[0,0,0,0]} from "pool"
  %4 f32[2,8,1,1] = reduce_mean(%3) {axes=[2,3], keepdims=true} from "mean"
  %5 f32[2,8] = reshape(%4) {shape=[2,8]} from "flat"
  %6 f32[2,5] = matmul(%5, %f) from "product"
  %7 f32[2,5] = layer_norm(%6, %s, %t) {axis=1, epsilon=1e-5} from "norm"
  %8 f32[2,5] = softmax(%7) {axis=1} from "soft"
  output %8 "y"
})";

TEST_P(NarrowTypes, ValuesBetweenAreNarrowAndNumbersStayNear) {
  const auto graph = parse_graph(network, ops_);
  PassReport report;
  const auto narrow = narrowed(*graph, &report);
  narrow->verify();
  const bool narrows = std::string(GetParam()) == "fp16" || std::string(GetParam()) == "bf16";
  const DType type = std::string(GetParam()) == "fp16" ? DType::f16 : DType::bf16;
  EXPECT_GE(count(*narrow, type), narrows ? 8 : 0);
  if (!narrows) EXPECT_EQ(count(*narrow, DType::f16) + count(*narrow, DType::bf16), 0);
  EXPECT_EQ(narrow->outputs()[0]->dtype(), DType::f32);
  Tensor x = Tensor::allocate(DType::f32, {2, 3, 16, 16});
  fill_normal(x, 7);
  const std::vector<Tensor> want = interpret(*graph, {x}), got = interpret(*narrow, {x});
  double difference = 0, size = 0;
  for (int64_t i = 0; i < want[0].count(); ++i) {
    const double a = got[0].as<float>()[i], b = want[0].as<float>()[i];
    difference += (a - b) * (a - b), size += b * b;
  }
  const double error = std::sqrt(difference / size);
  EXPECT_LE(error, !narrows ? 1e-5 : type == DType::f16 ? 1e-2 : 5e-2);
  if (narrows) EXPECT_GT(error, 0);
  int told = 0;
  for (const FusionRecord& record : report.fusions) told += record.kind == "precision" && record.done;
  EXPECT_GE(told, narrows ? 4 : 0);
}

TEST_P(NarrowTypes, WeightsThatDoNotFitKeepTheirNode) {
  const auto graph = parse_graph(R"(graph "g" {
  input %x "x" f32[2,4]
  const %w f32[4,2] {1, 2, 3, 4, 5, 6, 7, 1e6}
  %1 f32[2,2] = matmul(%x, %w) from "product"
  output %1 "y"
})",
                                 ops_);
  PassReport report;
  const auto narrow = narrowed(*graph, &report);
  if (std::string(GetParam()) != "fp16") return;
  EXPECT_EQ(count(*narrow, DType::f16), 0);
  bool refused = false;
  for (const FusionRecord& record : report.fusions) refused |= record.kind == "precision" && !record.done;
  EXPECT_TRUE(refused);
}

INSTANTIATE_TEST_SUITE_P(Precisions, NarrowTypes, testing::Values("fp16", "bf16", "tf32", ""),
                         [](const auto& info) { return *info.param ? info.param : "fp32"; });

}  // namespace
}  // namespace narae
