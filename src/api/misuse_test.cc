// SPDX-License-Identifier: Apache-2.0
// The C ABI in wrong hands: NULL handles, structs that were never set, numbers out of range, buffers that do not fit.
// Each call says what is wrong and leaves everything as it was.
#include <gtest/gtest.h>
#include <unistd.h>

#include <climits>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "api/handles.h"
#include "engine/engine_file.h"
#include "engine/runtime.h"
#include "graph/text.h"
#include "narae/narae.h"

namespace {

const char* network = R"(graph "sum" {
  symbol N 0 64
  input %0 "x" f32[N,2]
  input %1 "y" f32[N,2]
  input %2 "counts" i64[2]
  %3 f32[N,2] = add(%0, %1)
  output %3 "z"
  output %2 "same"
})";

struct MisuseTest : testing::Test {
  MisuseTest() {
    narae::Runtime own{narae::RuntimeOptions{}};
    narae::save_engine(narae::Engine(narae::parse_graph(network, own.ops()), {}), *own.device(), path);
    EXPECT_EQ(narae_runtime_create(nullptr, &runtime, nullptr), NARAE_OK);
    EXPECT_EQ(narae_engine_load(runtime, path.c_str(), &engine, nullptr), NARAE_OK);
    EXPECT_EQ(narae_session_create(engine, nullptr, &session, nullptr), NARAE_OK);
  }
  ~MisuseTest() override {
    narae_session_free(session);
    narae_engine_free(engine);
    narae_runtime_free(runtime);
    std::filesystem::remove(path);
  }
  // Expects `status` and a message that holds `part`.
  void refused(narae_status got, narae_status status, const char* part) {
    EXPECT_EQ(got, status) << part;
    ASSERT_NE(error, nullptr) << part;
    EXPECT_EQ(narae_error_status(error), status);
    EXPECT_NE(std::string(narae_error_text(error)).find(part), std::string::npos) << narae_error_text(error);
    narae_error_free(error);
    error = nullptr;
  }
  narae_status bind(size_t index, const void* data, std::vector<int64_t> dims, int dtype = NARAE_F32) {
    narae_tensor tensor = NARAE_TENSOR_INIT;
    tensor.data = data;
    tensor.dims = dims.data();
    tensor.rank = static_cast<int32_t>(dims.size());
    tensor.dtype = static_cast<narae_dtype>(dtype);
    return narae_session_bind(session, index, &tensor, &error);
  }
  std::string path =
      (std::filesystem::temp_directory_path() / ("narae-misuse-" + std::to_string(::getpid()) + ".narae")).string();
  alignas(64) float data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  int64_t counts[2] = {7, 9};
  narae_error* error = nullptr;
  narae_runtime* runtime = nullptr;
  narae_engine* engine = nullptr;
  narae_session* session = nullptr;
};

