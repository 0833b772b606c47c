// SPDX-License-Identifier: Apache-2.0
// Sizes of inputs as people write them, "NAME:1x3x224x224,..", and the Profile that three such lists make. Symbols are
// found through the input's axes: what an axis with a fixed size says must be that size.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "graph/profile.h"

namespace narae {

struct NamedDims {
  std::string name;
  Dims dims;
};
using ShapeList = std::vector<NamedDims>;

// A name may hold colons, the last one counts; "NAME:" is a scalar. Throws Error usage naming `option`.
ShapeList parse_shape_list(std::string_view text, std::string_view option);

// What the listed sizes say of the graph's symbols. Throws usage for a name that is no input, does_not_fit for another
// rank, another fixed size or two values of one symbol.
SymbolValues symbol_values(const Graph& graph, const ShapeList& shapes);

struct ShapeRanges {
  ShapeList min, opt, max;
  bool empty() const { return min.empty() && opt.empty() && max.empty(); }
};

// One range for each symbol that some list names. What a list leaves out: min is the least the model allows (1 at
// least), max the most, opt is max where that was given, else min.
Profile make_profile(const Graph& graph, const ShapeRanges& ranges);

}  // namespace narae
