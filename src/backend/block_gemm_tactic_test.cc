// SPDX-License-Identifier: Apache-2.0
// Bodies of products with weights in blocks: what the tactic makes of them against the references, with epilogues and
// with several products on one input, both with rows in 8 bits and in f32.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "backend/cpu/cpu_device.h"
#include "backend/run_choice_test.h"
#include "graph/builder.h"
#include "kernels/cpu/cpu_features.h"
#include "ops/dequantize_blocks.h"
#include "ops/fused.h"
#include "ops/interpret.h"
#include "ops/matmul.h"
#include "ops/op_case.h"
#include "tensor/formats.h"

namespace narae {
namespace {

// Random blocks whose scales are small numbers of either sign.
Tensor random_blocks(BlockFormat format, int64_t n, int64_t k, uint32_t seed) {
  const BlockFormatInfo& info = block_format_info(format);
  std::mt19937 engine(seed);
  Tensor tensor = Tensor::allocate(DType::u8, {n, k / info.values * info.bytes});
  for (int64_t i = 0; i < tensor.count(); ++i) tensor.as<uint8_t>()[i] = static_cast<uint8_t>(engine());
  const auto half = [&](uint8_t* at) {
    const auto bits = static_cast<uint16_t>((9 + engine() % 3) << 10 | engine() % 1024 | engine() % 2 << 15);
    std::memcpy(at, &bits, 2);
  };
  for (int64_t i = 0; i < tensor.count(); i += info.bytes) {
    half(tensor.as<uint8_t>() + i + (format == BlockFormat::q6_k ? info.bytes - 2 : 0));
    half(tensor.as<uint8_t>() + i + (format == BlockFormat::q6_k ? info.bytes - 2 : 2));
  }
  return tensor;
}

// One body of products [.., k] x [n, k] on one input.
class Body {
 public:
  Body(Dims rows, int64_t k) : graph_(std::make_unique<Graph>(case_ops())), body_(std::make_unique<Graph>(case_ops())) {
    rows.push_back(k);
    operands_.push_back(graph_->add_input("x", DType::f32, to_shape(rows)));
    x_ = body_->add_input("x", DType::f32, to_shape(rows));
  }
  Value* product(BlockFormat format, int64_t n) {
    const Tensor blocks = random_blocks(format, n, x_->shape().back().value(), static_cast<uint32_t>(n));
    operands_.push_back(graph_->add_constant(blocks));
    Value* stored = body_->add_input("w", DType::u8, to_shape(blocks.dims));
    Builder b(*body_);
    Value* w = b.op("dequantize_blocks", {stored}, DequantizeBlocksAttributes{block_format_info(format).name});
    return b.op("matmul", {x_, w}, MatmulAttributes{false, true});
  }
  Value* operand(const char* name, Shape shape) {
    operands_.push_back(graph_->add_input(name, DType::f32, shape));
    return body_->add_input(name, DType::f32, std::move(shape));
  }
  Builder builder() { return Builder(*body_); }
  void result(Value* value) { body_->add_output(value); }
  std::unique_ptr<Graph> finish() {
    const auto count = static_cast<int>(body_->outputs().size());
    Node* node = graph_->add_node(case_ops().get("fused"), make_attributes(FusedAttributes{"contraction"}), operands_,
                                  count, nullptr, std::move(body_));
    for (Value* value : node->outputs()) graph_->add_output(value);
    return std::move(graph_);
  }

