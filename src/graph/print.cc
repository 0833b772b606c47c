// SPDX-License-Identifier: Apache-2.0
// Graph -> text. Ids are given in print order, so equal graphs print equally.
#include <map>
#include <unordered_map>

#include "graph/text.h"

namespace narae {
namespace {

struct Printer {
  const PrintOptions& options;
  std::string out;
  int next_id = 0;

  using Ids = std::unordered_map<const Value*, int>;

  static std::string type_text(const Value& value) {
    return std::string(dtype_name(value.dtype())) + shape_text(value.shape());
  }
  std::string name_text(const Value& value) {
    return value.name().empty() ? std::string() : " " + field_text(value.name());
  }
  std::string ref(const Ids& ids, const Value* value) {
    return value ? fmt::format("%{}", ids.at(value)) : std::string("_");
  }

  void constant(const Ids& ids, const Value& value, const std::string& indent) {
    out += fmt::format("{}const {}{} {} ", indent, ref(ids, &value), name_text(value), type_text(value));
    const Tensor& tensor = value.tensor();
    const bool elsewhere = !tensor.data && tensor.count() > 0;  // an engine file holds it in a packed form only
    if (tensor.count() > options.inline_limit || elsewhere) {
      const std::string leaf = options.leaf_name ? options.leaf_name(value)
                               : elsewhere       ? "packed"
                                                 : fmt::format("{:016x}", hash_contents(tensor));
      out += "leaf " + leaf + "\n";
      return;
    }
    out += "{";
    for (int64_t i = 0; i < tensor.count(); ++i) {
      if (i) out += ", ";
      out += is_float(tensor.dtype) ? field_text(element_as_double(tensor, i)) : field_text(element_as_int(tensor, i));
    }
    out += "}\n";
  }

  void node(Ids& ids, const Node& node, const std::string& indent) {
    out += indent;
    for (size_t i = 0; i < node.outputs().size(); ++i) {
      const Value& value = *node.output(i);
      ids[&value] = next_id++;
      out += fmt::format("{}{}{} {}", i ? ", " : "", ref(ids, &value), name_text(value), type_text(value));
    }
    out += fmt::format(" = {}(", node.op().name);
    for (size_t i = 0; i < node.inputs().size(); ++i) out += (i ? ", " : "") + ref(ids, node.input(i));
    out += ")";
    const std::string attributes = node.attribute_box()->text();
    if (!attributes.empty()) out += " " + attributes;
    if (!node.origins().empty()) {
      out += " from";
      for (const std::string& origin : node.origins()) out += " " + field_text(origin);
    }
    for (const auto& body : node.bodies()) {
      out += " body {\n";
      contents(*body, indent + "  ");
      out += indent + "}";
    }
    out += "\n";
  }

  void contents(const Graph& graph, const std::string& indent) {
    Ids ids;
    for (const Dim& symbol : graph.symbols()) {
      out += fmt::format("{}symbol {} {} {}\n", indent, symbol.symbol_name(), symbol.low(), symbol.high());
    }
    for (const Value* value : graph.inputs()) {
      ids[value] = next_id++;
      out += fmt::format("{}input {}{} {}{}\n", indent, ref(ids, value), name_text(*value), type_text(*value),
                         contents_text(*value));
    }
    for (const Value* value : graph.states()) {
      ids[value] = next_id++;
      out += fmt::format("{}state {}{} {}\n", indent, ref(ids, value), name_text(*value), type_text(*value));
    }
    for (const auto& value : graph.values()) {
      if (value->kind() != ValueKind::constant) continue;
      ids[value.get()] = next_id++;
      constant(ids, *value, indent);
    }
    for (const Node* at = graph.first(); at; at = at->next()) node(ids, *at, indent);
    // In the order of the ids: that of values() depends on how the graph was edited.
    std::map<int, const Value*> kept;
    for (const auto& value : graph.values()) {
      if (value->keep()) kept[ids.at(value.get())] = value.get();
    }
    for (const auto& [id, value] : kept) out += fmt::format("{}keep {}\n", indent, ref(ids, value));
    for (size_t i = 0; i < graph.outputs().size(); ++i) {
      out += fmt::format("{}output {} {}\n", indent, ref(ids, graph.outputs()[i]), field_text(graph.output_names()[i]));
    }
    for (const SymbolSource& source : graph.symbol_sources()) {
      out += fmt::format("{}source {} input {} {} {}\n", indent, source.symbol.text(), source.input,
                         source.axis >= 0 ? "axis" : "element", source.axis >= 0 ? source.axis : source.element);
    }
    for (const Guard& guard : graph.guards()) {
      out += fmt::format("{}guard {} == {} {}\n", indent, guard.a.text(), guard.b.text(), field_text(guard.what));
    }
    for (const auto& [key, value] : graph.metadata()) {
      out += fmt::format("{}metadata {} {}\n", indent, field_text(key), field_text(value));
    }
  }

  // An input whose elements decide shapes prints their symbols.
  static std::string contents_text(const Value& value) {
    return value.contents() ? " contents " + field_text(*value.contents()) : std::string();
  }
};

}  // namespace

std::string print_graph(const Graph& graph, const PrintOptions& options) {
  Printer printer{options, {}};
  printer.out = fmt::format("graph {} {{\n", field_text(graph.name()));
  printer.contents(graph, "  ");
  printer.out += "}\n";
  return printer.out;
}

}  // namespace narae
