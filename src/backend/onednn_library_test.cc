// SPDX-License-Identifier: Apache-2.0
// That a build with oneDNN has it: otherwise every test of its tactics would pass by not running.
#include "backend/cpu/onednn_library.h"

#include <gtest/gtest.h>

#include <set>

#include "backend/cpu/cpu_device.h"
#include "backend/run_choice_test.h"
#include "backend/tactic_cases_test.h"
#include "graph/text.h"
#include "ops/interpret.h"
#include "ops/ops.h"

namespace narae::cpu {
namespace {

#ifdef NARAE_ONEDNN_BUILD_ID

class OnednnLibraryTest : public testing::Test {
 protected:
  OnednnLibraryTest() { add_all_ops(table); }
  OpTable table;
};

TEST_F(OnednnLibraryTest, IsFoundBesideTheBinary) {
  const OnednnLibrary library;
  ASSERT_NE(library.table(), nullptr) << library.reason();
  EXPECT_EQ(library.reason(), "");
  EXPECT_NE(std::string(library.table()->version), "");
}

TEST_F(OnednnLibraryTest, AnotherBuildIsRefused) {
  const OnednnLibrary other("", "0123456789abcdef");
  EXPECT_EQ(other.table(), nullptr);
  EXPECT_NE(other.reason().find("another build"), std::string::npos) << other.reason();
}

TEST_F(OnednnLibraryTest, AbsenceIsToldNotThrown) {
  const OnednnLibrary absent("/nowhere/libnarae_onednn.so", NARAE_ONEDNN_BUILD_ID);
  EXPECT_EQ(absent.table(), nullptr);
  EXPECT_NE(absent.reason(), "");
}

std::set<std::string> tactics_for(const Device& device, const Node& node, const NodeDims& dims) {
  std::set<std::string> names;
  std::vector<Choice> choices;
  for (const Tactic* tactic : device.tactics()) {
    if (!tactic->is_reference()) tactic->propose(node, dims, device.target(), choices);
  }
  for (const Choice& choice : choices) names.insert(choice.tactic->name());
  return names;
}

TEST_F(OnednnLibraryTest, ConvolutionsAndProductsHaveARival) {
  const std::set<std::string> wanted = {"conv_3x3",
                                        "conv_1x1",
                                        "conv_1x1_stride",
                                        "conv_first",
                                        "conv_first_7x7",
                                        "conv_grouped",
                                        "conv_depthwise",
                                        "conv_vector",
                                        "conv_1d",
                                        "gemm",
                                        "gemm_transposed",
                                        "gemm_row",
                                        "conv_3x3_bias_add_relu",
                                        "conv_3x3_clip_high",
                                        "conv_3x3_bias_silu",
                                        "gemm_bias_residual_relu",
                                        "gemm_row_bias_gelu"};
  std::vector<TacticCase> cases;
  add_conv_cases(cases);
  add_gemm_cases(cases);
  CpuOptions options;
  options.threads = 2;
  const CpuDevice device(options);
  options.onednn = false;
  const CpuDevice without(options);
  size_t seen = 0;
  for (const TacticCase& one : cases) {
    if (!wanted.count(one.name)) continue;
    SCOPED_TRACE(one.name);
    ++seen;
    const auto graph = one.build(table);
    const SymbolValues none;
    const NodeDims dims = node_dims(*graph->first(), none);
    const std::set<std::string> names = tactics_for(device, *graph->first(), dims);
    EXPECT_GE(names.size(), 2u);
    EXPECT_EQ(names.count("conv_onednn") + names.count("gemm_onednn"), 1u);
    const std::set<std::string> own = tactics_for(without, *graph->first(), dims);
    EXPECT_EQ(own.count("conv_onednn") + own.count("gemm_onednn"), 0u);
  }
  EXPECT_EQ(seen, wanted.size());
}

// Adds what the tactic of this name offers.
void propose(const std::string& name, const Device& device, const Node& node, const SymbolValues& sizes,
             std::vector<Choice>& choices) {
  for (const Tactic* tactic : device.tactics()) {
    if (tactic->name() == name) tactic->propose(node, node_dims(node, sizes), device.target(), choices);
  }
}

// Chosen for one size of image, run at others: the packed form stays.
TEST_F(OnednnLibraryTest, OneChoiceServesEveryImageSize) {
  const auto graph = parse_graph(R"(graph "g" {
  symbol N 1 8
  symbol H 4 64
  input %0 "x" f32[N,32,H,12]
  const %1 f32[48,32,3,3] normal 5
  %2 f32[N,48,H,12] = conv(%0, %1) {strides=[1,1], dilations=[1,1], pads=[1,1,1,1], groups=1}
  output %2 "y"
})",
                                 table);
  const Node& node = *graph->first();
  CpuOptions options;
  options.threads = 2;
  CpuDevice device(options);
  std::vector<Choice> choices;
  const auto dims_at = [&](int64_t n, int64_t h) { return bind_symbols(*graph, std::vector<Dims>{{n, 32, h, 12}}); };
  const SymbolValues opt = dims_at(1, 9);
  propose("conv_onednn", device, node, opt, choices);
  ASSERT_FALSE(choices.empty());
  for (const int64_t h : {9, 30, 5}) {
    Tensor x = Tensor::allocate(DType::f32, {h == 30 ? 3 : 1, 32, h, 12});
    fill_normal(x, 7);
    const SymbolValues sizes = dims_at(x.dims[0], h);
    const std::vector<Tensor> got =
        run_choice(device, node, choices[0], node_dims(node, sizes), {x, node.input(1)->tensor()});
    EXPECT_LT(relative_l2(got[0], interpret(*graph, {x})[0]), 1e-5) << h;
  }
}