TEST_F(MisuseTest, NullIsNamed) {
  narae_value_info info = NARAE_VALUE_INFO_INIT;
  narae_tensor tensor = NARAE_TENSOR_INIT;
  narae_engine_stats engine_stats = NARAE_ENGINE_STATS_INIT;
  narae_session_stats session_stats = NARAE_SESSION_STATS_INIT;
  narae_engine* none = nullptr;
  narae_session* nothing = nullptr;
  refused(narae_runtime_create(nullptr, nullptr, &error), NARAE_USAGE, "runtime is NULL");
  refused(narae_engine_build(nullptr, path.c_str(), nullptr, &none, &error), NARAE_USAGE, "runtime is NULL");
  refused(narae_engine_build(runtime, nullptr, nullptr, &none, &error), NARAE_USAGE, "path is NULL");
  refused(narae_engine_build(runtime, path.c_str(), nullptr, nullptr, &error), NARAE_USAGE, "engine is NULL");
  refused(narae_engine_load(nullptr, path.c_str(), &none, &error), NARAE_USAGE, "runtime is NULL");
  refused(narae_engine_load(runtime, nullptr, &none, &error), NARAE_USAGE, "path is NULL");
  refused(narae_engine_load(runtime, path.c_str(), nullptr, &error), NARAE_USAGE, "engine is NULL");
  refused(narae_engine_save(nullptr, path.c_str(), &error), NARAE_USAGE, "engine is NULL");
  refused(narae_engine_save(engine, nullptr, &error), NARAE_USAGE, "path is NULL");
  refused(narae_engine_input(nullptr, 0, &info, &error), NARAE_USAGE, "engine is NULL");
  refused(narae_engine_output(engine, 0, nullptr, &error), NARAE_USAGE, "NULL");
  refused(narae_engine_get_stats(nullptr, &engine_stats, &error), NARAE_USAGE, "engine is NULL");
  refused(narae_engine_get_stats(engine, nullptr, &error), NARAE_USAGE, "NULL");
  refused(narae_session_create(nullptr, nullptr, &nothing, &error), NARAE_USAGE, "engine is NULL");
  refused(narae_session_create(engine, nullptr, nullptr, &error), NARAE_USAGE, "session is NULL");
  refused(narae_session_bind(nullptr, 0, &tensor, &error), NARAE_USAGE, "session is NULL");
  refused(narae_session_bind(session, 0, nullptr, &error), NARAE_USAGE, "tensor is NULL");
  refused(narae_session_run(nullptr, &error), NARAE_USAGE, "session is NULL");
  refused(narae_session_output(nullptr, 0, &tensor, &error), NARAE_USAGE, "session is NULL");
  refused(narae_session_get_stats(nullptr, &session_stats, &error), NARAE_USAGE, "session is NULL");
  refused(narae_session_get_stats(session, nullptr, &error), NARAE_USAGE, "NULL");
  EXPECT_EQ(none, nullptr);
  EXPECT_EQ(nothing, nullptr);
  EXPECT_EQ(narae_engine_input_count(nullptr), 0u);
  EXPECT_EQ(narae_engine_output_count(nullptr), 0u);
  EXPECT_EQ(narae_engine_metadata(nullptr, "author"), nullptr);
  EXPECT_EQ(narae_engine_metadata(engine, nullptr), nullptr);
  EXPECT_EQ(narae_error_status(nullptr), NARAE_OK);
  EXPECT_STREQ(narae_error_text(nullptr), "");
}

TEST_F(MisuseTest, StructsThatWereNeverSet) {
  narae_runtime_options options;
  std::memset(&options, 0, sizeof options);
  narae_runtime* nothing = nullptr;
  refused(narae_runtime_create(&options, &nothing, &error), NARAE_USAGE, "struct_size");
  narae_build_options build;
  std::memset(&build, 0, sizeof build);
  narae_engine* none = nullptr;
  refused(narae_engine_build(runtime, path.c_str(), &build, &none, &error), NARAE_USAGE, "struct_size");
  narae_tensor tensor;
  std::memset(&tensor, 0, sizeof tensor);
  refused(narae_session_bind(session, 0, &tensor, &error), NARAE_USAGE, "struct_size");
  refused(narae_session_output(session, 0, &tensor, &error), NARAE_USAGE, "no outputs");
  narae_value_info info;
  std::memset(&info, 0, sizeof info);
  refused(narae_engine_input(engine, 0, &info, &error), NARAE_USAGE, "struct_size");
  EXPECT_EQ(nothing, nullptr);
  EXPECT_EQ(none, nullptr);
}

// A caller built before a field was there does not set it: what lies behind its struct is not read.
TEST_F(MisuseTest, FieldsBehindTheCallersStructKeepTheirDefault) {
  narae_runtime_options options = NARAE_RUNTIME_OPTIONS_INIT;
  options.activations = "nonsense";
  narae_runtime* made = nullptr;
  refused(narae_runtime_create(&options, &made, &error), NARAE_USAGE, "nonsense");
  EXPECT_EQ(made, nullptr);
  options.struct_size = offsetof(narae_runtime_options, activations);
  ASSERT_EQ(narae_runtime_create(&options, &made, &error), NARAE_OK);
  EXPECT_EQ(made->runtime->device()->target().int8_activations, runtime->runtime->device()->target().int8_activations);
  narae_runtime_free(made);
  options = NARAE_RUNTIME_OPTIONS_INIT;
  options.activations = "fp32";
  ASSERT_EQ(narae_runtime_create(&options, &made, &error), NARAE_OK);
  EXPECT_FALSE(made->runtime->device()->target().int8_activations);
  narae_runtime_free(made);
}

