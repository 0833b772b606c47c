// SPDX-License-Identifier: Apache-2.0
// Building and editing graphs. The invariant to keep: users_ lists one entry per operand slot, order_ follows the list.
#include "graph/graph.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "graph/check_shape.h"
#include "graph/updates.h"

namespace narae {

namespace {
constexpr int64_t order_gap = int64_t{1} << 20;
constexpr int64_t contents_limit = 64;
}  // namespace

const Tensor& Value::tensor() const {
  NARAE_CHECK(kind_ == ValueKind::constant);
  return tensor_;
}

bool Value::scalar_constant(double& value) const {
  if (kind_ != ValueKind::constant || tensor_.count() != 1) return false;
  value = element_as_double(tensor_, 0);
  return true;
}

std::string Node::label() const {
  if (!origins_.empty()) return *origins_.begin();
  for (const Value* value : outputs_) {
    if (!value->name().empty()) return value->name();
  }
  return op_->name;
}

Node* Node::next() const {
  auto it = std::next(place_);
  return it == graph_->nodes_end() ? nullptr : it->get();
}
Node* Node::previous() const { return place_ == graph_->nodes_begin() ? nullptr : std::prev(place_)->get(); }

Dim Graph::new_symbol(std::string_view hint, int64_t low, int64_t high) {
  std::string base;
  for (const char c : hint) base += isalnum(static_cast<unsigned char>(c)) || c == '_' ? c : '_';
  if (base.empty() || !(isalpha(static_cast<unsigned char>(base[0])) || base[0] == '_')) base = "s" + base;
  if (base == "min" || base == "max" || base == "floordiv" || base == "ceildiv") base += "_";
  std::string name = base;
  int& count = symbol_counts_[base];
  while (!symbol_names_.insert(name).second) name = fmt::format("{}_{}", base, ++count + 1);
  Dim symbol = Dim::symbol(name, low, high);
  symbols_.push_back(symbol);
  return symbol;
}

void Graph::add_symbol(const Dim& symbol) {
  if (symbol_names_.insert(symbol.symbol_name()).second) symbols_.push_back(symbol);
}

void check_shape(const Shape& shape) {
  constexpr size_t rank_limit = 16;
  if (shape.size() > rank_limit) fail(ErrorCode::bad_file, "a value of rank {}; at most {}", shape.size(), rank_limit);
  for (const Dim& dim : shape) {
    if (dim.high() < 0) fail(ErrorCode::bad_file, "shape {} has the negative size {}", shape_text(shape), dim.text());
    if (dim.is_constant() && dim.value() > Dim::no_limit)
      fail(ErrorCode::bad_file, "shape {} has the size {}, which no memory holds", shape_text(shape), dim.text());
  }
}

namespace {
// Of a result until its op's shape rule has set it; no value can have it.
Shape no_shape() { return {Dim(-1)}; }
}  // namespace

Value* Graph::new_value(ValueKind kind, DType dtype, Shape shape, std::string name) {
  check_shape(shape);
  values_.push_back(std::make_unique<Value>());
  Value* value = values_.back().get();
  value->kind_ = kind;
  value->dtype_ = dtype;
  value->shape_ = std::move(shape);
  value->name_ = std::move(name);
  value->place_ = std::prev(values_.end());
  return value;
}

Value* Graph::add_input(std::string name, DType dtype, Shape shape) {
  Value* value = new_value(ValueKind::input, dtype, std::move(shape), std::move(name));
  const int index = static_cast<int>(inputs_.size());
  inputs_.push_back(value);
  for (int axis = 0; axis < value->rank(); ++axis) {
    const Dim& dim = value->shape_[static_cast<size_t>(axis)];
    if (!dim.is_symbol()) continue;
    const bool known = std::any_of(symbol_sources_.begin(), symbol_sources_.end(),
                                   [&](const SymbolSource& source) { return source.symbol == dim; });
    if (!known) symbol_sources_.push_back({dim, index, axis, -1});
  }
  return value;
}

const Value* Value::state() const {
  const Value* value = this;
  while (value->producer_) {
    const int operand = updated_operand(*value->producer_, static_cast<size_t>(value->index_));
    if (operand < 0) break;
    value = value->producer_->input(static_cast<size_t>(operand));
  }
  return value->kind_ == ValueKind::state ? value : nullptr;
}

Value* Graph::add_state(std::string name, DType dtype, Shape shape) {
  Value* value = new_value(ValueKind::state, dtype, std::move(shape), std::move(name));
  states_.push_back(value);
  return value;
}

Value* Graph::add_constant(Tensor tensor, std::string name) {
  Value* value = new_value(ValueKind::constant, tensor.dtype, to_shape(tensor.dims), std::move(name));
  if ((is_integer(tensor.dtype) || tensor.dtype == DType::boolean) && tensor.dims.size() <= 1 &&
      tensor.count() <= contents_limit) {
    auto contents = std::make_unique<std::vector<Dim>>();
    for (int64_t i = 0; i < tensor.count(); ++i) contents->push_back(Dim(element_as_int(tensor, i)));
    value->contents_ = std::move(contents);
  }
  value->tensor_ = std::move(tensor);
  return value;
}

void Graph::symbolise_contents(Value* input) {
  NARAE_CHECK(input->kind_ == ValueKind::input && input->rank() <= 1 && is_static(input->shape_));
  if (input->contents_) return;
  const auto at = std::find(inputs_.begin(), inputs_.end(), input);
  auto contents = std::make_unique<std::vector<Dim>>();
  const int64_t count = element_count(static_dims(input->shape_));
  for (int64_t i = 0; i < count; ++i) {
    const Dim symbol = new_symbol(fmt::format("{}_{}", input->name_, i), -Dim::no_limit, Dim::no_limit);
    symbol_sources_.push_back({symbol, static_cast<int>(at - inputs_.begin()), -1, i});
    contents->push_back(symbol);
  }
  input->contents_ = std::move(contents);
}

void Graph::set_input_contents(Value* input, std::vector<Dim> contents) {
  NARAE_CHECK(input->kind_ == ValueKind::input);
  input->contents_ = std::make_unique<std::vector<Dim>>(std::move(contents));
}

void Graph::link(Node* node, Value* value) {
  if (value) value->users_.push_back(node);
}

void Graph::unlink(Node* node, Value* value) {
  if (!value) return;
  auto& users = value->users_;
  // The latest users are the likeliest to go first.
  const auto it = std::find(users.rbegin(), users.rend(), node);
  NARAE_CHECK(it != users.rend());
  *it = users.back();
  users.pop_back();
}

// Gives a node that was just put into the list an order between its neighbours'. Where there is no room, as few nodes
// around it as have room are spread anew, so many insertions at one place stay cheap.
void Graph::number(Node* node) {
  auto begin = node->place_, end = std::next(node->place_);
  for (int64_t count = 1;; count *= 2) {
    const bool whole = begin == nodes_.begin() && end == nodes_.end();
    const int64_t low = begin == nodes_.begin() ? 0 : (*std::prev(begin))->order_;
    const int64_t inside = std::distance(begin, end);
    const int64_t high = end == nodes_.end() ? low + (inside + 1) * order_gap : (*end)->order_;
    const int64_t step = (high - low) / (inside + 1);
    // Rooms that are taken from further away must be worth it.
    if (step >= (count == 1 ? 1 : int64_t{1} << 10) || whole) {
      int64_t order = low;
      for (auto it = begin; it != end; ++it) (*it)->order_ = (order += step);
      return;
    }
    for (int64_t i = 0; i < count; ++i) {
      if (begin != nodes_.begin()) --begin;
      if (end != nodes_.end()) ++end;
    }
  }
}

void Graph::move(Node* node, Node* before) {
  nodes_.splice(before->place_, nodes_, node->place_);
  number(node);
}

Node* Graph::add_node(const OpDef* op, Attributes attributes, std::vector<Value*> inputs, int outputs, Node* before,
                      std::unique_ptr<Graph> body) {
  auto owned = std::make_unique<Node>();
  Node* node = owned.get();
  node->op_ = op;
  node->graph_ = this;
  node->attributes_ = std::move(attributes);
  node->inputs_ = std::move(inputs);
  if (body) node->bodies_.push_back(std::move(body));
  const auto place = nodes_.insert(before ? before->place_ : nodes_.end(), std::move(owned));
  node->place_ = place;
  number(node);
  for (Value* value : node->inputs_) link(node, value);
  for (int i = 0; i < outputs; ++i) {
    Value* value = new_value(ValueKind::temporary, DType::f32, {}, {});
    value->shape_ = no_shape();
    value->producer_ = node;
    value->index_ = i;
    node->outputs_.push_back(value);
  }
  try {
    const int count = static_cast<int>(node->inputs_.size());
    if (count < op->min_inputs || (op->max_inputs >= 0 && count > op->max_inputs)) {
      fail(ErrorCode::bad_file, "takes {} to {} operands, not {}", op->min_inputs, op->max_inputs, count);
    }
    InferContext context(*this, *node);
    op->infer(context);
    for (const Value* value : node->outputs_) {
      if (value->shape_ == no_shape()) fail(ErrorCode::bad_file, "has fewer than {} results", node->outputs_.size());
    }
  } catch (Error& error) {
    for (Value* value : node->outputs_) value->users_.clear();
    erase(node);
    error.add_context(op->name);
    throw;
  }
  return node;
}

void Graph::set_input(Node* node, size_t i, Value* value) {
  unlink(node, node->inputs_[i]);
  node->inputs_[i] = value;
  link(node, value);
}

void Graph::replace_uses(Value* old_value, Value* new_value) {
  if (old_value == new_value) return;
  const std::vector<Node*> users = std::move(old_value->users_);
  old_value->users_.clear();
  for (Node* node : users) {
    for (Value*& operand : node->inputs_) {
      if (operand != old_value) continue;
      operand = new_value;
      new_value->users_.push_back(node);
    }
  }
  for (Value*& output : outputs_) {
    if (output == old_value) output = new_value;
  }
}

void Graph::erase(Node* node) {
  for (Value* value : node->outputs_) {
    NARAE_CHECK(value->users_.empty() && !is_output(value));
    values_.erase(value->place_);
  }
  for (Value* value : node->inputs_) unlink(node, value);
  nodes_.erase(node->place_);
}

void Graph::erase(Value* value) {
  NARAE_CHECK(value->users_.empty() && !value->producer_ && !is_output(value));
  inputs_.erase(std::remove(inputs_.begin(), inputs_.end(), value), inputs_.end());
  values_.erase(value->place_);
}

int Graph::erase_dead() {
  int erased = 0;
  const std::unordered_set<const Value*> results(outputs_.begin(), outputs_.end());
  for (Node* node = last(); node;) {
    Node* previous = node->previous();
    const bool alive = std::any_of(node->outputs_.begin(), node->outputs_.end(), [&](const Value* value) {
      return !value->users_.empty() || value->keep_ || results.count(value);
    });
    if (!alive && !updates_any_state(*node)) {
      erase(node);
      ++erased;
    }
    node = previous;
  }
  for (auto it = values_.begin(); it != values_.end();) {
    Value* value = (it++)->get();
    if (value->kind_ == ValueKind::constant && value->users_.empty() && !results.count(value)) {
      values_.erase(value->place_);
      ++erased;
    }
  }
  return erased;
}

void Graph::add_output(Value* value, std::string name) {
  outputs_.push_back(value);
  if (name.empty()) name = value->name();
  output_names_.push_back(std::move(name));
}
void Graph::set_output(size_t i, Value* value) { outputs_[i] = value; }
bool Graph::is_output(const Value* value) const {
  return std::find(outputs_.begin(), outputs_.end(), value) != outputs_.end();
}

void Graph::add_guard(Dim a, Dim b, std::string what) {
  for (const Guard& guard : guards_) {
    if (guard.a == a && guard.b == b) return;
  }
  guards_.push_back({std::move(a), std::move(b), std::move(what)});
}

std::unique_ptr<Graph> Graph::clone(std::unordered_map<const Value*, Value*>* values) const {
  std::unordered_map<const Value*, Value*> own;
  std::unordered_map<const Value*, Value*>& map = values ? *values : own;
  auto copy = std::make_unique<Graph>(*ops_, name_);
  copy->symbols_ = symbols_;
  copy->symbol_names_ = symbol_names_;
  copy->symbol_counts_ = symbol_counts_;
  copy->metadata_ = metadata_;
  auto copy_value = [&](const Value* value) {
    Value* fresh = copy->new_value(value->kind_, value->dtype_, value->shape_, value->name_);
    fresh->keep_ = value->keep_;
    fresh->tensor_ = value->tensor_;
    if (value->contents_) fresh->contents_ = std::make_unique<std::vector<Dim>>(*value->contents_);
    map[value] = fresh;
    return fresh;
  };
  for (const Value* value : inputs_) copy->inputs_.push_back(copy_value(value));
  for (const Value* value : states_) copy->states_.push_back(copy_value(value));
  for (const auto& value : values_) {
    if (value->kind_ == ValueKind::constant) copy_value(value.get());
  }
  for (const auto& node : nodes_) {
    auto owned = std::make_unique<Node>();
    Node* fresh = owned.get();
    fresh->op_ = node->op_;
    fresh->graph_ = copy.get();
    fresh->attributes_ = node->attributes_;
    fresh->origins_ = node->origins_;
    fresh->order_ = node->order_;
    copy->nodes_.push_back(std::move(owned));
    fresh->place_ = std::prev(copy->nodes_.end());
    for (const Value* value : node->inputs_) {
      fresh->inputs_.push_back(value ? map.at(value) : nullptr);
      copy->link(fresh, fresh->inputs_.back());
    }
    for (const Value* value : node->outputs_) {
      Value* result = copy_value(value);
      result->producer_ = fresh;
      result->index_ = value->index_;
      fresh->outputs_.push_back(result);
    }
    for (const auto& body : node->bodies_) fresh->bodies_.push_back(body->clone());
  }
  for (const Value* value : outputs_) copy->outputs_.push_back(map.at(value));
  copy->output_names_ = output_names_;
  copy->guards_ = guards_;
  copy->symbol_sources_ = symbol_sources_;
  return copy;
}

}  // namespace narae
