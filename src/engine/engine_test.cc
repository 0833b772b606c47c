// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "backend/cpu/cpu_device.h"
#include "base/error.h"
#include "engine/engine_file.h"
#include "engine/lowered_test.h"
#include "engine/session.h"
#include "graph/builder.h"
#include "graph/text.h"
#include "ops/interpret.h"
#include "ops/matmul.h"
#include "ops/ops.h"
#include "ops/reshape.h"
#include "ops/unary.h"

namespace narae {
namespace {

double relative_error(const Tensor& got, const Tensor& want) {
  double difference = 0, norm = 1e-30;
  for (int64_t i = 0; i < want.count(); ++i) {
    const double a = element_as_double(got, i), b = element_as_double(want, i);
    difference += (a - b) * (a - b);
    norm += b * b;
  }
  return std::sqrt(difference / norm);
}

// On the CPU and on the checking device.
struct EngineTest : ::testing::TestWithParam<const char*> {
  EngineTest() : device(make_device({GetParam()})) { add_all_ops(table); }
  std::shared_ptr<Engine> engine(std::unique_ptr<Graph> graph, Profile profile = {}) {
    return lowered_engine(std::move(graph), *device, std::move(profile));
  }
  OpTable table;
  std::shared_ptr<Device> device;
};

const char* network = R"(graph "net" {
  symbol N 1 64
  input %0 "x" f32[N,16]
  const %1 f32[16,32] normal 1
  const %2 f32[32] normal 2
  const %3 f32[32] normal 3
  %4 f32[32] = add(%2, %3)
  %5 f32[N,32] = matmul(%0, %1)
  %6 f32[N,32] = add(%5, %4)
  %7 f32[N,32] = relu(%6)
  %8 f32[N,4,8] = reshape(%7) {shape=[N,4,8]}
  %9 f32[N,4,8] = tanh(%8)
  %10 f32[N,4,8] = add(%9, %8)
  %11 f32[4*N,8] = reshape(%10) {shape=[4*N,8]}
  output %11 "y"
  output %7 "hidden"
  output %11 "again"
  output %4 "constant"
  output %0 "input"
})";

// After a run something else may lie where the indices lay (on the checking device -1, which is none here).
TEST_P(EngineTest, RepeatsFindTheirIndices) {
  auto graph = parse_graph(R"(graph "lookup" {
  input %i "ids" i64[3]
  const %t f32[8,16] normal 1
  const %e i64[] {8}
  %0 i64[3] = sub(%i, %e)
  %1 f32[3,16] = gather(%t, %0) {axis=0}
  %2 f32[3,16] = tanh(%1)
  output %2 "y"
})",
                           table);
  Session session(engine(std::move(graph)), device);
  Tensor ids = Tensor::allocate(DType::i64, {3});
  for (int64_t k = 0; k < 3; ++k) ids.as<int64_t>()[k] = k;
  session.run({ids});
  EXPECT_NO_THROW(session.repeat(3));
}

TEST_P(EngineTest, RunsLikeTheReferencesAtEveryShape) {
  auto graph = parse_graph(network, table);
  auto reference = graph->clone();
  auto built = engine(std::move(graph));
  Session session(built, device);
  for (const int64_t n : {1, 3, 7, 3, 1}) {
    Tensor x = Tensor::allocate(DType::f32, {n, 16});
    fill_normal(x, static_cast<uint64_t>(n));
    const auto want = interpret(*reference, {x});
    const auto& got = session.run({x});
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) {
      EXPECT_EQ(got[i].dims, want[i].dims);
      EXPECT_LT(relative_error(got[i], want[i]), 1e-5) << i;
    }
    EXPECT_EQ(session.program()->lanes > 1, device->auxiliary_lanes() > 0);
  }
}

