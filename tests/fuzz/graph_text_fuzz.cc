// SPDX-License-Identifier: Apache-2.0
// Any bytes as graph text: an Error or a sound graph, whose text parses back to itself.
#include <cstdlib>

#include "base/error.h"
#include "graph/text.h"
#include "ops/ops.h"

namespace {

// Larger constants print as leaves, which no text can give back.
bool is_inline(const narae::Graph& graph, int64_t limit) {
  for (const auto& value : graph.values()) {
    if (value->is_constant() && value->tensor().count() > limit) return false;
  }
  for (const narae::Node* node = graph.first(); node; node = node->next()) {
    for (const auto& body : node->bodies()) {
      if (!is_inline(*body, limit)) return false;
    }
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const narae::OpTable table = [] {
    narae::OpTable made;
    narae::add_all_ops(made);
    return made;
  }();
  std::unique_ptr<narae::Graph> graph;
  try {
    graph = narae::parse_graph({reinterpret_cast<const char*>(data), size}, table);
  } catch (const narae::Error& error) {
    if (error.code() == narae::ErrorCode::internal) std::abort();
    return 0;
  }
  narae::PrintOptions options;
  options.inline_limit = 1 << 14;
  if (!is_inline(*graph, options.inline_limit)) return 0;
  const std::string text = narae::print_graph(*graph, options);
  if (narae::print_graph(*narae::parse_graph(text, table), options) != text) std::abort();
  return 0;
}
