// SPDX-License-Identifier: Apache-2.0
// A pad of zeros on spatial axes goes into the convolution or pool behind it. For max_pool the zeros must not be able
// to win (or be -inf), and every window must still hold an element.
#include <algorithm>
#include <cmath>

#include "ops/conv.h"
#include "ops/pad.h"
#include "ops/pool.h"
#include "ops/unary.h"
#include "passes/pass_list.h"
#include "passes/rewrite.h"

namespace narae::passes {
namespace {

// What it fills with, and [all leading, all trailing] pads of the spatial axes; false: it pads otherwise.
bool spatial_pad(const Node& pad, double& fill, std::vector<int64_t>& pads) {
  const auto& attributes = pad.attributes<PadAttributes>();
  const size_t rank = pad.output()->shape().size();
  fill = 0;
  if (attributes.mode != "constant" || rank < 3 || (pad.input(1) && !pad.input(1)->scalar_constant(fill))) return false;
  for (size_t i = 0; i < attributes.pads.size(); ++i) {
    const Dim& dim = attributes.pads[i];
    if (!dim.is_constant() || dim.value() < 0) return false;
    if (i % rank >= 2) {
      pads.push_back(dim.value());
    } else if (dim.value() != 0) {
      return false;
    }
  }
  return true;
}

bool never_negative(const Value* value) {
  const Node* node = value->producer();
  if (!node) return false;
  if (node->is("clip")) return node->attributes<ClipAttributes>().low >= 0;
  return node->is("relu") || node->is("sigmoid") || node->is("hard_sigmoid") || node->is("abs") || node->is("square");
}

std::vector<int64_t> sum(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  std::vector<int64_t> result(a);
  std::transform(b.begin(), b.end(), result.begin(), result.begin(), std::plus<>());
  return result;
}

// The attributes of `node` with the pads in them; null: not legal.
Attributes with_pads(const Node& node, const Value* unpadded, double fill, const std::vector<int64_t>& pads) {
  if (node.is("conv") && fill == 0) {
    auto attributes = node.attributes<ConvAttributes>();
    attributes.pads = sum(attributes.pads, pads);
    return make_attributes(attributes);
  }
  if (node.is("avg_pool") && fill == 0) {
    auto attributes = node.attributes<AvgPoolAttributes>();
    const bool own = std::any_of(attributes.pads.begin(), attributes.pads.end(), [](int64_t pad) { return pad != 0; });
    // The zeros count as elements; pads of its own would have to count too.
    if (attributes.ceil_mode || (own && !attributes.count_include_pad)) return nullptr;
    attributes.pads = sum(attributes.pads, pads);
    attributes.count_include_pad = true;
    return make_attributes(attributes);
  }
  if (node.is("max_pool") && node.outputs().size() == 1) {
    auto attributes = node.attributes<MaxPoolAttributes>();
    const bool loses = (std::isinf(fill) && fill < 0) || (fill == 0 && never_negative(unpadded));
    if (attributes.ceil_mode || !loses) return nullptr;
    attributes.pads = sum(attributes.pads, pads);
    for (size_t i = 0; i < attributes.pads.size(); ++i) {
      const size_t axis = i % attributes.kernel.size();
      if (attributes.dilations[axis] != 1 || attributes.pads[i] >= attributes.kernel[axis]) return nullptr;
    }
    return make_attributes(attributes);
  }
  return nullptr;
}

}  // namespace

bool fold_pads(Graph& graph, PassContext& context) {
  Rewriter rewriter(graph, context);
  return rewriter.each([&](Node* node) {
    if (!node->is("conv") && !node->is("avg_pool") && !node->is("max_pool")) return;
    const Node* pad = rewriter.made_by(node->input(0), "pad");
    double fill = 0;
    std::vector<int64_t> pads;
    if (!pad || pad->output()->keep() || !spatial_pad(*pad, fill, pads)) return;
    Attributes attributes = with_pads(*node, pad->input(0), fill, pads);
    if (!attributes) {
      context.refused("epilogue", {pad->label(), node->label()}, "the padding cannot be the window's own");
      return;
    }
    std::vector<Value*> operands = node->inputs();
    operands[0] = pad->input(0);
    Node* made = graph.add_node(&node->op(), std::move(attributes), std::move(operands), 1, node);
    made->add_origins(node->origins());
    made->add_origins(pad->origins());
    if (!rewriter.replace(node->output(), made->output())) graph.erase(made);
  });
}

}  // namespace narae::passes
