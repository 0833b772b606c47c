// SPDX-License-Identifier: Apache-2.0
// Compiled graphs whose weights are blocks: no f32 copy of them is kept where a kernel reads blocks, results agree with
// f32 rows, rows do not see each other, and where no kernel does the engine still runs, on decoded weights.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "base/error.h"
#include "compile/compiler.h"
#include "engine/session.h"
#include "graph/builder.h"
#include "kernels/cpu/cpu_features.h"
#include "ops/dequantize_blocks.h"
#include "ops/gather.h"
#include "ops/interpret.h"
#include "ops/matmul.h"
#include "tensor/formats.h"

namespace narae {
namespace {

constexpr int64_t width = 256, hidden = 320, words = 500;

Tensor random_blocks(BlockFormat format, int64_t n, int64_t k, uint32_t seed) {
  const BlockFormatInfo& info = block_format_info(format);
  std::mt19937 engine(seed);
  Tensor tensor = Tensor::allocate(DType::u8, {n, k / info.values * info.bytes});
  for (int64_t i = 0; i < tensor.count(); ++i) tensor.as<uint8_t>()[i] = static_cast<uint8_t>(engine());
  for (int64_t i = 0; i < tensor.count(); i += info.bytes) {
    const uint16_t scale = static_cast<uint16_t>(0x2000 | engine() % 1024), min = scale | 0x8000;
    std::memcpy(tensor.as<uint8_t>() + i, &scale, 2);
    if (format == BlockFormat::q4_1) std::memcpy(tensor.as<uint8_t>() + i + 2, &min, 2);
  }
  return tensor;
}

// Rows of a table, a gated layer with a residual, and a product with the table itself.
std::unique_ptr<Graph> make_graph(const OpTable& ops) {
  auto graph = std::make_unique<Graph>(ops);
  Builder b(*graph);
  const Dim count = graph->new_symbol("T", 1, 64);
  Value* ids = graph->add_input("ids", DType::i32, {count});
  Value* table = graph->add_constant(random_blocks(BlockFormat::q8_0, words, width, 1), "table");
  const auto decoded = [&](Value* blocks, const char* format) {
    return b.op("dequantize_blocks", {blocks}, DequantizeBlocksAttributes{format});
  };
  const auto linear = [&](Value* x, BlockFormat format, int64_t n, uint32_t seed) {
    Value* blocks = graph->add_constant(random_blocks(format, n, x->shape().back().value(), seed));
    return b.op("matmul", {x, decoded(blocks, block_format_info(format).name)}, MatmulAttributes{false, true});
  };
  Value* x = decoded(b.op("gather", {table, ids}, GatherAttributes{0}), "q8_0");
  Value* gate = b.op("silu", {linear(x, BlockFormat::q4_1, hidden, 2)});
  Value* up = linear(x, BlockFormat::q4_1, hidden, 3);
  Value* down = linear(b.op("mul", {gate, up}), BlockFormat::q4_0, width, 4);
  x = b.op("add", {down, x});
  graph->add_output(b.op("matmul", {x, decoded(table, "q8_0")}, MatmulAttributes{false, true}), "logits");
  return graph;
}

Tensor ids_of(std::vector<int32_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return Tensor::of<int32_t>(DType::i32, {count}, values);
}

struct Outcome {
  Tensor logits;
  int64_t weights = 0;
};
Outcome run(Runtime& runtime, const std::vector<int32_t>& ids) {
  std::shared_ptr<Engine> engine = compile(make_graph(runtime.ops()), runtime, {});
  Session session(engine, runtime.device());
  return {Tensor::copy_of(session.run({ids_of(ids)})[0]), engine->weights().bytes()};
}

double relative_l2(const Tensor& got, const Tensor& wanted) {
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < wanted.count(); ++i) {
    const double d = static_cast<double>(got.as<float>()[i]) - static_cast<double>(wanted.as<float>()[i]);
    difference += d * d;
    norm += static_cast<double>(wanted.as<float>()[i]) * static_cast<double>(wanted.as<float>()[i]);
  }
  return std::sqrt(difference / norm);
}

class BlockWeights : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() != "fake" && !cpu::supports_isa(cpu::detect_cpu_features(), GetParam()))
      GTEST_SKIP() << "hardware: this machine has no " << GetParam();
  }
  static RuntimeOptions options(const std::string& activations) {
    RuntimeOptions options;
    options.device = GetParam() == "fake" ? "fake" : "cpu";
    if (GetParam() != "fake") options.isa = GetParam();
    options.activations = activations;
    return options;
  }
  bool reads_blocks() const { return GetParam() != "portable"; }
};

TEST_P(BlockWeights, no_copy_in_f32) {
  Runtime int8(options("int8")), fp32(options("fp32"));
  const std::vector<int32_t> ids{3, 499, 0, 77, 5, 6, 7};
  const Tensor wanted = interpret(*make_graph(int8.ops()), {ids_of(ids)})[0];
  const Outcome bytes = run(int8, ids), floats = run(fp32, ids);
  EXPECT_LT(relative_l2(floats.logits, wanted), 1e-5);
  EXPECT_LT(relative_l2(bytes.logits, wanted), 1e-2);
  // The blocks: the table twice (rows are looked up in the file's form), 5 bits and 4.5 bits.
  const int64_t table = words * width, layer = hidden * width;
  const int64_t packed = 2 * table * 9 / 8 + 2 * layer * 5 / 8 + layer * 9 / 16;
  if (reads_blocks()) {
    EXPECT_LT(bytes.weights, packed * 11 / 10);
    EXPECT_LT(floats.weights, packed * 11 / 10);
  } else {
    EXPECT_GT(bytes.weights, 4 * table);
  }
}

TEST_P(BlockWeights, rows_do_not_see_each_other) {
  if (!reads_blocks()) return;  // products in f32 choose their tiles by the number of rows
  Runtime runtime(options("int8"));
  std::vector<int32_t> ids;
  for (int i = 0; i < 40; ++i) ids.push_back(i * 37 % static_cast<int>(words));
  std::shared_ptr<Engine> engine = compile(make_graph(runtime.ops()), runtime, {});
  Session session(engine, runtime.device());
  const Tensor all = Tensor::copy_of(session.run({ids_of(ids)})[0]);
  for (const size_t count : {1, 3, 8, 17}) {
    const std::vector<int32_t> some(ids.begin() + 2, ids.begin() + 2 + static_cast<ptrdiff_t>(count));
    const Tensor got = session.run({ids_of(some)})[0];
    EXPECT_EQ(std::memcmp(got.data, all.as<float>() + 2 * words, got.bytes()), 0) << count;
  }
}

TEST(Activations, unknown_activations_are_refused) {
  RuntimeOptions options;
  options.activations = "int4";
  EXPECT_THROW(Runtime{options}, Error);
}

std::vector<std::string> devices() {
  std::vector<std::string> names = cpu::known_isas();
  names.emplace_back("fake");
  return names;
}

INSTANTIATE_TEST_SUITE_P(, BlockWeights, testing::ValuesIn(devices()), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace narae
