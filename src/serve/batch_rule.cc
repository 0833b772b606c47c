// SPDX-License-Identifier: Apache-2.0
#include "serve/batch_rule.h"

#include <fmt/core.h>

namespace narae {
namespace {

bool mentions(const Dim& dim, const std::string& symbol) {
  std::vector<Dim> symbols;
  dim.collect_symbols(symbols);
  for (const Dim& one : symbols) {
    if (one.symbol_name() == symbol) return true;
  }
  return false;
}

// Why this value does not let requests join; empty: it does. The first value decides the symbol.
std::string objection(const char* role, const std::string& name, const Shape& shape, std::string& symbol) {
  if (shape.empty()) return fmt::format("{} \"{}\" is a scalar", role, name);
  if (!shape[0].is_symbol()) {
    return fmt::format("the first dimension of {} \"{}\" is {}, not a free size", role, name, shape[0].text());
  }
  if (symbol.empty()) symbol = shape[0].symbol_name();
  if (shape[0].symbol_name() != symbol) {
    return fmt::format("the first dimension of {} \"{}\" is {}, that of others {}", role, name, shape[0].text(),
                       symbol);
  }
  for (size_t axis = 1; axis < shape.size(); ++axis) {
    if (mentions(shape[axis], symbol)) {
      return fmt::format("axis {} of {} \"{}\" depends on the batch: {}", axis, role, name, shape[axis].text());
    }
  }
  return {};
}

}  // namespace

BatchRule batch_rule(const Graph& graph) {
  BatchRule rule;
  if (graph.inputs().empty() || graph.outputs().empty()) rule.reason = "it has no inputs or no outputs";
  for (const Value* input : graph.inputs()) {
    if (rule.reason.empty()) rule.reason = objection("input", input->name(), input->shape(), rule.symbol);
    if (rule.reason.empty() && input->contents()) {
      rule.reason = fmt::format("the elements of input \"{}\" decide shapes", input->name());
    }
  }
  for (size_t i = 0; i < graph.outputs().size() && rule.reason.empty(); ++i) {
    rule.reason = objection("output", graph.output_names()[i], graph.outputs()[i]->shape(), rule.symbol);
  }
  rule.join = rule.reason.empty();
  return rule;
}

}  // namespace narae
