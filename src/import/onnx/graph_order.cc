// SPDX-License-Identifier: Apache-2.0
// Kahn's algorithm with the smallest index first, so that a sorted file keeps its order.
#include "import/onnx/graph_order.h"

#include <functional>
#include <queue>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"

namespace narae::onnx {

namespace {

using Producers = std::unordered_map<std::string_view, size_t>;

Producers find_producers(const std::vector<NodeProto>& nodes, const std::unordered_set<std::string_view>& known) {
  Producers producers;
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string_view output : nodes[i].outputs) {
      if (output.empty()) continue;
      if (known.count(output) > 0 || !producers.emplace(output, i).second) {
        fail(ErrorCode::bad_file,
             "node \"{}\" > the name \"{}\" is already given to another value; names must be unique",
             node_label(nodes[i], i), output);
      }
    }
  }
  return producers;
}

}  // namespace

std::string node_label(const NodeProto& node, size_t index) {
  if (!node.name.empty()) return std::string(node.name);
  for (const std::string_view output : node.outputs) {
    if (!output.empty()) return fmt::format("{} -> {}", node.op_type, output);
  }
  return fmt::format("{} #{}", node.op_type, index);
}

std::vector<size_t> execution_order(const std::vector<NodeProto>& nodes, const std::vector<std::string_view>& given) {
  const std::unordered_set<std::string_view> known(given.begin(), given.end());
  const Producers producers = find_producers(nodes, known);
  std::vector<std::vector<size_t>> readers(nodes.size());
  std::vector<size_t> waits(nodes.size(), 0);
  for (size_t i = 0; i < nodes.size(); ++i) {
    for (const std::string_view input : nodes[i].inputs) {
      if (input.empty() || known.count(input) > 0) continue;
      const auto found = producers.find(input);
      if (found == producers.end()) {
        fail(ErrorCode::bad_file, "node \"{}\" > input \"{}\" is given by no node, input or initializer",
             node_label(nodes[i], i), input);
      }
      readers[found->second].push_back(i);
      ++waits[i];
    }
  }
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (waits[i] == 0) ready.push(i);
  }
  std::vector<size_t> order;
  order.reserve(nodes.size());
  while (!ready.empty()) {
    const size_t i = ready.top();
    ready.pop();
    order.push_back(i);
    for (const size_t reader : readers[i]) {
      if (--waits[reader] == 0) ready.push(reader);
    }
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (waits[i] > 0) {
      fail(ErrorCode::bad_file,
           "node \"{}\" > it reads, directly or through others, its own output: the graph has a cycle",
           node_label(nodes[i], i));
    }
  }
  return order;
}

}  // namespace narae::onnx
