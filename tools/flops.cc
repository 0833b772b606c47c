// SPDX-License-Identifier: Apache-2.0
#include "flops.h"

#include <algorithm>

#include "ops/matmul.h"

namespace narae {
namespace {

double count(const Value& value, const SymbolValues& symbols) {
  return static_cast<double>(element_count(evaluate(value.shape(), symbols)));
}

double axis(const Value& value, size_t i, const SymbolValues& symbols) {
  return static_cast<double>(evaluate(value.shape()[i], symbols));
}

double conv_flops(const Node& node, const SymbolValues& symbols) {
  const Value& weight = *node.input(1);
  // Each weight of one output channel (conv) or input channel (conv_transpose) meets every element of that side.
  const Value& driver = node.is("conv_transpose") ? *node.input(0) : *node.output();
  return 2 * count(driver, symbols) * count(weight, symbols) / axis(weight, 0, symbols);
}

double matmul_flops(const Node& node, const SymbolValues& symbols) {
  const Value& a = *node.input(0);
  const size_t last = a.shape().size() - 1;
  const bool transposed = node.attributes<MatmulAttributes>().transpose_a;
  return 2 * count(*node.output(), symbols) * axis(a, transposed ? last - 1 : last, symbols);
}

bool moves_only(const Node& node) {
  static constexpr const char* names[] = {"reshape", "transpose", "concat", "split", "slice", "expand",   "tile",
                                          "gather",  "pad",       "fill",   "dims",  "cast",  "gather_nd"};
  return std::any_of(std::begin(names), std::end(names), [&](const char* name) { return node.is(name); });
}

double flops_of(const Node& node, const SymbolValues& symbols) {
  double sum = 0;
  for (const auto& body : node.bodies()) {
    for (const Node* part = body->first(); part; part = part->next()) sum += flops_of(*part, symbols);
  }
  if (!node.bodies().empty() || moves_only(node)) return sum;
  if (node.is("conv") || node.is("conv_transpose")) return conv_flops(node, symbols);
  if (node.is("matmul")) return matmul_flops(node, symbols);
  // One operation per element of the larger side: pointwise ops, reductions and pools to within a small factor.
  double elements = 0;
  for (const Value* value : node.outputs()) elements = std::max(elements, count(*value, symbols));
  for (const Value* value : node.inputs()) {
    if (value) elements = std::max(elements, count(*value, symbols));
  }
  return elements;
}

}  // namespace

Work work_of(const Node& node, const SymbolValues& symbols) {
  Work work;
  work.flops = flops_of(node, symbols);
  for (const auto* values : {&node.inputs(), &node.outputs()}) {
    for (const Value* value : *values) {
      if (value) work.bytes += count(*value, symbols) * static_cast<double>(dtype_size(value->dtype()));
    }
  }
  return work;
}

double least_seconds(const Work& work, const Target& target) {
  const double cores = target.cores;
  const bool cached = work.bytes <= static_cast<double>(target.l3_bytes);
  const double rate = cached ? target.l2_bytes_per_s * cores : target.dram_bytes_per_s;
  return std::max(work.flops / (target.fma_flops * cores), work.bytes / rate);
}

}  // namespace narae
