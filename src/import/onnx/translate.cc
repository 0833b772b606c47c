// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/translate.h"

#include <algorithm>
#include <unordered_set>

#include "base/error.h"
#include "import/onnx/graph_order.h"
#include "import/onnx/to_tensor.h"

namespace narae::onnx {

namespace {

constexpr int max_call_depth = 32;
constexpr size_t max_nodes = 4'000'000;  // functions that call functions can grow a small file without end

std::string_view plain_domain(std::string_view domain) { return domain == "ai.onnx" ? std::string_view() : domain; }

std::string function_key(std::string_view domain, std::string_view name, std::string_view overload) {
  return fmt::format("{}\n{}\n{}", plain_domain(domain), name, overload);
}

std::unordered_map<std::string_view, int64_t> opsets_of(const std::vector<OpsetImport>& imports) {
  std::unordered_map<std::string_view, int64_t> opsets;
  for (const OpsetImport& import : imports) opsets[plain_domain(import.domain)] = import.version;
  return opsets;
}

// Operands whose values decide the shape of the result, by operator.
std::vector<size_t> shape_operands(std::string_view op) {
  if (op == "Reshape" || op == "Expand" || op == "Tile" || op == "Pad" || op == "TopK" || op == "Split") {
    return {1};
  }
  if (op == "ConstantOfShape" || op == "CenterCropPad") return {op == "CenterCropPad" ? size_t{1} : size_t{0}};
  if (op == "Range") return {0, 1, 2};
  if (op == "Slice") return {1, 2};
  if (op == "Resize") return {3};
  if (op == "OneHot" || op == "AffineGrid" || op == "Trilu") return {1};
  if (op == "Col2Im") return {1, 2};
  if (op == "BlackmanWindow" || op == "HannWindow" || op == "HammingWindow") return {0};
  return {};
}

const char* type_kind_name(TypeProto::Kind kind) {
  switch (kind) {
    case TypeProto::Kind::sequence: return "a sequence";
    case TypeProto::Kind::map: return "a map";
    case TypeProto::Kind::optional: return "an optional";
    case TypeProto::Kind::sparse_tensor: return "a sparse tensor";
    default: return "without a type";
  }
}

}  // namespace

Translation::Translation(const ModelProto& model, TensorSource& source, Graph& graph)
    : model_(model), source_(source), graph_(graph), builder_(graph), emit_(builder_) {
  scope_.opsets = opsets_of(model.opset_imports);
  for (const FunctionProto& function : model.functions) {
    if (!functions_.emplace(function_key(function.domain, function.name, function.overload), &function).second) {
      fail(ErrorCode::bad_file, "function {} is defined twice", function.name);
    }
  }
}

void Translation::run() {
  if (!model_.graph.sparse_initializers.empty()) {
    fail(ErrorCode::bad_file, "sparse initializer \"{}\" is not supported; store it densely",
         model_.graph.sparse_initializers[0]);
  }
  refuse_missing();
  add_constants();
  add_inputs();
  symbolise_inputs();
  std::vector<std::string_view> given;
  for (const auto& [name, value] : scope_.values) given.push_back(name);
  run_nodes(model_.graph.nodes, scope_, given, 0);
  add_outputs();
  for (const StringEntry& entry : model_.metadata_props) graph_.metadata().emplace_back(entry.key, entry.value);
}

const FunctionProto* Translation::find_function(const NodeProto& node) const {
  const auto found = functions_.find(function_key(node.domain, node.op_type, node.overload));
  return found == functions_.end() ? nullptr : found->second;
}

void Translation::collect_missing(const std::vector<NodeProto>& nodes, int depth,
                                  std::map<std::string, std::pair<int, std::string>>& missing) const {
  for (size_t i = 0; i < nodes.size(); ++i) {
    const NodeProto& node = nodes[i];
    if (find_function(node) || find_onnx_op(node.domain, node.op_type)) continue;
    const std::string_view domain = plain_domain(node.domain);
    auto& [count, first] =
        missing[domain.empty() ? std::string(node.op_type) : fmt::format("{}.{}", domain, node.op_type)];
    if (count++ == 0) first = node_label(node, i);
  }
}

void Translation::refuse_missing() const {
  std::map<std::string, std::pair<int, std::string>> missing;
  collect_missing(model_.graph.nodes, 0, missing);
  for (const FunctionProto& function : model_.functions) collect_missing(function.nodes, 0, missing);
  if (missing.empty()) return;
  std::string list;
  for (const auto& [op, where] : missing) {
    const std::string_view why = why_refused(op);
    list += fmt::format("{}{}{}{}{} ({} node{}, first \"{}\")", list.empty() ? "" : ", ", op, why.empty() ? "" : " [",
                        why, why.empty() ? "" : "]", where.first, where.first == 1 ? "" : "s", where.second);
  }
  fail(ErrorCode::bad_file, "{} operator{} not supported: {}; export the model without {}", missing.size(),
       missing.size() == 1 ? " is" : "s are", list, missing.size() == 1 ? "it" : "them");
}

void Translation::add_constants() {
  for (const TensorProto& tensor : model_.graph.initializers) {
    with_context([&] { return fmt::format("initializer \"{}\"", tensor.name); },
                 [&] {
                   if (tensor.name.empty()) fail(ErrorCode::bad_file, "it has no name; export the model again");
                   Value*& value = scope_.values[tensor.name];
                   if (value) fail(ErrorCode::bad_file, "the name is given twice; names must be unique");
                   value = graph_.add_constant(to_tensor(tensor, source_), std::string(tensor.name));
                 });
  }
}

Dim Translation::dim_of(const Dimension& dimension, std::string_view input, size_t axis) {
  if (dimension.has_value && dimension.value >= 0) {
    if (dimension.value > Dim::no_limit)
      fail(ErrorCode::bad_file, "axis {} of size {} is too large", axis, dimension.value);
    return dimension.value;
  }
  const std::string param(dimension.param);
  const bool names_something =
      !dimension.has_value && !param.empty() && param.find('?') == std::string::npos && param[0] != '-';
  // Exporters of TensorFlow write 1e9 for "to the end" of a slice: below it, that is what it is.
  constexpr int64_t longest_axis = 999'999'999;
  if (!names_something) return graph_.new_symbol(fmt::format("{}_{}", input, axis), 0, longest_axis);
  const auto known = symbols_.find(param);
  if (known != symbols_.end()) return known->second;
  return symbols_.emplace(param, graph_.new_symbol(param, 0, longest_axis)).first->second;
}

void Translation::add_inputs() {
  std::unordered_set<std::string_view> seen;
  for (const ValueInfoProto& input : model_.graph.inputs) {
    with_context([&] { return fmt::format("input \"{}\"", input.name); },
                 [&] {
                   if (!seen.insert(input.name).second)
                     fail(ErrorCode::bad_file, "the name is given twice; names must be unique");
                   if (scope_.values.count(input.name) > 0)
                     return;  // before IR 4 every initializer is listed as an input too
                   if (input.type.kind != TypeProto::Kind::tensor) {
                     fail(ErrorCode::bad_file, "it is {}, not a tensor; export the model with tensor inputs",
                          type_kind_name(input.type.kind));
                   }
                   if (!input.type.has_shape)
                     fail(ErrorCode::bad_file, "its rank is not given; export the model with input shapes");
                   Shape shape;
                   for (const Dimension& dimension : input.type.shape)
                     shape.push_back(dim_of(dimension, input.name, shape.size()));
                   scope_.values[input.name] =
                       graph_.add_input(std::string(input.name), to_dtype(input.type.elem_type), shape);
                 });
  }
}

// An input that some operand deciding a shape can be followed back to carries its contents as symbols, from the start,
// so that every value computed from it does too.
void Translation::symbolise_inputs() {
  std::unordered_map<std::string_view, const NodeProto*> producers;
  std::vector<std::string_view> todo;
  for (const NodeProto& node : model_.graph.nodes) {
    for (const std::string_view output : node.outputs) producers[output] = &node;
    for (const size_t i : shape_operands(node.op_type)) {
      if (i < node.inputs.size()) todo.push_back(node.inputs[i]);
    }
    if (find_function(node)) todo.insert(todo.end(), node.inputs.begin(), node.inputs.end());
  }
  std::unordered_set<std::string_view> seen;
  while (!todo.empty()) {
    const std::string_view name = todo.back();
    todo.pop_back();
    if (name.empty() || !seen.insert(name).second) continue;
    const auto known = scope_.values.find(name);
    if (known != scope_.values.end()) {
      Value* value = known->second;
      const bool integers = value->dtype() == DType::i64 || value->dtype() == DType::i32;
      if (value->kind() == ValueKind::input && integers && value->rank() <= 1 && is_static(value->shape()) &&
          element_count(static_dims(value->shape())) <= 64) {
        graph_.symbolise_contents(value);
      }
      continue;
    }
    const auto producer = producers.find(name);
    if (producer == producers.end() || producer->second->op_type == "Shape" || producer->second->op_type == "Size")
      continue;
    todo.insert(todo.end(), producer->second->inputs.begin(), producer->second->inputs.end());
  }
}

void Translation::run_nodes(const std::vector<NodeProto>& nodes, Scope& scope,
                            const std::vector<std::string_view>& given, int depth) {
  for (const size_t i : execution_order(nodes, given)) {
    if (++node_count_ > max_nodes) fail(ErrorCode::bad_file, "more than {} nodes after inlining functions", max_nodes);
    const std::string label = scope.prefix + node_label(nodes[i], i);
    with_context([&] { return fmt::format("node \"{}\" ({})", label, nodes[i].op_type); },
                 [&] { run_node(nodes[i], scope, label, depth); });
  }
}

void Translation::run_node(const NodeProto& node, Scope& scope, const std::string& label, int depth) {
  if (const FunctionProto* function = find_function(node)) {
    call_function(*function, node, scope, label, depth);
    return;
  }
  const OnnxOp* op = find_onnx_op(node.domain, node.op_type);
  NARAE_CHECK(op);
  builder_.set_origins({label});
  OnnxNode context(emit_, source_, scope, node, op->narae_op);
  const Results results = op->import(context);
  context.check_all_read();
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i].empty()) continue;
    if (i >= results.size() || !results[i]) {
      fail(ErrorCode::bad_file, "output {} \"{}\" is not supported; export the model without it", i, node.outputs[i]);
    }
    Value* value = results[i];
    if (value->producer() && value->name().empty() && depth == 0) value->set_name(std::string(node.outputs[i]));
    scope.values[node.outputs[i]] = value;
  }
}

