// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/conv_problem.h"

#include <algorithm>

#include "backend/operand_placement.h"
#include "kernels/cpu/dwconv.h"
#include "ops/conv.h"

namespace narae::cpu {
namespace {

// The attributes both ops have, one spatial axis widened to two.
struct Spatial {
  int64_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1, pad_top = 0, pad_left = 0;
};
template <typename A>
Spatial spatial_of(const A& a) {
  Spatial s;
  const size_t axes = a.strides.size();
  s.stride_w = a.strides[axes - 1], s.dilation_w = a.dilations[axes - 1], s.pad_left = a.pads[axes - 1];
  if (axes == 2) s.stride_h = a.strides[0], s.dilation_h = a.dilations[0], s.pad_top = a.pads[0];
  return s;
}

void set_attributes(const Node& anchor, ConvShape& shape) {
  shape.transposed = anchor.is("conv_transpose");
  Spatial spatial;
  if (shape.transposed) {
    const auto& a = anchor.attributes<ConvTransposeAttributes>();
    spatial = spatial_of(a), shape.groups = a.groups;
  } else {
    const auto& a = anchor.attributes<ConvAttributes>();
    spatial = spatial_of(a), shape.groups = a.groups;
  }
  shape.stride_h = spatial.stride_h, shape.stride_w = spatial.stride_w;
  shape.dilation_h = spatial.dilation_h, shape.dilation_w = spatial.dilation_w;
  shape.pad_top = spatial.pad_top, shape.pad_left = spatial.pad_left;
}

void set_sizes(const Dims& x, const Dims& w, const Dims& y, ConvShape& shape) {
  const bool two = x.size() == 4;
  shape.n = x[0], shape.ic = x[1], shape.oc = y[1];
  shape.ih = two ? x[2] : 1, shape.iw = x.back();
  shape.oh = two ? y[2] : 1, shape.ow = y.back();
  shape.kh = two ? w[2] : 1, shape.kw = w.back();
}

// Groups that fill no whole channel blocks become fewer that do: more multiplications (at most `lanes` times as many),
// but on whole tiles. False: that would be too many.
bool merge_groups(int lanes, ConvShape& s) {
  const int64_t groups = s.groups, ic = s.ic / groups, oc = s.oc / groups;
  if (groups == 1 || is_depthwise(s)) return true;
  for (int64_t merged = 1; merged <= std::min<int64_t>(groups, lanes); ++merged) {
    const bool whole = merged * ic % lanes == 0 && merged * oc % lanes == 0;
    if (groups % merged != 0 || (!whole && merged != groups)) continue;
    s.merged = merged, s.groups = groups / merged;
    return true;
  }
  return false;
}

bool has_sizes(const ConvShape& s) {
  return s.n > 0 && s.ic > 0 && s.oc > 0 && s.oh > 0 && s.ow > 0 && s.ih > 0 && s.iw > 0 && s.kh > 0 && s.kw > 0;
}

}  // namespace

double ConvProblem::flops() const {
  const double pixels = static_cast<double>(shape.transposed ? shape.ih * shape.iw : shape.oh * shape.ow);
  return 2.0 * static_cast<double>(shape.n * shape.oc * (shape.ic / shape.groups) * shape.kh * shape.kw) * pixels;
}

std::optional<ConvProblem> conv_problem(const Node& node, const NodeDims& dims, std::string_view op, int lanes,
                                        bool plain_input, size_t part) {
  const auto spans = [&](const Dims& result) -> SpanOf {
    return [space = TileSpace{result, 1, true, lanes}](const Dims& operand) { return tile_class(space, operand); };
  };
  std::optional<ContractionBody> body = contraction_body(node, dims, op, spans, part);
  if (!body || body->result.size() < 3 || body->result.size() > 4) return std::nullopt;
  ConvProblem problem;
  problem.part = part;
  problem.x = static_cast<size_t>(body->operands[0]), problem.weights = static_cast<size_t>(body->operands[1]);
  problem.bias = body->operands.size() > 2 && body->operands[2] >= 0 ? body->operands[2] : body->bias;
  ConvShape& shape = problem.shape;
  set_sizes(dims.inputs[problem.x], dims.inputs[problem.weights], body->result, shape);
  shape.plain_input = plain_input;
  set_attributes(*body->anchor, shape);
  if (!has_sizes(shape)) return std::nullopt;
  if (!merge_groups(lanes, shape)) return std::nullopt;
  problem.out = Layout::blocked(1, lanes);
  problem.in = plain_input ? Layout::plain() : problem.out;
  problem.space = {body->result, 1, true, lanes};
  problem.body = std::move(*body);
  return problem;
}

ConvProblem chosen_conv(const Node& node, const Choice& choice, const NodeDims& dims, std::string_view op, int lanes,
                        size_t part) {
  std::optional<ConvProblem> problem = conv_problem(node, dims, op, lanes, false, part);
  require_covered(problem.has_value(), node);
  problem->in = choice.inputs[problem->x];
  problem->shape.plain_input = problem->in.is_plain();
  return std::move(*problem);
}

ConvShape packing_shape(const Node& anchor, const Dims& weights, int lanes, bool plain_input) {
  ConvShape shape;
  set_attributes(anchor, shape);
  shape.plain_input = plain_input;
  shape.ic = shape.transposed ? weights[0] : weights[1] * shape.groups;
  shape.oc = shape.transposed ? weights[1] * shape.groups : weights[0];
  shape.kh = weights.size() == 4 ? weights[2] : 1, shape.kw = weights.back();
  merge_groups(lanes, shape);
  const auto extent = [](int64_t k, int64_t stride, int64_t dilation) { return (k - 1) * dilation + 1 + 4 * stride; };
  shape.ih = extent(shape.kh, shape.stride_h, shape.dilation_h);
  shape.iw = extent(shape.kw, shape.stride_w, shape.dilation_w);
  shape.oh = shape.transposed ? shape.ih * shape.stride_h : 5;
  shape.ow = shape.transposed ? shape.iw * shape.stride_w : 5;
  if (!shape.transposed && shape.kh == 1 && shape.kw == 1) shape.oh = shape.ih, shape.ow = shape.iw;
  return shape;
}

void place_conv(const ConvProblem& problem, const NodeDims& dims, Choice& choice) {
  choice.outputs[problem.part] = problem.out;
  const auto place = [&](int operand) {
    if (operand < 0) return;
    const auto i = static_cast<size_t>(operand);
    place_operand(i, dims.inputs[i], problem.body.result, problem.out, choice);
  };
  for (const int operand : problem.body.rest_operands) place(operand);
  place(problem.body.residual);
  if (problem.bias >= 0) {  // flat over the channels, whatever its rank; the last block filled up with zeros
    const Dims& own = dims.inputs[static_cast<size_t>(problem.bias)];
    const auto axis = static_cast<int>(std::max_element(own.begin(), own.end()) - own.begin());
    choice.inputs[static_cast<size_t>(problem.bias)] = Layout::blocked(axis, problem.out.block);
  }
  choice.inputs[problem.x] = problem.in;
}

CacheSizes cache_sizes(const Target& target) { return {target.l1_bytes, target.l2_bytes}; }

}  // namespace narae::cpu
