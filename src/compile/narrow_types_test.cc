// SPDX-License-Identifier: Apache-2.0
// --precision: what is stored in 16 bits, what is not, and that the numbers stay near.
#include <gtest/gtest.h>

#include <cmath>

#include "compile/pass_driver.h"
#include "graph/text.h"
#include "ops/fused.h"
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
  // Relative L2.
  static double difference(const Tensor& got, const Tensor& want) {
    double difference = 0, size = 0;
    for (int64_t i = 0; i < want.count(); ++i) {
      const double a = got.as<float>()[i], b = want.as<float>()[i];
      difference += (a - b) * (a - b), size += b * b;
    }
    return std::sqrt(difference / size);
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
  const double error = difference(got[0], want[0]);
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

// A layer of a language model: queries turn, keys and values go to states of the narrow type, the residual joins its
// norm, and the last product stays as exact as its sums.
const char* decoder = R"(graph "decoder" {
  symbol T 1 64
  symbol places 1 64
  input %x "x" f32[T,16]
  input %p "positions" i32[T]
  input %l "places" i32[T]
  input %r "row_starts" i32[2]
  input %n "lengths" i32[1]
  input %g "page_tables" i32[1,2]
  state %k "k" TYPE[places,1,8]
  state %v "v" TYPE[places,1,8]
  const %f f32[4] normal 9
  const %wq f32[16,16] normal 1
  const %wk f32[8,16] normal 2
  const %wv f32[8,16] normal 3
  const %wo f32[16,16] normal 4
  const %s f32[16] normal 5
  const %wl f32[32,16] normal 6
  const %wg f32[24,16] normal 7
  const %wu f32[24,16] normal 8
  const %wd f32[16,24] normal 10
  %1 f32[T,16] = matmul(%x, %wq) {transpose_a=false, transpose_b=true} from "q"
  %2 f32[T,8] = matmul(%x, %wk) {transpose_a=false, transpose_b=true} from "k"
  %3 f32[T,8] = matmul(%x, %wv) {transpose_a=false, transpose_b=true} from "v"
  %4 f32[T,2,8] = reshape(%1) {shape=[T,2,8]} from "q"
  %5 f32[T,1,8] = reshape(%2) {shape=[T,1,8]} from "k"
  %6 f32[T,1,8] = reshape(%3) {shape=[T,1,8]} from "v"
  %7 f32[T,2,8] = rope(%4, %p, %f) {interleaved=false, scale=1} from "attention"
  %8 f32[T,1,8] = rope(%5, %p, %f) {interleaved=false, scale=1} from "attention"
  %9 TYPE[places,1,8] = kv_write(%k, %8, %l) from "attention"
  %10 TYPE[places,1,8] = kv_write(%v, %6, %l) from "attention"
  %11 f32[T,2,8] = paged_attention(%7, %9, %10, %r, %n, %g) {scale=0.35, page_size=4, window=0} from "attention"
  %12 f32[T,16] = reshape(%11) {shape=[T,16]} from "out"
  %13 f32[T,16] = matmul(%12, %wo) {transpose_a=false, transpose_b=true} from "out"
  %14 f32[T,16] = add(%x, %13) from "residual"
  %15 f32[T,16] = rms_norm(%14, %s) {axis=1, epsilon=1e-5} from "norm"
  %20 f32[T,24] = matmul(%15, %wg) {transpose_a=false, transpose_b=true} from "gate"
  %21 f32[T,24] = silu(%20) from "gate"
  %22 f32[T,24] = matmul(%15, %wu) {transpose_a=false, transpose_b=true} from "up"
  %23 f32[T,24] = mul(%21, %22) from "open"
  %24 f32[T,16] = matmul(%23, %wd) {transpose_a=false, transpose_b=true} from "down"
  %16 f32[T,16] = add(%14, %24) from "join"
  %17 f32[T,32] = matmul(%16, %wl) {transpose_a=false, transpose_b=true} from "logits"
  output %17 "logits"
})";

