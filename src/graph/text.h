// SPDX-License-Identifier: Apache-2.0
// The text form of a graph: what explain prints, golden tests compare and engine files store. parse_graph(print(g))
// is g again.
//
//   graph "resnet" {
//     symbol N 1 64
//     input %x "data" f32[N,3,224,224]
//     const %w "conv1.weight" f32[64,3,7,7] leaf 9f0c2d1e00112233
//     const %k i64[2] {3, 5}
//     const %r f32[8,8] normal 7
//     %1 "conv1_out" f32[N,64,112,112] = conv(%x, %w, _) {strides=[2,2]} from "Conv_0"
//     %2 f32[N,64,112,112] = fused(%1, %b) {kind="pointwise"} body { input %a ... output %c }
//     keep %1
//     output %2 "prob"
//     source N input 0 axis 0
//     guard N == M "node: why"
//     metadata "key" "value"
//   }
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "graph/graph.h"

namespace narae {

struct PrintOptions {
  // Constants of at most this many elements print their contents; larger ones a leaf hash.
  int64_t inline_limit = 16;
  // The text after `leaf` of a larger constant; by default its contents' hash in hex.
  std::function<std::string(const Value&)> leaf_name;
};
std::string print_graph(const Graph& graph, const PrintOptions& options = {});

// Bytes of a leaf by the name that print_graph gave it, for the type and sizes in the text.
using LeafSource = std::function<Tensor(std::string_view leaf, DType dtype, const Dims& dims)>;
// Throws Error bad_file with line and column. Types are inferred again and must be those in the text.
std::unique_ptr<Graph> parse_graph(std::string_view text, const OpTable& ops, const LeafSource& leaves = {});

}  // namespace narae
