// SPDX-License-Identifier: Apache-2.0
// The one form of every model: SSA over Values. Nodes are kept in a topological order at all times; whoever inserts a
// node says before which. A Graph owns its Nodes and Values; pointers stay valid until erase().
#pragma once

#include <list>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "graph/op_def.h"

namespace narae {

enum class ValueKind : uint8_t { input, constant, state, temporary };

class Value {
 public:
  ValueKind kind() const { return kind_; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int rank() const { return static_cast<int>(shape_.size()); }
  // Name from the model; may be empty for temporaries. Unique ids for printing come from Graph.
  const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }
  Node* producer() const { return producer_; }  // null unless temporary
  int index() const { return index_; }          // which result of the producer
  // One entry per operand slot that reads this value (a node that reads it twice stands twice).
  const std::vector<Node*>& users() const { return users_; }
  // Of a constant: the bytes. Shared with the file they are mapped from.
  const Tensor& tensor() const;
  // Small integer contents as Dims, where known (also of constants with at most 64 integers).
  const std::vector<Dim>* contents() const { return contents_.get(); }
  // Marked as an additional result: no pass fuses across it.
  bool keep() const { return keep_; }
  void set_keep(bool keep) { keep_ = keep; }
  // The state that this is, or whose latest contents this is (behind nodes that write into it); else null.
  const Value* state() const;
  bool is_constant() const { return kind_ == ValueKind::constant; }
  // A constant of exactly one element, as double; false otherwise.
  bool scalar_constant(double& value) const;

 private:
  friend class Graph;
  friend class InferContext;
  ValueKind kind_ = ValueKind::temporary;
  DType dtype_ = DType::f32;
  bool keep_ = false;
  int index_ = 0;
  Node* producer_ = nullptr;
  Shape shape_;
  std::string name_;
  std::vector<Node*> users_;
  Tensor tensor_;
  std::unique_ptr<std::vector<Dim>> contents_;
  std::list<std::unique_ptr<Value>>::iterator place_;
};

class Node {
 public:
  const OpDef& op() const { return *op_; }
  bool is(std::string_view op_name) const { return op_name == op_->name; }
  template <typename T>
  const T& attributes() const {
    return *static_cast<const T*>(attributes_->value());
  }
  const Attributes& attribute_box() const { return attributes_; }
  const std::vector<Value*>& inputs() const { return inputs_; }  // absent optional operands are null
  const std::vector<Value*>& outputs() const { return outputs_; }
  Value* input(size_t i) const { return i < inputs_.size() ? inputs_[i] : nullptr; }
  Value* output(size_t i = 0) const { return outputs_[i]; }
  const std::vector<std::unique_ptr<Graph>>& bodies() const { return bodies_; }
  // An op that writes into a state; of fused nodes see graph/updates.h.
  bool updates_state() const { return op_->has(op_updates) && inputs_[0]->state(); }
  // Names of the model's nodes this one stands for.
  const std::set<std::string>& origins() const { return origins_; }
  void add_origins(const std::set<std::string>& names) { origins_.insert(names.begin(), names.end()); }
  // First origin, or the name of the first result, or the op: for messages.
  std::string label() const;
  Node* next() const;  // in topological order; null at the end
  Node* previous() const;
  int64_t order() const {
    return order_;
  }  // strictly increasing along the list: a.order() < b.order() <=> a stands before b

 private:
  friend class Graph;
  const OpDef* op_ = nullptr;
  Graph* graph_ = nullptr;
  Attributes attributes_;
  std::vector<Value*> inputs_;
  std::vector<Value*> outputs_;
  std::vector<std::unique_ptr<Graph>> bodies_;
  std::set<std::string> origins_;
  int64_t order_ = 0;
  std::list<std::unique_ptr<Node>>::iterator place_;
};

// A size relation that could not be proved while building; checked when shapes are bound.
struct Guard {
  Dim a, b;          // must be equal
  std::string what;  // node and reason, for the message
};

// How the value of a symbol is found when inputs are bound.
struct SymbolSource {
  Dim symbol;
  int input = 0;         // index into inputs()
  int axis = -1;         // size of this axis, or
  int64_t element = -1;  // this element of the (integer, host) contents
};

class Graph {
 public:
  explicit Graph(const OpTable& ops, std::string name = {}) : ops_(&ops), name_(std::move(name)) {}
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  const OpTable& ops() const { return *ops_; }
  const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }

  // A fresh symbol; `hint` becomes its name, made unique (N, N_2, ...).
  Dim new_symbol(std::string_view hint, int64_t low = 0, int64_t high = Dim::no_limit);
  // Symbols on their own in `shape` that have no source yet get this input's axis as source.
  Value* add_input(std::string name, DType dtype, Shape shape);
  Value* add_state(std::string name, DType dtype, Shape shape);
  Value* add_constant(Tensor tensor, std::string name = {});
  // A small integer input that decides shapes: gives it one symbol per element as contents. Rank <= 1, static size.
  void symbolise_contents(Value* input);
  void set_input_contents(Value* input, std::vector<Dim> contents);

  // Infers the result types at once; `before` null: at the end. Throws Error with the node's label as context.
  Node* add_node(const OpDef* op, Attributes attributes, std::vector<Value*> inputs, int outputs = 1,
                 Node* before = nullptr, std::unique_ptr<Graph> body = nullptr);
  void replace_uses(Value* old_value, Value* new_value);  // operands and graph outputs; not inside bodies
  void set_input(Node* node, size_t i, Value* value);
  // Puts `node` before another; its operands must still come before it, its readers after.
  void move(Node* node, Node* before);
  void erase(Node* node);    // its results must be unused; they are erased too
  void erase(Value* value);  // an unused constant or input
  int erase_dead();          // nodes and constants nothing depends on; returns how many

  const std::vector<Value*>& inputs() const { return inputs_; }
  const std::vector<Value*>& states() const { return states_; }
  const std::vector<Value*>& outputs() const { return outputs_; }
  const std::vector<std::string>& output_names() const { return output_names_; }
  void add_output(Value* value, std::string name = {});
  void set_output(size_t i, Value* value);
  Node* first() const { return nodes_.empty() ? nullptr : nodes_.front().get(); }
  Node* last() const { return nodes_.empty() ? nullptr : nodes_.back().get(); }
  size_t node_count() const { return nodes_.size(); }
  const std::list<std::unique_ptr<Value>>& values() const { return values_; }
  bool is_output(const Value* value) const;

  const std::vector<Guard>& guards() const { return guards_; }
  void add_guard(Dim a, Dim b, std::string what);
  void clear_guards() { guards_.clear(); }  // of a body, whose guards the graph around it has
  const std::vector<SymbolSource>& symbol_sources() const { return symbol_sources_; }
  const std::vector<Dim>& symbols() const { return symbols_; }
  void add_symbol(const Dim& symbol);  // one made elsewhere, such as by the parser
  void add_symbol_source(SymbolSource source) { symbol_sources_.push_back(std::move(source)); }
  // Free-form facts from the model file (ONNX metadata_props, ...).
  std::vector<std::pair<std::string, std::string>>& metadata() { return metadata_; }
  const std::vector<std::pair<std::string, std::string>>& metadata() const { return metadata_; }

  // A deep copy; constants share their bytes. `values`, when given, maps old to new.
  std::unique_ptr<Graph> clone(std::unordered_map<const Value*, Value*>* values = nullptr) const;
  // Everything an honest graph must be: order, links, types as infer says, bodies. Throws Error internal.
  void verify() const;

 private:
  friend class Node;
  std::list<std::unique_ptr<Node>>::const_iterator nodes_begin() const { return nodes_.begin(); }
  std::list<std::unique_ptr<Node>>::const_iterator nodes_end() const { return nodes_.end(); }
  Value* new_value(ValueKind kind, DType dtype, Shape shape, std::string name);
  void link(Node* node, Value* value);
  void unlink(Node* node, Value* value);
  void number(Node* node);
  const OpTable* ops_;
  std::string name_;
  std::list<std::unique_ptr<Node>> nodes_;
  std::list<std::unique_ptr<Value>> values_;
  std::vector<Value*> inputs_, states_, outputs_;
  std::vector<std::string> output_names_;
  std::vector<Guard> guards_;
  std::vector<SymbolSource> symbol_sources_;
  std::vector<Dim> symbols_;
  std::set<std::string> symbol_names_;
  std::unordered_map<std::string, int> symbol_counts_;
  std::vector<std::pair<std::string, std::string>> metadata_;
};

template <typename T>
const T& InferContext::attributes() const {
  return node_.attributes<T>();
}
template <typename T>
const T& ReferenceContext::attributes() const {
  return node.attributes<T>();
}

}  // namespace narae