TEST_P(NarrowTypes, ADecoderIsNarrowBetweenItsProducts) {
  const bool half = std::string(GetParam()) == "fp16";
  if (!half && std::string(GetParam()) != "bf16") return;
  const DType type = half ? DType::f16 : DType::bf16;
  std::string text = decoder;
  for (size_t at; (at = text.find("TYPE")) != std::string::npos;) text.replace(at, 4, dtype_name(type));
  const auto graph = parse_graph(text, ops_);
  const auto narrow = narrowed(*graph);
  narrow->verify();
  int attentions = 0, bodies = 0, several = 0, gated = 0;
  for (const Node* node = narrow->first(); node; node = node->next()) {
    EXPECT_FALSE(node->is("rope") || node->is("kv_write")) << node->label();
    if (node->is("paged_attention")) {
      ++attentions;
      EXPECT_EQ(node->input(0)->dtype(), type);
      EXPECT_EQ(node->output()->dtype(), type);
    }
    if (!node->is("fused")) continue;
    const std::string& kind = node->attributes<FusedAttributes>().kind;
    several += kind == "horizontal", gated += kind == "swiglu";
    if (kind == "rope_kv") ++bodies;
    if (kind != "rope_kv" && kind != "horizontal" && kind != "swiglu") continue;
    EXPECT_EQ(node->input(kind == "rope_kv" ? 0 : 1)->dtype(), type) << kind;
    for (const Value* value : node->outputs()) EXPECT_EQ(value->dtype(), type);
  }
  EXPECT_EQ(attentions, 1);
  EXPECT_EQ(bodies, 1);
  EXPECT_EQ(several, 1);  // q, k and v
  EXPECT_EQ(gated, 1);
  const Node* last = narrow->outputs()[0]->producer();
  ASSERT_TRUE(last->is("fused"));
  EXPECT_EQ(last->input(0)->dtype(), type);
  EXPECT_EQ(last->output()->dtype(), DType::f32);
}

const char* encoder = R"(graph "encoder" {
  symbol N 1 4
  symbol S 1 64
  input %x "x" f32[N,S,8]
  input %m "m" f32[N,1,1,S]
  const %wq f32[8,8] normal 1
  const %wk f32[8,8] normal 2
  const %wv f32[8,8] normal 3
  const %s f32[] {0.5}
  %1 f32[N,S,8] = matmul(%x, %wq) {transpose_a=false, transpose_b=false} from "q"
  %2 f32[N,S,8] = matmul(%x, %wk) {transpose_a=false, transpose_b=false} from "k"
  %3 f32[N,S,8] = matmul(%x, %wv) {transpose_a=false, transpose_b=false} from "v"
  %4 f32[N,S,2,4] = reshape(%1) {shape=[N,S,2,4]} from "q"
  %5 f32[N,S,2,4] = reshape(%2) {shape=[N,S,2,4]} from "k"
  %6 f32[N,S,2,4] = reshape(%3) {shape=[N,S,2,4]} from "v"
  %7 f32[N,2,S,4] = transpose(%4) {perm=[0,2,1,3]} from "q"
  %8 f32[N,2,4,S] = transpose(%5) {perm=[0,2,3,1]} from "k"
  %9 f32[N,2,S,4] = transpose(%6) {perm=[0,2,1,3]} from "v"
  %10 f32[N,2,S,S] = matmul(%7, %8) {transpose_a=false, transpose_b=false} from "scores"
  %11 f32[N,2,S,S] = mul(%10, %s) from "scale"
  %12 f32[N,2,S,S] = add(%11, %m) from "mask"
  %13 f32[N,2,S,S] = softmax(%12) {axis=3} from "softmax"
  %14 f32[N,2,S,4] = matmul(%13, %9) {transpose_a=false, transpose_b=false} from "mix"
  %15 f32[N,S,2,4] = transpose(%14) {perm=[0,2,1,3]} from "mix"
  %16 f32[N,S,8] = reshape(%15) {shape=[N,S,8]} from "mix"
  %17 f32[N,S,8] = matmul(%16, %wq) {transpose_a=false, transpose_b=false} from "out"
  output %17 "y"
})";

// One body whose operands and result are narrow, whatever lies inside.
TEST_P(NarrowTypes, AnEncodersAttentionIsOneBody) {
  const std::string precision = GetParam();
  const DType type = precision == "fp16" ? DType::f16 : precision == "bf16" ? DType::bf16 : DType::f32;
  const auto graph = parse_graph(encoder, ops_);
  const auto narrow = narrowed(*graph);
  narrow->verify();
  int attentions = 0;
  for (const Node* node = narrow->first(); node; node = node->next()) {
    EXPECT_FALSE(node->is("softmax")) << "outside of a body";
    if (!node->is("fused") || node->attributes<FusedAttributes>().kind != "attention") continue;
    ++attentions;
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(node->input(i)->dtype(), type);
    EXPECT_EQ(node->output()->dtype(), type);
  }
  EXPECT_EQ(attentions, 1);
  Tensor x = Tensor::allocate(DType::f32, {2, 5, 8}), m = Tensor::allocate(DType::f32, {2, 1, 1, 5});
  fill_normal(x, 7), fill_normal(m, 8);
  const std::vector<Tensor> want = interpret(*graph, {x, m}), got = interpret(*narrow, {x, m});
  EXPECT_LE(difference(got[0], want[0]), type == DType::f32 ? 1e-5 : type == DType::f16 ? 1e-2 : 5e-2);
}

INSTANTIATE_TEST_SUITE_P(Precisions, NarrowTypes, testing::Values("fp16", "bf16", "tf32", ""),
                         [](const auto& info) { return *info.param ? info.param : "fp32"; });

}  // namespace
}  // namespace narae
