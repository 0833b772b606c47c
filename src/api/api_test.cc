// SPDX-License-Identifier: Apache-2.0
// The C ABI as a caller meets it: lifetimes in any order, struct sizes, statuses and messages.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/engine_file.h"
#include "engine/runtime.h"
#include "graph/text.h"
#include "narae/narae.h"

namespace {

const char* network = R"(graph "net" {
  symbol N 1 64
  input %0 "x" f32[N,16]
  const %1 f32[16,8] normal 1
  %2 f32[N,8] = matmul(%0, %1)
  %3 f32[N,8] = relu(%2)
  output %3 "y"
  metadata "author" "nobody"
})";

// An engine file of the network above.
struct ApiTest : testing::Test {
  ApiTest() {
    narae::Runtime own{narae::RuntimeOptions{}};
    narae::Profile profile;
    profile.symbols["N"] = {1, 2, 8};
    narae::Engine engine(narae::parse_graph(network, own.ops()), profile);
    narae::save_engine(engine, *own.device(), path);
    EXPECT_EQ(narae_runtime_create(nullptr, &runtime, nullptr), NARAE_OK);
  }
  ~ApiTest() override {
    narae_session_free(session);
    narae_engine_free(engine);
    narae_runtime_free(runtime);
    std::filesystem::remove(path);
  }
  void open() {
    ASSERT_EQ(narae_engine_load(runtime, path.c_str(), &engine, nullptr), NARAE_OK);
    ASSERT_EQ(narae_session_create(engine, nullptr, &session, nullptr), NARAE_OK);
  }
  narae_status bind(const std::vector<int64_t>& dims, narae_dtype dtype = NARAE_F32, narae_error** error = nullptr) {
    narae_tensor tensor = NARAE_TENSOR_INIT;
    tensor.data = data.data();
    tensor.dims = dims.data();
    tensor.rank = static_cast<int32_t>(dims.size());
    tensor.dtype = dtype;
    return narae_session_bind(session, 0, &tensor, error);
  }
  std::string path =
      (std::filesystem::temp_directory_path() / ("narae-api-" + std::to_string(::getpid()) + ".narae")).string();
  std::vector<float> data = std::vector<float>(16 * 64, 0.5f);
  narae_runtime* runtime = nullptr;
  narae_engine* engine = nullptr;
  narae_session* session = nullptr;
};

TEST_F(ApiTest, RunsAfterItsParentsAreFreed) {
  open();
  narae_engine_free(engine);
  narae_runtime_free(runtime);
  engine = nullptr;
  runtime = nullptr;
  for (const int64_t n : {2, 3, 2}) {
    ASSERT_EQ(bind({n, 16}), NARAE_OK);
    ASSERT_EQ(narae_session_run(session, nullptr), NARAE_OK);
    narae_tensor y = NARAE_TENSOR_INIT;
    ASSERT_EQ(narae_session_output(session, 0, &y, nullptr), NARAE_OK);
    EXPECT_EQ(std::vector<int64_t>(y.dims, y.dims + y.rank), (std::vector<int64_t>{n, 8}));
    EXPECT_EQ(y.dtype, NARAE_F32);
    for (int64_t i = 8; i < n * 8; ++i)
      EXPECT_EQ(static_cast<const float*>(y.data)[i], static_cast<const float*>(y.data)[i - 8]);
  }
  narae_session_stats stats = NARAE_SESSION_STATS_INIT;
  ASSERT_EQ(narae_session_get_stats(session, &stats, nullptr), NARAE_OK);
  EXPECT_EQ(stats.runs, 3u);
  EXPECT_GE(stats.arena_bytes, stats.arena_lower_bound_bytes);
}

TEST_F(ApiTest, TellsWhatItKnows) {
  open();
  ASSERT_EQ(narae_engine_input_count(engine), 1u);
  ASSERT_EQ(narae_engine_output_count(engine), 1u);
  narae_value_info info = NARAE_VALUE_INFO_INIT;
  ASSERT_EQ(narae_engine_input(engine, 0, &info, nullptr), NARAE_OK);
  EXPECT_STREQ(info.name, "x");
  ASSERT_EQ(info.rank, 2);
  EXPECT_EQ(info.dims[0], -1);
  EXPECT_STREQ(info.symbols[0], "N");
  EXPECT_EQ(info.dims[1], 16);
  EXPECT_EQ(info.symbols[1], nullptr);
  EXPECT_STREQ(narae_engine_metadata(engine, "author"), "nobody");
  EXPECT_EQ(narae_engine_metadata(engine, "title"), nullptr);
  EXPECT_EQ(narae_engine_input(engine, 1, &info, nullptr), NARAE_USAGE);
  // An older caller's struct is filled as far as it goes.
  narae_engine_stats stats = NARAE_ENGINE_STATS_INIT;
  stats.struct_size = offsetof(narae_engine_stats, weights_bytes);
  stats.weights_bytes = 77;
  ASSERT_EQ(narae_engine_get_stats(engine, &stats, nullptr), NARAE_OK);
  EXPECT_GT(stats.load_ms, 0);
  EXPECT_EQ(stats.weights_bytes, 77u);
  stats.struct_size = sizeof stats;
  ASSERT_EQ(narae_engine_get_stats(engine, &stats, nullptr), NARAE_OK);
  EXPECT_GE(stats.weights_bytes, 16u * 8 * 4);  // packing may pad
}

