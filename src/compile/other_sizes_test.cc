// SPDX-License-Identifier: Apache-2.0
// Engines selected for one size run at every other one that the profile allows: where an operand's axis was one by
// chance, where outputs are smaller than a stride, where nothing is left.
#include <gtest/gtest.h>

#include <cmath>

#include "compile/compiler.h"
#include "engine/session.h"
#include "graph/text.h"
#include "ops/interpret.h"

namespace narae {
namespace {

struct Case {
  const char* name;
  const char* text;
  SymbolValues opt;
  std::vector<SymbolValues> others;
};

const Case cases[] = {
    {"residual_for_all_images",
     R"(graph "g" {
  symbol N 0 64
  input %0 "x" f32[N,20,32]
  const %1 f32[32,32] normal 1
  const %2 f32[1,20,32] normal 2
  %3 f32[N,20,32] = matmul(%0, %1)
  %4 f32[N,20,32] = add(%3, %2)
  output %4 "y"
})",
     {{"N", 1}},
     {{{"N", 1}}, {{"N", 3}}, {{"N", 0}}}},
    {"residual_for_all_rows",
     R"(graph "g" {
  symbol N 0 64
  symbol T 0 64
  input %0 "x" f32[N,T,32]
  input %1 "r" f32[N,1,32]
  const %2 f32[32,48] normal 1
  const %3 f32[32,48] normal 2
  %4 f32[N,T,48] = matmul(%0, %2)
  %5 f32[N,1,48] = matmul(%1, %3)
  %6 f32[N,T,48] = add(%4, %5)
  %7 f32[N,T,48] = relu(%6)
  output %7 "y"
})",
     {{"N", 2}, {"T", 1}},
     {{{"N", 2}, {"T", 1}}, {{"N", 2}, {"T", 5}}, {{"N", 1}, {"T", 7}}, {{"N", 1}, {"T", 0}}}},
    {"residual_of_one_plane",
     R"(graph "g" {
  symbol N 0 64
  symbol H 0 64
  input %0 "x" f32[N,16,H,8]
  const %1 f32[24,16,3,3] normal 1
  const %2 f32[1,24,1,8] normal 2
  %3 f32[N,24,H,8] = conv(%0, %1) {strides=[1,1], dilations=[1,1], pads=[1,1,1,1], groups=1}
  %4 f32[N,24,H,8] = add(%3, %2)
  %5 f32[N,24,H,8] = relu(%4)
  output %5 "y"
})",
     {{"N", 1}, {"H", 1}},
     {{{"N", 1}, {"H", 1}}, {{"N", 2}, {"H", 9}}, {{"N", 0}, {"H", 4}}, {{"N", 3}, {"H", 0}}}},
    {"transposed_smaller_than_its_stride",
     R"(graph "g" {
  symbol H 1 64
  input %0 "x" f32[1,20,H,H]
  const %1 f32[20,18,2,2] normal 1
  %2 f32[1,18,3*H-1,3*H-1] = conv_transpose(%0, %1) {strides=[3,3], dilations=[1,1], pads=[0,0,0,0], output_padding=[0,0], groups=1}
  output %2 "y"
})",
     {{"H", 9}},
     {{{"H", 9}}, {{"H", 1}}, {{"H", 2}}, {{"H", 14}}}},
    {"spread",
     R"(graph "g" {
  symbol N 0 64
  symbol H 0 64
  input %0 "x" f32[N,20,H,6]
  const %1 f32[20,1,2,2] normal 1
  const %2 f32[1] normal 2
  %3 f32[N,1,2*H,12] = conv_transpose(%0, %1, %2) {strides=[2,2], dilations=[1,1], pads=[0,0,0,0], output_padding=[0,0], groups=1}
  output %3 "y"
})",
     {{"N", 1}, {"H", 5}},
     {{{"N", 1}, {"H", 5}}, {{"N", 2}, {"H", 1}}, {{"N", 0}, {"H", 3}}, {{"N", 2}, {"H", 0}}}},
};

struct OtherSizes : testing::TestWithParam<std::tuple<const char*, Case>> {};

TEST_P(OtherSizes, RunLikeTheReferences) {
  const auto& [device_name, one] = GetParam();
  RuntimeOptions machine;
  machine.device = device_name;
  Runtime runtime(machine);
  auto graph = parse_graph(one.text, runtime.ops());
  const auto reference = graph->clone();
  CompileOptions options;
  options.sizes = one.opt;
  Session session(compile(std::move(graph), runtime, options), runtime.device());
  for (const SymbolValues& sizes : one.others) {
    std::vector<Tensor> inputs;
    for (const Value* input : reference->inputs()) {
      inputs.push_back(Tensor::allocate(input->dtype(), evaluate(input->shape(), sizes)));
      fill_normal(inputs.back(), inputs.size());
    }
    const std::vector<Tensor> wanted = interpret(*reference, inputs);
    const std::vector<Tensor>& got = session.run(inputs);
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
      ASSERT_EQ(got[i].dims, wanted[i].dims);
      for (int64_t k = 0; k < wanted[i].count(); ++k) {
        ASSERT_NEAR(element_as_double(got[i], k), element_as_double(wanted[i], k), 1e-4) << dims_text(wanted[i].dims);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, OtherSizes,
                         testing::Combine(testing::Values("cpu", "fake"), testing::ValuesIn(cases)),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param)) + "_" + std::get<1>(info.param).name;
                         });

}  // namespace
}  // namespace narae
