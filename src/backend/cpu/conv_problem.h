// SPDX-License-Identifier: Apache-2.0
// A conv or conv_transpose node, body, or part of a horizontal body as a ConvShape on channel blocks, with what all
// convolution tactics share: layouts, configs as text, packed weights, cost, kernel. Packed weights depend on algorithm
// and nv alone, so that several configs and all image sizes share one packed constant.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "backend/contraction_body.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tile_epilogue.h"
#include "kernels/cpu/conv.h"

namespace narae::cpu {

struct ConvProblem {
  ContractionBody body;
  ConvShape shape;
  Layout in, out;  // of the image and the result
  TileSpace space;
  size_t x = 0, weights = 0;  // node operands
  int bias = -1;              // the anchor's own, or the body's
  size_t part = 0;            // node result

  double flops() const;  // multiplications and additions of the definition
};
// Empty: not a convolution over one or two spatial axes of f32 that these kernels could do.
std::optional<ConvProblem> conv_problem(const Node& node, const NodeDims& dims, std::string_view op, int lanes,
                                        bool plain_input, size_t part = 0);
// The problem at the sizes at hand, its input in the layout that was chosen; Error does_not_fit where the kernels do
// not cover them.
ConvProblem chosen_conv(const Node& node, const Choice& choice, const NodeDims& dims, std::string_view op, int lanes,
                        size_t part = 0);
// A shape that packs weights of these dims as every shape of the node does: it does not depend on the image.
ConvShape packing_shape(const Node& anchor, const Dims& weights, int lanes, bool plain_input);
// Sets the layouts of the problem's operands and result.
void place_conv(const ConvProblem& problem, const NodeDims& dims, Choice& choice);
CacheSizes cache_sizes(const Target& target);

std::string conv_config_text(const ConvConfig& config);
ConvConfig parse_conv_config(const std::string& text);
std::string conv_pack_text(const ConvConfig& config, const BrgemmTiles& tiles, const ConvShape& shape);
// `form`: what conv_pack_text said.
Tensor pack_conv(const Node& anchor, const ConvConfig& config, const std::string& form, const Tensor& weights,
                 const BrgemmTiles& tiles);
// Seconds of the problem by this config; `packed`: the weights are made ready at load.
double conv_seconds(const ConvProblem& problem, const ConvConfig& config, const NodeDims& dims, bool packed,
                    const BrgemmTiles& tiles, const Target& target);
// With one filter per channel; `bytes`: of all operands and results.
double depthwise_seconds(const ConvProblem& problem, double bytes, const Target& target);
// Of the rest of the body over that many elements in cache.
double rest_seconds(const ContractionBody& body, double elements, const Target& target);
std::unique_ptr<CpuKernel> make_conv_kernel(int threads, const Node& node, const NodeDims& dims, ConvProblem problem,
                                            ConvConfig config, bool packed, const BrgemmTiles& tiles,
                                            const ScalarSteps& steps);

}  // namespace narae::cpu