void Translation::call_function(const FunctionProto& function, const NodeProto& call, Scope& caller,
                                const std::string& label, int depth) {
  if (depth >= max_call_depth) fail(ErrorCode::bad_file, "function {} calls itself", function.name);
  if (call.inputs.size() > function.inputs.size() || call.outputs.size() > function.outputs.size()) {
    fail(ErrorCode::bad_file, "function {} has {} inputs and {} outputs, the call has {} and {}", function.name,
         function.inputs.size(), function.outputs.size(), call.inputs.size(), call.outputs.size());
  }
  Scope scope;
  scope.prefix = label + "/";
  scope.opsets = opsets_of(function.opset_imports);
  std::vector<std::string_view> given;
  for (size_t i = 0; i < function.inputs.size(); ++i) {
    const bool present = i < call.inputs.size() && !call.inputs[i].empty();
    scope.values[function.inputs[i]] = present ? caller.values.at(call.inputs[i]) : nullptr;
    given.push_back(function.inputs[i]);
  }
  for (const AttributeProto& attribute : function.attribute_defaults) scope.attributes[attribute.name] = &attribute;
  for (const AttributeProto& attribute : call.attributes) {
    const AttributeProto* actual = &attribute;
    if (!attribute.ref_attr_name.empty()) {
      const auto outer = caller.attributes.find(attribute.ref_attr_name);
      if (outer == caller.attributes.end()) continue;
      actual = outer->second;
    }
    scope.attributes[attribute.name] = actual;
  }
  run_nodes(function.nodes, scope, given, depth + 1);
  for (size_t i = 0; i < call.outputs.size(); ++i) {
    if (call.outputs[i].empty()) continue;
    const auto made = scope.values.find(function.outputs[i]);
    if (made == scope.values.end() || !made->second) {
      fail(ErrorCode::bad_file, "function {} never makes its output {}", function.name, function.outputs[i]);
    }
    caller.values[call.outputs[i]] = made->second;
  }
}

void Translation::add_outputs() {
  if (model_.graph.outputs.empty()) fail(ErrorCode::bad_file, "the graph has no outputs; export the model again");
  for (const ValueInfoProto& output : model_.graph.outputs) {
    const auto found = scope_.values.find(output.name);
    if (found == scope_.values.end()) {
      fail(ErrorCode::bad_file, "output \"{}\" is given by no node, input or initializer", output.name);
    }
    graph_.add_output(found->second, std::string(output.name));
  }
}

}  // namespace narae::onnx
