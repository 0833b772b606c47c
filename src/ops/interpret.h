// SPDX-License-Identifier: Apache-2.0
// The only code that runs a Graph by the references of its ops: constant folding, backend/fake, the fallback of every
// backend, golden tests and op tests all come here.
#pragma once

#include <functional>
#include <vector>

#include "graph/graph.h"
#include "graph/profile.h"

namespace narae {

// Values of the graph's symbols for these inputs (sizes; contents of inputs that decide shapes). Throws does_not_fit
// when an input has another rank, type or fixed size than the graph says, when a symbol would have two values, lies
// outside its bounds, or a guard fails: the message names input or guard. `given`: symbols that states bring.
SymbolValues bind_symbols(const Graph& graph, const std::vector<Tensor>& inputs, const SymbolValues& given = {});
// The same from sizes alone, where no input's contents decide shapes.
SymbolValues bind_symbols(const Graph& graph, const std::vector<Dims>& input_dims);
void check_guards(const Graph& graph, const SymbolValues& values);

// Host tensors in, host tensors out, in the order of the graph's inputs and outputs. `watch`, when given, sees every
// result as it is made. `states`: one for each of the graph's, updated in place.
std::vector<Tensor> interpret(const Graph& graph, const std::vector<Tensor>& inputs,
                              const std::function<void(const Value&, const Tensor&)>& watch = {},
                              const std::vector<Tensor>& states = {});
// A body: symbols are those of the graph around it.
std::vector<Tensor> interpret_body(const Graph& body, const std::vector<Tensor>& inputs,
                                   const std::function<int64_t(const Dim&)>& evaluate);
// One node on given operands; allocates the results.
std::vector<Tensor> run_reference(const Node& node, const std::vector<Tensor>& inputs,
                                  const std::function<int64_t(const Dim&)>& evaluate);

}  // namespace narae
