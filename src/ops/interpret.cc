// SPDX-License-Identifier: Apache-2.0
#include "ops/interpret.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "base/error.h"
#include "graph/updates.h"

namespace narae {
namespace {

void check_value(const std::string& name, const Value& value, DType dtype, const Dims& dims) {
  if (dtype != value.dtype()) {
    fail(ErrorCode::does_not_fit, "{} must be {}, not {}", name, dtype_name(value.dtype()), dtype_name(dtype));
  }
  if (dims.size() != value.shape().size()) {
    fail(ErrorCode::does_not_fit, "{} must be of shape {}, not {}", name, shape_text(value.shape()), dims_text(dims));
  }
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    const Dim& dim = value.shape()[axis];
    if (dims[axis] < 0 || (dim.is_constant() && dim.value() != dims[axis])) {
      fail(ErrorCode::does_not_fit, "{} must be of shape {}, not {}: axis {} differs", name, shape_text(value.shape()),
           dims_text(dims), axis);
    }
  }
}

void check_input(const Value& value, size_t i, DType dtype, const Dims& dims) {
  check_value(fmt::format("input {} \"{}\"", i, value.name()), value, dtype, dims);
}

// The values of a size's symbols and the inputs that they come from.
std::string origins(const Graph& graph, const std::vector<Dim>& symbols, const SymbolValues& values) {
  std::string text;
  for (const SymbolSource& source : graph.symbol_sources()) {
    if (std::find(symbols.begin(), symbols.end(), source.symbol) == symbols.end()) continue;
    const auto value = values.find(source.symbol.symbol_name());
    const bool axis = source.axis >= 0;
    text +=
        fmt::format("{}{} = {}, {} {} of input \"{}\"", text.empty() ? "" : "; ", source.symbol.symbol_name(),
                    value == values.end() ? std::string("?") : std::to_string(value->second), axis ? "axis" : "element",
                    axis ? source.axis : source.element, graph.inputs()[static_cast<size_t>(source.input)]->name());
  }
  return text;
}

void set_symbol(const Graph& graph, SymbolValues& values, const Dim& symbol, int64_t value, const std::string& where) {
  const std::string& name = symbol.symbol_name();
  if (value < symbol.low() || value > symbol.high()) {
    fail(ErrorCode::does_not_fit, "{} = {} at {} is outside [{}, {}]", name, value, where, symbol.low(), symbol.high());
  }
  const auto [it, fresh] = values.emplace(name, value);
  if (!fresh && it->second != value) {
    const std::string first = origins(graph, {symbol}, values);
    fail(ErrorCode::does_not_fit, "{} is {} at {}, but {}", name, value, where,
         first.empty() ? fmt::format("{} elsewhere", it->second) : first);
  }
}

void bind_sizes(const Graph& graph, SymbolValues& values, const std::vector<Dims>& input_dims) {
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const Value& input = *graph.inputs()[i];
    for (size_t axis = 0; axis < input.shape().size(); ++axis) {
      const Dim& dim = input.shape()[axis];
      if (dim.is_symbol()) {
        set_symbol(graph, values, dim, input_dims[i][axis], fmt::format("axis {} of input \"{}\"", axis, input.name()));
      }
    }
  }
}

// Sizes of inputs that are expressions rather than symbols (after passes) must agree too.
void check_input_sizes(const Graph& graph, const SymbolValues& values, const std::vector<Dims>& input_dims) {
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const Shape& shape = graph.inputs()[i]->shape();
    const Dims wanted = with_context([&] { return fmt::format("input {} \"{}\"", i, graph.inputs()[i]->name()); },
                                     [&] { return evaluate(shape, values); });
    if (wanted != input_dims[i]) {
      std::vector<Dim> symbols;
      for (const Dim& dim : shape) dim.collect_symbols(symbols);
      fail(ErrorCode::does_not_fit, "input {} \"{}\" must be of shape {}, not {} ({})", i, graph.inputs()[i]->name(),
           dims_text(wanted), dims_text(input_dims[i]), origins(graph, symbols, values));
    }
  }
}

// Sizes of states come from whoever keeps them, not from inputs.
void check_state_sizes(const Graph& graph, const SymbolValues& values) {
  for (const Value* state : graph.states()) {
    std::vector<Dim> symbols;
    for (const Dim& dim : state->shape()) dim.collect_symbols(symbols);
    for (const Dim& symbol : symbols) {
      if (values.count(symbol.symbol_name())) continue;
      fail(ErrorCode::does_not_fit,
           "nobody said how large \"{}\" of state \"{}\" is; a language model is run by generate", symbol.symbol_name(),
           state->name());
    }
  }
}

}  // namespace

void check_guards(const Graph& graph, const SymbolValues& values) {
  for (const Guard& guard : graph.guards()) {
    const int64_t a = evaluate(guard.a, values), b = evaluate(guard.b, values);
    if (a != b) {
      std::vector<Dim> symbols;
      guard.a.collect_symbols(symbols), guard.b.collect_symbols(symbols);
      fail(ErrorCode::does_not_fit, "{}: {} = {} but {} = {} ({})", guard.what, guard.a.text(), a, guard.b.text(), b,
           origins(graph, symbols, values));
    }
  }
}

SymbolValues bind_symbols(const Graph& graph, const std::vector<Dims>& input_dims) {
  if (input_dims.size() != graph.inputs().size()) {
    fail(ErrorCode::does_not_fit, "{} inputs given, the graph has {}", input_dims.size(), graph.inputs().size());
  }
  for (size_t i = 0; i < input_dims.size(); ++i)
    check_input(*graph.inputs()[i], i, graph.inputs()[i]->dtype(), input_dims[i]);
  SymbolValues values;
  bind_sizes(graph, values, input_dims);
  for (const SymbolSource& source : graph.symbol_sources()) {
    if (source.element >= 0 && !values.count(source.symbol.symbol_name())) {
      fail(ErrorCode::failed, "the contents of input \"{}\" decide shapes and must be bound",
           graph.inputs()[static_cast<size_t>(source.input)]->name());
    }
  }
  check_input_sizes(graph, values, input_dims);
  check_guards(graph, values);
  return values;
}