TEST_F(ApiTest, ErrorsNameTheCulprit) {
  open();
  narae_error* error = nullptr;
  EXPECT_EQ(narae_session_run(session, &error), NARAE_USAGE);
  EXPECT_NE(std::string(narae_error_text(error)).find("\"x\" is not bound"), std::string::npos);
  narae_error_free(error);
  EXPECT_EQ(bind({2, 15}), NARAE_DOES_NOT_FIT);
  EXPECT_EQ(bind({2}), NARAE_DOES_NOT_FIT);
  EXPECT_EQ(bind({2, 16}, NARAE_I32), NARAE_DOES_NOT_FIT);
  EXPECT_EQ(bind({2, 16}, static_cast<narae_dtype>(99)), NARAE_USAGE);
  ASSERT_EQ(bind({9, 16}), NARAE_OK);
  EXPECT_EQ(narae_session_run(session, &error), NARAE_DOES_NOT_FIT);
  EXPECT_EQ(narae_error_status(error), NARAE_DOES_NOT_FIT);
  EXPECT_NE(std::string(narae_error_message(error)).find("N = 9"), std::string::npos);
  narae_error_free(error);
  narae_tensor y = NARAE_TENSOR_INIT;
  EXPECT_EQ(narae_session_output(session, 0, &y, nullptr), NARAE_USAGE);
  narae_engine* none = nullptr;
  EXPECT_EQ(narae_engine_load(runtime, "/nonexistent.narae", &none, nullptr), NARAE_BAD_FILE);
  EXPECT_EQ(narae_engine_load(nullptr, path.c_str(), &none, nullptr), NARAE_USAGE);
  EXPECT_EQ(none, nullptr);
  narae_runtime_options options = NARAE_RUNTIME_OPTIONS_INIT;
  options.device = "abacus";
  narae_runtime* nothing = nullptr;
  EXPECT_EQ(narae_runtime_create(&options, &nothing, nullptr), NARAE_USAGE);
  options = NARAE_RUNTIME_OPTIONS_INIT;
  options.struct_size = 0;
  EXPECT_EQ(narae_runtime_create(&options, &nothing, nullptr), NARAE_USAGE);
}

TEST_F(ApiTest, MemoryLimitHoldsForWeightsAndArena) {
  narae_runtime_free(runtime);
  runtime = nullptr;
  narae_runtime_options options = NARAE_RUNTIME_OPTIONS_INIT;
  options.memory_limit_bytes = 100;
  ASSERT_EQ(narae_runtime_create(&options, &runtime, nullptr), NARAE_OK);
  narae_error* error = nullptr;
  EXPECT_EQ(narae_engine_load(runtime, path.c_str(), &engine, &error), NARAE_DOES_NOT_FIT);
  EXPECT_NE(std::string(narae_error_text(error)).find("memory limit of 100"), std::string::npos);
  narae_error_free(error);
  EXPECT_EQ(engine, nullptr);
}

TEST_F(ApiTest, CallbackCancelsABuild) {
  narae_build_options options = NARAE_BUILD_OPTIONS_INIT;
  options.min_shapes = "x:1x16";
  EXPECT_EQ(narae_engine_build(runtime, path.c_str(), &options, &engine, nullptr), NARAE_USAGE);  // an engine file
  options = NARAE_BUILD_OPTIONS_INIT;
  options.progress = [](void*, const char*, int64_t, int64_t) { return 1; };
  narae_error* error = nullptr;
  EXPECT_EQ(narae_engine_build(runtime, path.c_str(), &options, &engine, &error), NARAE_CANCELLED);
  EXPECT_NE(std::string(narae_error_text(error)).find("cancelled"), std::string::npos);
  narae_error_free(error);
}

TEST(ApiNames, AreThere) {
  EXPECT_EQ(narae_api_version(), static_cast<uint32_t>(NARAE_API_VERSION));
  EXPECT_STREQ(narae_dtype_name(NARAE_BF16), "bf16");
  EXPECT_EQ(narae_dtype_size(NARAE_I64), 8u);
  EXPECT_EQ(narae_dtype_name(static_cast<narae_dtype>(0)), nullptr);
  EXPECT_EQ(narae_dtype_size(static_cast<narae_dtype>(77)), 0u);
  EXPECT_STREQ(narae_status_name(NARAE_CANCELLED), "cancelled");
  EXPECT_EQ(narae_error_context(nullptr, 0), nullptr);
  narae_error_free(nullptr);
  narae_runtime_free(nullptr);
  narae_engine_free(nullptr);
  narae_session_free(nullptr);
  narae_session_cancel(nullptr);
}

}  // namespace
