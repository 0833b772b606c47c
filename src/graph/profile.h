// SPDX-License-Identifier: Apache-2.0
// The range of shapes an engine is built for: min, opt and max per symbol. Selection tunes at opt; shapes outside
// [min, max] are refused with the symbol's name.
#pragma once

#include <map>
#include <string>

#include "tensor/dim.h"

namespace narae {

struct SymbolRange {
  int64_t min = 1, opt = 1, max = Dim::no_limit;
  friend bool operator==(const SymbolRange& a, const SymbolRange& b) {
    return a.min == b.min && a.opt == b.opt && a.max == b.max;
  }
};

struct Profile {
  std::map<std::string, SymbolRange> symbols;  // by symbol name; absent: any size, opt 1
};

// Values of all symbols of a graph.
using SymbolValues = std::map<std::string, int64_t>;

inline int64_t evaluate(const Dim& dim, const SymbolValues& values) {
  if (dim.is_constant()) return dim.value();
  return dim.evaluate([&](const std::string& name) { return values.at(name); });
}
inline Dims evaluate(const Shape& shape, const SymbolValues& values) {
  Dims dims;
  for (const Dim& dim : shape) dims.push_back(evaluate(dim, values));
  return dims;
}

}  // namespace narae