SymbolValues bind_symbols(const Graph& graph, const std::vector<Tensor>& inputs, const SymbolValues& given) {
  if (inputs.size() != graph.inputs().size()) {
    fail(ErrorCode::does_not_fit, "{} inputs given, the graph has {}", inputs.size(), graph.inputs().size());
  }
  std::vector<Dims> dims;
  for (size_t i = 0; i < inputs.size(); ++i) {
    check_input(*graph.inputs()[i], i, inputs[i].dtype, inputs[i].dims);
    dims.push_back(inputs[i].dims);
  }
  SymbolValues values = given;
  bind_sizes(graph, values, dims);
  for (const SymbolSource& source : graph.symbol_sources()) {
    if (source.element < 0) continue;
    const Tensor& input = inputs[static_cast<size_t>(source.input)];
    set_symbol(graph, values, source.symbol, element_as_int(input, source.element),
               fmt::format("element {} of input \"{}\"", source.element,
                           graph.inputs()[static_cast<size_t>(source.input)]->name()));
  }
  check_input_sizes(graph, values, dims);
  check_state_sizes(graph, values);
  check_guards(graph, values);
  return values;
}

std::vector<Tensor> run_reference(const Node& node, const std::vector<Tensor>& inputs,
                                  const std::function<int64_t(const Dim&)>& evaluate) {
  std::vector<Tensor> outputs;
  for (const Value* value : node.outputs()) {
    Dims dims;
    for (const Dim& dim : value->shape()) dims.push_back(evaluate(dim));
    outputs.push_back(Tensor::allocate(value->dtype(), std::move(dims)));
  }
  ReferenceContext context{node, inputs, outputs, evaluate};
  node.op().reference(context);
  return outputs;
}

namespace {

// Symbols in the shapes of states, told from their sizes.
SymbolValues state_symbols(const Graph& graph, const std::vector<Tensor>& states) {
  if (states.size() != graph.states().size()) {
    fail(ErrorCode::does_not_fit, "{} states given, the graph has {}", states.size(), graph.states().size());
  }
  SymbolValues values;
  for (size_t i = 0; i < states.size(); ++i) {
    const Value& state = *graph.states()[i];
    const std::string where = fmt::format("state \"{}\"", state.name());
    check_value(where, state, states[i].dtype, states[i].dims);
    for (size_t axis = 0; axis < states[i].dims.size(); ++axis) {
      if (state.shape()[axis].is_symbol()) set_symbol(graph, values, state.shape()[axis], states[i].dims[axis], where);
    }
  }
  return values;
}

std::vector<Tensor> run_graph(const Graph& graph, const std::vector<Tensor>& inputs, const std::vector<Tensor>& states,
                              const std::function<int64_t(const Dim&)>& evaluate,
                              const std::function<void(const Value&, const Tensor&)>& watch) {
  std::unordered_map<const Value*, Tensor> live;
  std::unordered_map<const Value*, size_t> left;
  for (size_t i = 0; i < inputs.size(); ++i) live[graph.inputs()[i]] = inputs[i];
  for (size_t i = 0; i < states.size(); ++i) live[graph.states()[i]] = states[i];
  for (const auto& value : graph.values()) {
    if (value->is_constant()) live[value.get()] = aligned(value->tensor());
    left[value.get()] = value->users().size();
  }
  for (const Value* value : graph.outputs()) ++left[value];
  for (const Node* node = graph.first(); node; node = node->next()) {
    std::vector<Tensor> operands;
    for (const Value* value : node->inputs()) operands.push_back(value ? live.at(value) : Tensor());
    std::vector<Tensor> results;
    with_context([&] { return fmt::format("node \"{}\" ({})", node->label(), node->op().name); },
                 [&] { results = run_reference(*node, operands, evaluate); });
    for (size_t i = 0; i < results.size(); ++i) {
      const int operand = updated_state(*node, i);
      if (operand < 0 || results[i].bytes() == 0) continue;
      std::memcpy(live.at(node->input(static_cast<size_t>(operand))->state()).data, results[i].data,
                  results[i].bytes());
    }
    for (size_t i = 0; i < results.size(); ++i) {
      if (watch) watch(*node->output(i), results[i]);
      if (left[node->output(i)]) live[node->output(i)] = std::move(results[i]);
    }
    for (const Value* value : node->inputs()) {
      if (value && --left[value] == 0) live.erase(value);
    }
  }
  std::vector<Tensor> outputs;
  for (const Value* value : graph.outputs()) outputs.push_back(live.at(value));
  return outputs;
}

}  // namespace

std::vector<Tensor> interpret_body(const Graph& body, const std::vector<Tensor>& inputs,
                                   const std::function<int64_t(const Dim&)>& evaluate) {
  return run_graph(body, inputs, {}, evaluate, {});
}

std::vector<Tensor> interpret(const Graph& graph, const std::vector<Tensor>& inputs,
                              const std::function<void(const Value&, const Tensor&)>& watch,
                              const std::vector<Tensor>& states) {
  const SymbolValues values = bind_symbols(graph, inputs, state_symbols(graph, states));
  return run_graph(
      graph, inputs, states, [&](const Dim& dim) { return evaluate(dim, values); }, watch);
}

}  // namespace narae