TEST_F(OnednnLibraryTest, OneChoiceServesEveryNumberOfRows) {
  const auto graph = parse_graph(R"(graph "g" {
  symbol N 1 512
  input %0 "x" f32[N,70]
  const %1 f32[70,150] normal 5
  %2 f32[N,150] = matmul(%0, %1)
  output %2 "y"
})",
                                 table);
  const Node& node = *graph->first();
  CpuOptions options;
  options.threads = 2;
  CpuDevice device(options);
  std::vector<Choice> choices;
  const auto dims_at = [&](int64_t n) { return bind_symbols(*graph, std::vector<Dims>{{n, 70}}); };
  for (const int64_t n : {1, 300}) {
    const SymbolValues opt = dims_at(n);
    propose("gemm_onednn", device, node, opt, choices);
  }
  ASSERT_GE(choices.size(), 3u);  // columns for one row; rows and columns for many
  for (const Choice& choice : choices) {
    for (const int64_t n : {1, 2, 3, 17, 301}) {
      Tensor x = Tensor::allocate(DType::f32, {n, 70});
      fill_normal(x, 7);
      const SymbolValues sizes = dims_at(n);
      const std::vector<Tensor> got =
          run_choice(device, node, choice, node_dims(node, sizes), {x, node.input(1)->tensor()});
      EXPECT_LT(relative_l2(got[0], interpret(*graph, {x})[0]), 1e-5) << choice.config << " at " << n;
    }
  }
}

// Weights that another oneDNN packed are refused, not read as if they were its own.
TEST_F(OnednnLibraryTest, AnotherFormOfWeightsIsRefused) {
  const OnednnLibrary library;
  const OnednnTable* onednn = library.table();
  ASSERT_NE(onednn, nullptr);
  const OnednnGemm gemm{4, 16, 8, 16};
  std::vector<float> a(32, 1.0f), b(128, 2.0f), c(64);
  const Tensor packed = Tensor::allocate(DType::u8, {static_cast<int64_t>(onednn->gemm_weights_bytes(gemm))});
  ASSERT_TRUE(onednn->pack_gemm(gemm, b.data(), 16, 1, packed.data));
  const std::unique_ptr<OnednnPlan, OnednnPlanCloser> plan(onednn->make_gemm(gemm, gemm, {}, 1), {onednn});
  ASSERT_NE(plan, nullptr);
  const Tensor scratch = Tensor::allocate(DType::u8, {static_cast<int64_t>(onednn->scratch_bytes(plan.get())) + 64});
  EXPECT_TRUE(onednn->run(plan.get(), 0, a.data(), packed.data, nullptr, c.data(), scratch.data));
  EXPECT_EQ(c[63], 16.0f);
  ++packed.as<unsigned char>()[0];
  EXPECT_FALSE(onednn->run(plan.get(), 0, a.data(), packed.data, nullptr, c.data(), scratch.data));
}

#endif

}  // namespace
}  // namespace narae::cpu