// The kernel that suits images takes no empty ones; what is there instead gives what the references give.
TEST_P(EngineTest, ImagesThatBecomeEmptyRunToo) {
  auto graph = parse_graph(R"(graph "net" {
    symbol W 1 1024
    input %0 "x" f32[1,16,8,W]
    const %1 f32[32,16,1,1] normal 1
    %2 f32[1,16,8,floordiv(W,32)] = max_pool(%0) {kernel=[1,32], strides=[1,32], dilations=[1,1], pads=[0,0,0,0]}
    %3 f32[1,32,8,floordiv(W,32)] = conv(%2, %1) {strides=[1,1], dilations=[1,1], pads=[0,0,0,0], groups=1}
    %4 f32[1,32,1,1] = reduce_mean(%3) {axes=[2,3], keepdims=true}
    %5 f32[1,32,1,1] = exp(%4)
    output %5 "y"
  })",
                           table);
  auto reference = graph->clone();
  Profile profile;
  profile.symbols["W"] = {1, 512, 1024};
  auto built = engine(std::move(graph), profile);
  const Graph& lowered = *built->lowered().graph;
  const Node& mean = *lowered.outputs()[0]->producer()->input(0)->producer();
  const Choice& choice = built->lowered().selection.nodes.at(&mean).choice;
  SymbolValues small = built->lowered().opt;
  small["W"] = 31;
  if (std::string(GetParam()) == "cpu") {
    EXPECT_THROW(choice.tactic->specialise(mean, choice, node_dims(mean, small), *device), Error);
  }
  Session session(built, device);
  for (const int64_t width : {512, 31, 40}) {
    Tensor x = Tensor::allocate(DType::f32, {1, 16, 8, width});
    fill_normal(x, 7);
    const auto want = interpret(*reference, {x});
    const auto& got = session.run({x});
    for (int64_t i = 0; i < 32; ++i) {
      const float a = got[0].as<float>()[i], b = want[0].as<float>()[i];
      EXPECT_EQ(std::isnan(a), std::isnan(b));
      if (!std::isnan(b)) EXPECT_NEAR(a, b, 1e-4 * (1 + std::abs(b)));
    }
  }
}

TEST_P(EngineTest, ConstantPartIsEvaluatedOnce) {
  auto graph = parse_graph(network, table);
  evaluate_constant_part(*graph, *device);
  graph->verify();
  EXPECT_EQ(graph->node_count(), 7u);
}

TEST_P(EngineTest, ShapesOutsideTheProfileAreRefusedByName) {
  Profile profile;
  profile.symbols["N"] = {1, 2, 4};
  auto built = engine(parse_graph(network, table), profile);
  Session session(built, device);
  Tensor x = Tensor::allocate(DType::f32, {5, 16});
  fill_normal(x, 1);
  try {
    session.run({x});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::does_not_fit);
    EXPECT_NE(std::string(error.what()).find("N = 5"), std::string::npos);
  }
  x.dims = {4, 15};
  EXPECT_THROW(session.run({x}), Error);
  x.dims = {4, 16};
  x.dtype = DType::i32;
  EXPECT_THROW(session.run({x}), Error);
}

TEST_P(EngineTest, FilesLoadBackAndDamageIsNamed) {
  RuntimeOptions options;
  options.device = GetParam();
  Runtime runtime(options);
  device = runtime.device();
  auto graph = parse_graph(network, runtime.ops());
  auto reference = graph->clone();
  graph->metadata().emplace_back("author", "nobody");
  Profile profile;
  profile.symbols["N"] = {1, 2, 64};
  auto built = engine(std::move(graph), profile);
  const std::string path =
      (std::filesystem::temp_directory_path() / fmt::format("narae-engine-test-{}.narae", GetParam())).string();
  save_engine(*built, *device, path);
  auto loaded = load_engine(path, runtime);
  ASSERT_TRUE(loaded->has_section());
  EXPECT_EQ(loaded->profile().symbols, profile.symbols);
  EXPECT_EQ(loaded->portable().metadata(), built->portable().metadata());
  Session session(loaded, device);
  Tensor x = Tensor::allocate(DType::f32, {5, 16});
  fill_normal(x, 3);
  const auto want = interpret(*reference, {x});
  const auto& got = session.run({x});
  for (size_t i = 0; i < want.size(); ++i) EXPECT_LT(relative_error(got[i], want[i]), 1e-5) << i;

  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  for (size_t cut = 0; cut < bytes.size(); cut += 97) {  // truncated anywhere, or one byte changed: never a crash
    for (const bool flip : {false, true}) {
      std::string damaged = flip ? bytes : bytes.substr(0, cut);
      if (flip) damaged[cut] = static_cast<char>(damaged[cut] ^ 0x15);
      std::ofstream(path, std::ios::binary) << damaged;
      try {
        load_engine(path, runtime);
        EXPECT_TRUE(flip);  // a changed weight cannot be seen, a truncated file always
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::bad_file) << error.what();
      }
    }
  }
  std::filesystem::remove(path);
  try {
    save_engine(*built, *device, "/nonexistent/x.narae");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::failed);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, EngineTest, ::testing::Values("cpu", "fake"),
                         [](const auto& info) { return std::string(info.param); });

TEST(CorePoolTest, RunsEveryTaskOnce) {
  cpu::CorePool pool(cpu::detect_cores(), 4, false);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::atomic<int>> counts(static_cast<size_t>(1 + round % 300));
    pool.enter_turn();
    pool.parallel(static_cast<int64_t>(counts.size()), [&](int, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++counts[static_cast<size_t>(i)];
    });
    pool.leave_turn();
    for (const auto& count : counts) ASSERT_EQ(count.load(), 1);
  }
}

}  // namespace
}  // namespace narae
