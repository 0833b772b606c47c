// SPDX-License-Identifier: Apache-2.0
// Cases of data movement, pools and row ops at sizes where channel blocks, tails and aliases matter.
#include "backend/tactic_cases_test.h"
#include "graph/builder.h"
#include "ops/concat.h"
#include "ops/layer_norm.h"
#include "ops/pad.h"
#include "ops/pool.h"
#include "ops/reduce.h"
#include "ops/reshape.h"
#include "ops/resize.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/split.h"
#include "ops/transpose.h"

namespace narae {
namespace {

// One node on inputs of these shapes.
template <typename A>
TacticCase node_case(std::string name, const char* op, std::vector<Dims> inputs, A attributes, int outputs = 1,
                     DType dtype = DType::f32) {
  return {std::move(name), [=](const OpTable& ops) {
            auto graph = std::make_unique<Graph>(ops);
            Builder b(*graph);
            std::vector<Value*> operands;
            for (const Dims& dims : inputs) {
              operands.push_back(graph->add_input("x" + std::to_string(operands.size()), dtype, to_shape(dims)));
            }
            for (Value* value : b.node(op, operands, attributes, outputs)->outputs()) graph->add_output(value);
            return graph;
          }};
}

SliceAttributes cut(int64_t axis, int64_t first, int64_t last, int64_t step = 1) {
  return {{Dim(first)}, {Dim(last)}, {axis}, {step}};
}

void add_moves(std::vector<TacticCase>& cases) {
  for (const int64_t n : {1, 2}) {
    const std::string suffix = "_n" + std::to_string(n);
    cases.push_back(node_case("concat_channels" + suffix, "concat", {{n, 32, 3, 5}, {n, 16, 3, 5}, {n, 19, 3, 5}},
                              ConcatAttributes{1}));
    cases.push_back(node_case("concat_odd" + suffix, "concat", {{n, 7, 3, 5}, {n, 20, 3, 5}}, ConcatAttributes{1}));
    cases.push_back(node_case("concat_rows" + suffix, "concat", {{n, 19, 3, 5}, {n, 19, 4, 5}}, ConcatAttributes{2}));
    cases.push_back(node_case("split_channels" + suffix, "split", {{n, 67, 3, 2}},
                              SplitAttributes{1, {Dim(16), Dim(32), Dim(19)}}, 3));
    cases.push_back(node_case("slice_channels" + suffix, "slice", {{n, 64, 4, 3}}, cut(1, 16, 48)));
    cases.push_back(node_case("slice_reversed" + suffix, "slice", {{n, 16, 4, 9}}, cut(3, 8, -100, -2)));
  }
  cases.push_back(node_case("concat_images", "concat", {{1, 19, 3}, {2, 19, 3}}, ConcatAttributes{0}));
  cases.push_back(node_case("concat_i64", "concat", {{3}, {1}, {2}}, ConcatAttributes{0}, 1, DType::i64));
  cases.push_back(node_case("transpose_last", "transpose", {{2, 35, 4, 5}}, TransposeAttributes{{0, 2, 3, 1}}));
  cases.push_back(node_case("transpose_sequence", "transpose", {{1, 48, 40}}, TransposeAttributes{{0, 2, 1}}));
  cases.push_back(node_case("transpose_heads", "transpose", {{2, 9, 3, 16}}, TransposeAttributes{{0, 2, 1, 3}}));
  cases.push_back(node_case("transpose_nothing", "transpose", {{1, 9, 1, 16}}, TransposeAttributes{{0, 2, 1, 3}}));
  cases.push_back(node_case("flatten", "reshape", {{2, 32, 1, 1}}, ReshapeAttributes{{Dim(2), Dim(32)}}));
  cases.push_back(node_case("squeeze", "reshape", {{2, 21, 1, 6}}, ReshapeAttributes{{Dim(2), Dim(21), Dim(6)}}));
}

void add_pools(std::vector<TacticCase>& cases) {
  for (const int64_t channels : {21, 32}) {
    const std::string suffix = "_c" + std::to_string(channels);
    const Dims x{2, channels, 11, 9};
    cases.push_back(
        node_case("max_pool" + suffix, "max_pool", {x}, MaxPoolAttributes{{3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}}));
    cases.push_back(
        node_case("avg_pool" + suffix, "avg_pool", {x}, AvgPoolAttributes{{3, 2}, {1, 2}, {1, 1}, {1, 0, 1, 1}}));
    cases.push_back(node_case("global_mean" + suffix, "reduce_mean", {x}, ReduceAttributes{{2, 3}, true}));
    cases.push_back(node_case("global_mean_flat" + suffix, "reduce_mean", {x}, ReduceAttributes{{2, 3}, false}));
    cases.push_back(node_case("global_max" + suffix, "reduce_max", {x}, ReduceAttributes{{2, 3}, true}));
  }
}

void add_images(std::vector<TacticCase>& cases) {
  for (const int64_t channels : {21, 32}) {
    const std::string suffix = "_c" + std::to_string(channels);
    const Dims x{2, channels, 5, 7};
    const auto sizes = [&](int64_t h, int64_t w) { return std::vector<Dim>{Dim(2), Dim(channels), Dim(h), Dim(w)}; };
    ResizeAttributes nearest, linear;
    nearest.sizes = sizes(10, 14), linear.sizes = sizes(12, 9);
    nearest.coordinate_mode = "asymmetric", nearest.nearest_mode = "floor";
    linear.mode = "linear";
    cases.push_back(node_case("resize_nearest" + suffix, "resize", {x}, nearest));
    cases.push_back(node_case("resize_linear" + suffix, "resize", {x}, linear));
    const PadAttributes zeros{{Dim(0), Dim(0), Dim(1), Dim(2), Dim(0), Dim(0), Dim(0), Dim(3)}};
    PadAttributes edge = zeros;
    edge.mode = "edge";
    cases.push_back(node_case("pad_zeros" + suffix, "pad", {x}, zeros));
    cases.push_back(node_case("pad_edge" + suffix, "pad", {x}, edge));
  }
}

void add_rows(std::vector<TacticCase>& cases) {
  cases.push_back(node_case("softmax_rows", "softmax", {{6, 130}}, SoftmaxAttributes{1}));
  cases.push_back(node_case("softmax_channels", "softmax", {{2, 19, 50}}, SoftmaxAttributes{1}));
  cases.push_back(node_case("layer_norm", "layer_norm", {{3, 5, 70}, {70}, {70}}, LayerNormAttributes{2, 1e-5}));
  cases.push_back(node_case("rms_norm", "rms_norm", {{5, 70}, {70}}, LayerNormAttributes{1, 1e-6}));
  cases.push_back(node_case("sum_middle", "reduce_sum", {{4, 33, 70}}, ReduceAttributes{{1}, false}));
}

}  // namespace

void add_move_cases(std::vector<TacticCase>& cases) {
  add_moves(cases);
  add_pools(cases);
  add_images(cases);
  add_rows(cases);
}

}  // namespace narae