 private:
  std::unique_ptr<Graph> graph_, body_;
  std::vector<Value*> operands_;
  Value* x_;
};

class BlockGemmTactic : public testing::TestWithParam<std::tuple<std::string, bool>> {
 protected:
  void SetUp() override {
    const auto& [isa, int8] = GetParam();
    if (!cpu::supports_isa(cpu::detect_cpu_features(), isa)) GTEST_SKIP() << "hardware: this machine has no " << isa;
    cpu::CpuOptions options;
    options.isa = isa, options.threads = 2, options.int8_activations = int8;
    device_ = std::make_unique<cpu::CpuDevice>(options);
  }
  void check(const std::unique_ptr<Graph>& graph) {
    graph->verify();
    const Node& node = *graph->first();
    std::vector<Tensor> inputs, operands;
    for (const Value* value : graph->inputs()) {
      inputs.push_back(Tensor::allocate(value->dtype(), static_dims(value->shape())));
      fill_normal(inputs.back(), inputs.size());
    }
    size_t at = 0;
    for (const Value* value : node.inputs()) operands.push_back(value->is_constant() ? value->tensor() : inputs[at++]);
    const std::vector<Tensor> wanted = interpret(*graph, inputs);
    const NodeDims dims = node_dims(node, {});
    std::vector<Choice> choices;
    for (const Tactic* tactic : device_->tactics()) {
      if (!tactic->is_reference()) tactic->propose(node, dims, device_->target(), choices);
    }
    ASSERT_EQ(choices.size(), 1u);
    EXPECT_EQ(choice_text(choices[0]).rfind(std::get<1>(GetParam()) ? "block_gemm/int8" : "block_gemm/fp32", 0), 0u);
    EXPECT_GT(choices[0].tactic->estimate(node, choices[0], dims, device_->target()), 0);
    const std::vector<Tensor> got = run_choice(*device_, node, choices[0], dims, operands, {});
    for (size_t i = 0; i < got.size(); ++i) {
      EXPECT_LE(relative_l2(got[i], wanted[i]), std::get<1>(GetParam()) ? 1e-2 : 1e-5) << "result " << i;
    }
  }
  std::unique_ptr<cpu::CpuDevice> device_;
};

TEST_P(BlockGemmTactic, products_of_every_format) {
  for (const BlockFormatInfo& info : block_formats) {
    if (info.format == BlockFormat::none) continue;
    for (const Dims& rows : {Dims{1}, Dims{2, 9}, Dims{70}}) {
      SCOPED_TRACE(info.name + dims_text(rows));
      Body body(rows, 512);
      body.result(body.product(info.format, 75));
      check(body.finish());
    }
  }
}

TEST_P(BlockGemmTactic, epilogues) {
  for (const Dims& rows : {Dims{1, 1}, Dims{3, 7}}) {
    Body body(rows, 96);
    Value* y = body.product(BlockFormat::q4_1, 300);
    Builder b = body.builder();
    y = b.op("add", {y, body.operand("bias", {300})});
    y = b.op("relu", {b.op("add", {y, body.operand("residual", y->shape())})});
    body.result(b.op("mul", {b.op("sigmoid", {y}), body.operand("gate", y->shape())}));
    check(body.finish());
  }
}

TEST_P(BlockGemmTactic, gated_units) {
  for (const Dims& rows : {Dims{1}, Dims{3, 7}, Dims{70}}) {
    SCOPED_TRACE(dims_text(rows));
    Body body(rows, 512);
    Value* gate = body.product(BlockFormat::q4_k, 300);
    Value* up = body.product(BlockFormat::q6_k, 300);
    Builder b = body.builder();
    body.result(b.op("mul", {b.op("silu", {gate}), up}));
    check(body.finish());
  }
}

TEST_P(BlockGemmTactic, several_products_on_one_input) {
  for (const int64_t rows : {1, 33}) {
    Body body({rows}, 256);
    Value* q = body.product(BlockFormat::q4_0, 96);
    Value* k = body.product(BlockFormat::q4_1, 33);
    Value* v = body.product(BlockFormat::q6_k, 40);
    Value* gate = body.product(BlockFormat::q4_0, 300);
    Builder b = body.builder();
    body.result(q);
    body.result(b.op("add", {k, body.operand("bias", {33})}));
    body.result(v);
    body.result(b.op("silu", {gate}));
    check(body.finish());
  }
}

INSTANTIATE_TEST_SUITE_P(, BlockGemmTactic,
                         testing::Combine(testing::Values("avx2", "avx512", "avx512_vnni"), testing::Bool()),
                         [](const auto& info) {
                           return std::get<0>(info.param) + (std::get<1>(info.param) ? "_int8" : "_fp32");
                         });

}  // namespace
}  // namespace narae
