// SPDX-License-Identifier: Apache-2.0
// Checks the wiring of a list of nodes and says in which order they can be imported. ONNX asks for sorted nodes; files
// that are not sorted are sorted here, so that only true cycles are refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "import/onnx/model_proto.h"

namespace narae::onnx {

// Indexes into `nodes`, each after those it reads from; `nodes` order where that is possible. `given` are the names
// known from outside (inputs, initializers). Throws Error bad_file for a name given twice, a name nobody gives, and
// cycles; linear in the size of the graph.
std::vector<size_t> execution_order(const std::vector<NodeProto>& nodes, const std::vector<std::string_view>& given);

// How errors call a node: its name, else its first output, else its place.
std::string node_label(const NodeProto& node, size_t index);

}  // namespace narae::onnx
