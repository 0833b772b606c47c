// SPDX-License-Identifier: Apache-2.0
#include "load/shape_list.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace narae {
namespace {

Dims parse_dims(std::string_view text, std::string_view item, std::string_view option) {
  Dims dims;
  while (!text.empty()) {
    int64_t dim = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), dim);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    const bool more = !text.empty() && text[0] == 'x' && text.size() > 1;
    if (error != std::errc() || dim < 0 || dim > Dim::no_limit || (!text.empty() && !more)) {
      fail(ErrorCode::usage, "{} wants NAME:1x3x224x224,.., not \"{}\"", option, item);
    }
    dims.push_back(dim);
    if (more) text.remove_prefix(1);
  }
  return dims;
}

std::string input_names(const Graph& graph) {
  std::string names;
  for (const Value* input : graph.inputs()) names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", input->name());
  return names;
}

const Value& input_named(const Graph& graph, const std::string& name) {
  for (const Value* input : graph.inputs()) {
    if (input->name() == name) return *input;
  }
  fail(ErrorCode::usage, "the model has no input \"{}\"; its inputs are {}", name, input_names(graph));
}

void add_values(SymbolValues& values, const Value& input, const Dims& dims) {
  if (dims.size() != input.shape().size()) {
    fail(ErrorCode::does_not_fit, "input \"{}\" is of shape {}, which {} is not", input.name(),
         shape_text(input.shape()), dims_text(dims));
  }
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    const Dim& dim = input.shape()[axis];
    if (dim.is_constant() && dim.value() != dims[axis]) {
      fail(ErrorCode::does_not_fit, "axis {} of input \"{}\" is always {}, not {}; write {}", axis, input.name(),
           dim.value(), dims[axis], dim.value());
    }
    if (!dim.is_symbol()) continue;
    const auto [it, fresh] = values.emplace(dim.symbol_name(), dims[axis]);
    if (!fresh && it->second != dims[axis]) {
      fail(ErrorCode::does_not_fit, "{} is {} at axis {} of input \"{}\", but {} elsewhere", dim.symbol_name(),
           dims[axis], axis, input.name(), it->second);
    }
  }
}

const int64_t* value_of(const SymbolValues& values, const std::string& name) {
  const auto it = values.find(name);
  return it == values.end() ? nullptr : &it->second;
}

}  // namespace

ShapeList parse_shape_list(std::string_view text, std::string_view option) {
  ShapeList list;
  for (bool more = !text.empty(); more;) {
    const size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
    const size_t colon = item.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
      fail(ErrorCode::usage, "{} wants NAME:1x3x224x224,.., not \"{}\"", option, item);
    }
    const std::string name(item.substr(0, colon));
    for (const NamedDims& other : list) {
      if (other.name == name) fail(ErrorCode::usage, "{} gives \"{}\" twice", option, name);
    }
    list.push_back({name, parse_dims(item.substr(colon + 1), item, option)});
  }
  return list;
}

SymbolValues symbol_values(const Graph& graph, const ShapeList& shapes) {
  SymbolValues values;
  for (const NamedDims& shape : shapes) add_values(values, input_named(graph, shape.name), shape.dims);
  return values;
}

Profile make_profile(const Graph& graph, const ShapeRanges& ranges) {
  const SymbolValues min = symbol_values(graph, ranges.min);
  const SymbolValues opt = symbol_values(graph, ranges.opt);
  const SymbolValues max = symbol_values(graph, ranges.max);
  Profile profile;
  for (const Dim& symbol : graph.symbols()) {
    const std::string& name = symbol.symbol_name();
    const int64_t *low = value_of(min, name), *usual = value_of(opt, name), *high = value_of(max, name);
    if (!low && !usual && !high) continue;
    SymbolRange range;
    range.min = low ? *low : std::max<int64_t>(1, symbol.low());
    range.max = high ? *high : symbol.high();
    range.opt = usual ? *usual : high ? *high : *low;
    if (range.min > range.opt || range.opt > range.max) {
      fail(ErrorCode::does_not_fit, "the profile of {} must be min <= opt <= max, not {} {} {}", name, range.min,
           range.opt, range.max);
    }
    if (range.min < symbol.low() || range.max > symbol.high()) {
      fail(ErrorCode::does_not_fit, "the model allows {} from {} to {}; the profile wants {} to {}", name, symbol.low(),
           symbol.high(), range.min, range.max);
    }
    profile.symbols[name] = range;
  }
  return profile;
}

}  // namespace narae