TEST_F(MisuseTest, OptionsOutOfRange) {
  const auto create = [&](auto change) {
    narae_runtime_options options = NARAE_RUNTIME_OPTIONS_INIT;
    change(options);
    narae_runtime* made = nullptr;
    const narae_status status = narae_runtime_create(&options, &made, &error);
    EXPECT_EQ(made, nullptr);
    return status;
  };
  refused(create([](auto& o) { o.threads = -1; }), NARAE_USAGE, "-1 threads");
  refused(create([](auto& o) { o.threads = INT32_MAX; }), NARAE_USAGE, "2147483647 threads");
  refused(create([](auto& o) { o.core_sets = 0; }), NARAE_USAGE, "0 core sets");
  refused(create([](auto& o) { o.core_sets = INT32_MAX; }), NARAE_USAGE, "2147483647 core sets");
  refused(create([](auto& o) { o.memory_limit_bytes = UINT64_MAX; }), NARAE_USAGE, "18446744073709551615");
  refused(create([](auto& o) { o.device = ""; }), NARAE_USAGE, "\"\"");
  refused(create([](auto& o) { o.isa = "z80"; }), NARAE_USAGE, "z80");
  refused(create([](auto& o) { o.cache_dir = "/dev/null/cache"; }), NARAE_FAILED, "/dev/null/cache");
  const auto build = [&](auto change) {
    narae_build_options options = NARAE_BUILD_OPTIONS_INIT;
    change(options);
    narae_engine* made = nullptr;
    const narae_status status = narae_engine_build(runtime, path.c_str(), &options, &made, &error);
    EXPECT_EQ(made, nullptr);
    return status;
  };
  refused(build([](auto& o) { o.opt_level = 6; }), NARAE_USAGE, "opt_level 6");
  refused(build([](auto& o) { o.opt_level = -1; }), NARAE_USAGE, "opt_level -1");
  refused(build([](auto& o) { o.passes = "-sce"; }), NARAE_USAGE, "\"sce\"");
  refused(build([](auto& o) { o.min_shapes = "x=1"; }), NARAE_USAGE, "min_shapes");
  narae_session_options options = NARAE_SESSION_OPTIONS_INIT;
  narae_session* made = nullptr;
  for (const int set : {-1, 1, INT32_MAX}) {
    options.core_set = set;
    refused(narae_session_create(engine, &options, &made, &error), NARAE_USAGE, "no core set");
  }
  refused(narae_engine_save(engine, "", &error), NARAE_FAILED, "without a name");
  refused(narae_engine_save(engine, "/nonexistent/x.narae", &error), NARAE_FAILED, "/nonexistent/x.narae");
  refused(narae_engine_load(runtime, "/dev", &engine, &error), NARAE_BAD_FILE, "config.json");
  refused(narae_engine_load(runtime, "/dev/null", &engine, &error), NARAE_BAD_FILE, "regular file");
}

