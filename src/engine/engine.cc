// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "base/mapped_file.h"
#include "engine/session.h"
#include "ops/interpret.h"

namespace narae {

Engine::Engine(std::unique_ptr<Graph> portable, Profile profile)
    : portable_(std::move(portable)), profile_(std::move(profile)) {}

void Engine::check_profile(const SymbolValues& values) const {
  for (const auto& [name, range] : profile_.symbols) {
    const auto it = values.find(name);
    if (it == values.end() || (it->second >= range.min && it->second <= range.max)) continue;
    fail(ErrorCode::does_not_fit,
         "{} = {} is outside the profile [{}, {}] this engine was built for; build it with wider --min-shapes and "
         "--max-shapes",
         name, it->second, range.min, range.max);
  }
}

SymbolValues opt_sizes(const Graph& graph, const Profile& profile) {
  SymbolValues values;
  for (const auto& [name, range] : profile.symbols) values[name] = range.opt;
  for (const SymbolSource& source : graph.symbol_sources()) {
    int64_t usual = 1;
    if (source.axis >= 0) {
      const int rank = graph.inputs()[static_cast<size_t>(source.input)]->rank();
      usual = source.axis == 0 ? 1 : rank >= 4 && source.axis >= 2 ? 224 : 128;
    }
    values.emplace(source.symbol.symbol_name(), std::clamp(usual, source.symbol.low(), source.symbol.high()));
  }
  for (const Dim& symbol : graph.symbols()) values.emplace(symbol.symbol_name(), std::max<int64_t>(1, symbol.low()));
  return values;
}

namespace {

bool is_constant_part(const Node& node, const std::unordered_set<const Value*>& constant) {
  if (node.op().has(op_random)) return false;
  for (const Value* value : node.inputs()) {
    if (value && !value->is_constant() && !constant.count(value)) return false;
  }
  for (const Value* value : node.outputs()) {
    if (!is_static(value->shape())) return false;
  }
  std::vector<Dim> dims;
  node.attribute_box()->collect_dims(dims);
  return std::all_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.is_constant(); });
}

// A graph of the constant part alone: its leaves are inputs, what others read are outputs.
struct ConstantPart {
  std::unique_ptr<Graph> graph;
  std::vector<Tensor> leaves;
  std::vector<Value*> results;  // in the graph around it
};

ConstantPart extract(Graph& graph, const std::vector<Node*>& nodes, const std::unordered_set<const Value*>& made) {
  ConstantPart part;
  part.graph = std::make_unique<Graph>(graph.ops(), "constant part");
  std::unordered_map<const Value*, Value*> map;
  for (Node* node : nodes) {
    std::vector<Value*> operands;
    for (Value* value : node->inputs()) {
      if (value && !map.count(value)) {
        NARAE_CHECK(value->is_constant());
        map[value] = part.graph->add_input(value->name(), value->dtype(), value->shape());
        part.leaves.push_back(value->tensor());
      }
      operands.push_back(value ? map.at(value) : nullptr);
    }
    std::unique_ptr<Graph> body;
    if (!node->bodies().empty()) body = node->bodies()[0]->clone();
    Node* copy = part.graph->add_node(&node->op(), node->attribute_box(), std::move(operands),
                                      static_cast<int>(node->outputs().size()), nullptr, std::move(body));
    for (size_t i = 0; i < node->outputs().size(); ++i) {
      Value* value = node->output(i);
      map[value] = copy->output(i);
      const bool needed =
          graph.is_output(value) || std::any_of(value->users().begin(), value->users().end(),
                                                [&](Node* user) { return !made.count(user->output(0)); });
      if (!needed) continue;
      part.graph->add_output(copy->output(i), value->name());
      part.results.push_back(value);
    }
  }
  return part;
}

}  // namespace

void evaluate_constant_part(Graph& graph, Device& device) {
  std::vector<Node*> nodes;
  std::unordered_set<const Value*> made;
  for (Node* node = graph.first(); node; node = node->next()) {
    if (!is_constant_part(*node, made)) continue;
    nodes.push_back(node);
    made.insert(node->outputs().begin(), node->outputs().end());
  }
  if (nodes.empty()) return;
  ConstantPart part = extract(graph, nodes, made);
  auto lowered = std::make_unique<LoweredEngine>();
  const EstimatedCosts costs;
  split_bodies(*part.graph, device, {}, costs);
  lowered->selection = select(*part.graph, device, {}, costs);
  lowered->graph = std::move(part.graph);
  auto engine = std::make_shared<Engine>(lowered->graph->clone(), Profile{});
  engine->set_section(std::move(lowered));
  std::vector<Tensor> results;
  {
    // The Session must not outlive this call, so it may borrow the device.
    Session session(engine, std::shared_ptr<Device>(&device, [](Device*) {}));
    std::vector<Tensor> inputs;
    for (const Tensor& leaf : part.leaves) inputs.push_back(aligned(leaf));
    for (const Tensor& tensor : session.run(inputs)) results.push_back(tensor);
  }
  for (size_t i = 0; i < results.size(); ++i) {
    Value* constant = graph.add_constant(results[i], part.results[i]->name());
    constant->set_keep(part.results[i]->keep());
    part.results[i]->set_keep(false);
    graph.replace_uses(part.results[i], constant);
  }
  for (const Tensor& leaf : part.leaves) {
    if (leaf.file) leaf.file->release(leaf.data, leaf.bytes());
  }
  graph.erase_dead();
}

std::unique_ptr<LoweredEngine> lower_engine(std::unique_ptr<Graph> graph, Device& device, const SymbolValues& opt,
                                            const CostSource& costs, const SelectionOptions& options) {
  auto lowered = std::make_unique<LoweredEngine>();
  evaluate_constant_part(*graph, device);
  lowered->notes.bodies = split_bodies(*graph, device, opt, costs, options);
  evaluate_constant_part(*graph, device);  // what bodies that were split decode
  graph->verify();
  lowered->selection = select(*graph, device, opt, costs);
  lowered->graph = std::move(graph);
  lowered->target = device.target();
  lowered->opt = opt;
  return lowered;
}

}  // namespace narae
