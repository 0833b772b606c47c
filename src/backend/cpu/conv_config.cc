// SPDX-License-Identifier: Apache-2.0
// Configs as text (`direct nv4 band7 oc2 ic8`), packed forms, cost.
#include <array>
#include <cmath>
#include <cstdio>

#include "backend/cpu/conv_problem.h"
#include "backend/cpu/cost.h"
#include "base/error.h"

namespace narae::cpu {
namespace {

constexpr std::array<const char*, 4> algorithm_names = {"pointwise", "direct", "winograd2x2", "winograd4x4"};

}  // namespace

std::string conv_config_text(const ConvConfig& config) {
  return fmt::format("{} nv{} band{} oc{} ic{}", algorithm_names[static_cast<size_t>(config.algorithm)], config.nv,
                     config.band, config.oc_panels, config.ic_blocks);
}

ConvConfig parse_conv_config(const std::string& text) {
  ConvConfig config;
  char name[32];
  long long band = 0, panels = 0, blocks = 0;
  if (std::sscanf(text.c_str(), "%31s nv%d band%lld oc%lld ic%lld", name, &config.nv, &band, &panels, &blocks) != 5) {
    fail(ErrorCode::bad_file, "a convolution's config cannot be read: \"{}\"", text);
  }
  config.band = band, config.oc_panels = panels, config.ic_blocks = blocks;
  for (size_t i = 0; i < algorithm_names.size(); ++i) {
    if (algorithm_names[i] == std::string_view(name)) config.algorithm = static_cast<ConvAlgorithm>(i);
  }
  return config;
}

std::string conv_pack_text(const ConvConfig& config, const BrgemmTiles& tiles, const ConvShape& shape) {
  std::string text =
      fmt::format("{} {}x{}", algorithm_names[static_cast<size_t>(config.algorithm)], config.nv, tiles.lanes);
  if (shape.plain_input) text = "plain " + text;
  if (shape.groups > 1) text += fmt::format(" g{}", shape.groups);
  if (shape.merged > 1) text += fmt::format(" merged{}", shape.merged);
  if (shape.transposed) {  // in the order of the output phases
    text += fmt::format(" transposed s{}x{} d{}x{} p{}x{}", shape.stride_h, shape.stride_w, shape.dilation_h,
                        shape.dilation_w, shape.pad_top, shape.pad_left);
  }
  return text;
}

Tensor pack_conv(const Node& anchor, const ConvConfig& config, const std::string& form, const Tensor& weights,
                 const BrgemmTiles& tiles) {
  const ConvShape shape = packing_shape(anchor, weights.dims, tiles.lanes, form.rfind("plain", 0) == 0);
  const ConvPlan plan = make_conv_plan(shape, config, tiles);
  Tensor packed = Tensor::allocate(DType::f32, {conv_weights_size(plan)});
  if (weights.data) conv_pack_weights(plan, weights.as<float>(), packed.as<float>());
  return packed;
}

namespace {

struct ConvCost {
  double efficiency = 0.7;  // share of the multiply-add peak
  double flops_factor = 1;  // multiplications done per one of the definition
  double extra_bytes = 0;   // of memory, besides operands and result
  double cache_bytes = 0;   // moved once more through L2
};

ConvCost cost_of(const ConvShape& s, const ConvConfig& config) {
  ConvCost cost;
  if (config.algorithm == ConvAlgorithm::pointwise) {
    // One pixel is a matrix by a vector: nothing is used twice.
    cost.efficiency = s.oh * s.ow < 4 ? 0.2 : 0.8;
    return cost;
  }
  if (config.algorithm == ConvAlgorithm::direct) {
    // A plain image gives short runs; narrow rows leave the tiles low.
    cost.efficiency = s.plain_input ? 0.4 : s.transposed || s.ow < 8 ? 0.6 : 0.75;
    return cost;
  }
  const double m = config.algorithm == ConvAlgorithm::winograd4x4 ? 4 : 2, points = (m + 2) * (m + 2);
  const double tiles = std::ceil(static_cast<double>(s.oh) / m) * std::ceil(static_cast<double>(s.ow) / m);
  cost.efficiency = 0.65;
  cost.flops_factor = points * tiles / (9.0 * static_cast<double>(s.oh * s.ow));
  cost.extra_bytes = static_cast<double>(s.ic * s.oc) * (points - 9) * 4;  // of the transformed weights
  // Transformed input and products are written and read once more.
  cost.cache_bytes = static_cast<double>(s.n * (s.ic + s.oc)) * tiles * points * 2 * 4;
  return cost;
}

double bytes_of(const ConvProblem& problem, const NodeDims& dims) {
  const auto stored = [&](const Layout& layout, const Dims& d) {
    return static_cast<double>(layout.stored_count(d)) * 4;
  };
  double bytes = stored(problem.in, dims.inputs[problem.x]) + stored(problem.out, problem.body.result);
  bytes += static_cast<double>(element_count(dims.inputs[problem.weights])) * 4;
  const auto add = [&](int operand) {
    if (operand >= 0) bytes += static_cast<double>(element_count(dims.inputs[static_cast<size_t>(operand)])) * 4;
  };
  add(problem.body.residual);
  for (const int operand : problem.body.rest_operands) add(operand);
  return bytes;
}

}  // namespace

double rest_seconds(const ContractionBody& body, double elements, const Target& target) {
  if (!body.has_rest()) return 0;
  return elements * scalar_program_flops(body.rest) / (target.fma_flops * 0.125 * target.cores);
}

double depthwise_seconds(const ConvProblem& problem, double bytes, const Target& target) {
  const auto channels = static_cast<double>(problem.shape.oc);
  const double filled = static_cast<double>(round_up(problem.shape.oc, problem.out.block)) / channels;
  return roofline(target, problem.flops() * filled, 0.3, bytes) +
         rest_seconds(problem.body, static_cast<double>(problem.out.stored_count(problem.body.result)), target);
}

double conv_seconds(const ConvProblem& problem, const ConvConfig& config, const NodeDims& dims, bool packed,
                    const BrgemmTiles& tiles, const Target& target) {
  const ConvShape& shape = problem.shape;
  const ConvCost cost = cost_of(shape, config);
  // Lanes that stand for no channel are computed all the same.
  const double lanes = tiles.lanes;
  const auto filled = [&](int64_t channels) {
    const double own = static_cast<double>(channels) / static_cast<double>(shape.groups);
    return std::ceil(own / lanes) * lanes / own;
  };
  double flops = problem.flops() * cost.flops_factor * filled(shape.oc);
  if (!shape.plain_input) flops *= filled(shape.ic);
  double seconds = roofline(target, flops, cost.efficiency, bytes_of(problem, dims) + cost.extra_bytes);
  seconds += cost.cache_bytes / (target.l2_bytes_per_s * target.cores);
  seconds += rest_seconds(problem.body, static_cast<double>(problem.out.stored_count(problem.body.result)), target);
  if (!packed) seconds += 4e-9 * static_cast<double>(element_count(dims.inputs[problem.weights]));
  return seconds;
}

}  // namespace narae::cpu