TEST_F(MisuseTest, BuffersThatDoNotFit) {
  refused(bind(3, data, {2, 2}), NARAE_USAGE, "no input 3");
  refused(bind(0, data, {2, 2}, NARAE_F64), NARAE_DOES_NOT_FIT, "\"x\" must be f32, not f64");
  for (const int dtype : {0, 14, -1, INT_MAX, INT_MIN}) refused(bind(0, data, {2, 2}, dtype), NARAE_USAGE, "no dtype");
  refused(bind(0, data, {2, 3}), NARAE_DOES_NOT_FIT, "[N,2], not [2,3]");
  refused(bind(0, data, {2}), NARAE_DOES_NOT_FIT, "[N,2], not [2]");
  refused(bind(0, data, {}), NARAE_DOES_NOT_FIT, "[N,2], not []");
  refused(bind(0, data, {-1, 2}), NARAE_DOES_NOT_FIT, "[-1,2]");
  refused(bind(0, data, {INT64_MAX, 2}), NARAE_DOES_NOT_FIT, "9223372036854775807");
  refused(bind(0, nullptr, {2, 2}), NARAE_USAGE, "\"x\" is NULL");
  refused(bind(0, reinterpret_cast<const char*>(data) + 2, {1, 2}), NARAE_USAGE,
          "not aligned to its type: f32 needs 4");
  refused(bind(2, reinterpret_cast<const char*>(counts) + 4, {2}, NARAE_I64), NARAE_USAGE, "i64 needs 8");
  narae_tensor tensor = NARAE_TENSOR_INIT;
  tensor.data = data;
  tensor.rank = -5;
  refused(narae_session_bind(session, 0, &tensor, &error), NARAE_DOES_NOT_FIT, "\"x\"");
  tensor.dims = counts;
  tensor.rank = INT32_MAX;
  refused(narae_session_bind(session, 0, &tensor, &error), NARAE_DOES_NOT_FIT, "rank 2147483647");
  tensor.dims = nullptr;
  tensor.rank = 2;
  refused(narae_session_bind(session, 0, &tensor, &error), NARAE_USAGE, "dims is NULL");
}

TEST_F(MisuseTest, AFailureChangesNothing) {
  ASSERT_EQ(bind(0, data, {2, 2}), NARAE_OK);
  refused(narae_session_run(session, &error), NARAE_USAGE, "input 1 \"y\" is not bound");
  ASSERT_EQ(bind(1, data + 4, {3, 2}), NARAE_OK);
  refused(narae_session_run(session, &error), NARAE_USAGE, "input 2 \"counts\" is not bound");
  ASSERT_EQ(bind(2, counts, {2}, NARAE_I64), NARAE_OK);
  refused(narae_session_run(session, &error), NARAE_DOES_NOT_FIT, "N is 3");
  ASSERT_EQ(bind(1, data + 4, {2, 2}), NARAE_OK);
  for (const bool broken : {false, true}) {  // refused bindings leave the good ones
    if (broken) {
      refused(bind(0, nullptr, {2, 2}), NARAE_USAGE, "NULL");
      refused(bind(0, reinterpret_cast<const char*>(data) + 1, {2, 2}), NARAE_USAGE, "aligned");
      refused(bind(0, data, {2, 2}, NARAE_I8), NARAE_DOES_NOT_FIT, "i8");
    }
    ASSERT_EQ(narae_session_run(session, &error), NARAE_OK);
    narae_tensor z = NARAE_TENSOR_INIT;
    ASSERT_EQ(narae_session_output(session, 0, &z, nullptr), NARAE_OK);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(static_cast<const float*>(z.data)[i], data[i] + data[i + 4]);
    ASSERT_EQ(narae_session_output(session, 1, &z, nullptr), NARAE_OK);
    EXPECT_EQ(static_cast<const int64_t*>(z.data)[1], 9);
    refused(narae_session_output(session, 2, &z, &error), NARAE_USAGE, "no output 2");
  }
  for (const size_t index : {0u, 1u}) ASSERT_EQ(bind(index, data, {65, 2}), NARAE_OK);
  refused(narae_session_run(session, &error), NARAE_DOES_NOT_FIT, "[0, 64]");
  narae_tensor z = NARAE_TENSOR_INIT;
  refused(narae_session_output(session, 0, &z, &error), NARAE_USAGE, "no outputs");
  for (const size_t index : {0u, 1u}) ASSERT_EQ(bind(index, nullptr, {0, 2}), NARAE_OK);  // nothing to read
  ASSERT_EQ(narae_session_run(session, &error), NARAE_OK);
  ASSERT_EQ(narae_session_output(session, 0, &z, nullptr), NARAE_OK);
  EXPECT_EQ(z.dims[0], 0);
}

}  // namespace
