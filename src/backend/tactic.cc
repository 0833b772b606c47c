// SPDX-License-Identifier: Apache-2.0
#include "backend/tactic.h"

#include <algorithm>

#include "base/error.h"

namespace narae {

namespace {

// Tactics multiply sizes freely: what no memory holds stops here.
Dims sizes(const Value& value, const SymbolValues& symbols) {
  Dims dims = evaluate(value.shape(), symbols);
  const bool negative = std::any_of(dims.begin(), dims.end(), [](int64_t dim) { return dim < 0; });
  if (negative || element_count(dims) > int64_t{1} << 44)
    fail(ErrorCode::does_not_fit, "\"{}\" would be of shape {}", value.name(), dims_text(dims));
  return dims;
}

}  // namespace

NodeDims node_dims(const Node& node, const SymbolValues& symbols) {
  NodeDims dims;
  dims.symbols = &symbols;
  for (const Value* value : node.inputs()) dims.inputs.push_back(value ? sizes(*value, symbols) : Dims{});
  for (const Value* value : node.outputs()) dims.outputs.push_back(sizes(*value, symbols));
  return dims;
}

Tensor Tactic::pack(const Node& node, const Choice& choice, size_t input, const Tensor&, const Target&) const {
  fail(ErrorCode::internal, "tactic {} asked for a packed operand {} of {} and does not make it", choice.tactic->name(),
       input, node.label());
}

std::string choice_text(const Choice& choice) {
  std::string text = choice.tactic->name();
  if (!choice.config.empty()) text += "/" + choice.config;
  auto list = [&](const char* name, const std::vector<Layout>& layouts) {
    text += fmt::format(" {}(", name);
    for (size_t i = 0; i < layouts.size(); ++i) text += (i ? "," : "") + layouts[i].text();
    text += ")";
  };
  list("in", choice.inputs);
  list("out", choice.outputs);
  return text;
}

Choice plain_choice(const Tactic* tactic, const Node& node, std::string config) {
  Choice choice;
  choice.tactic = tactic;
  choice.config = std::move(config);
  choice.inputs.assign(node.inputs().size(), Layout::plain());
  choice.outputs.assign(node.outputs().size(), Layout::plain());
  choice.packs.assign(node.inputs().size(), {});
  choice.in_place.assign(node.outputs().size(), -1);
  return choice;
}

double node_bytes(const Node& node, const Choice& choice, const NodeDims& dims) {
  double bytes = 0;
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    if (!node.input(i)) continue;
    bytes += static_cast<double>(choice.inputs[i].stored_count(dims.inputs[i])) *
             static_cast<double>(dtype_size(node.input(i)->dtype()));
  }
  for (size_t i = 0; i < node.outputs().size(); ++i) {
    bytes += static_cast<double>(choice.outputs[i].stored_count(dims.outputs[i])) *
             static_cast<double>(dtype_size(node.output(i)->dtype()));
  }
  return bytes;
}

}  // namespace narae
