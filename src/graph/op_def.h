// SPDX-License-Identifier: Apache-2.0
// What Narae knows of an operation: its identity is the address of its OpDef, never an enum or a switch. The rows are
// in ops/; this is the type.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "graph/attributes.h"
#include "tensor/scalar_program.h"
#include "tensor/tensor.h"

namespace narae {

class Graph;
class Node;
class Value;
class Builder;

// Handed to OpDef::infer: reads operands, sets the types of results.
class InferContext {
 public:
  InferContext(Graph& graph, Node& node) : graph_(graph), node_(node) {}
  Graph& graph() { return graph_; }
  Node& node() { return node_; }
  size_t input_count() const;
  bool has_input(size_t i) const;  // optional operands may be absent (null)
  const Value& input(size_t i) const;
  const Shape& shape(size_t i) const;
  DType dtype(size_t i) const;
  void set_output(size_t i, DType dtype, Shape shape);
  // The contents of a small integer result as Dims; output i must have rank <= 1.
  void set_contents(size_t i, std::vector<Dim> contents);
  // Contents of an operand when they are known: constants of at most 64 integers, or what set_contents said.
  const std::vector<Dim>* contents(size_t i) const;
  // a == b is taken for granted from here on: proved, refuted (Error), or noted as a Guard checked at binding.
  void require_equal(const Dim& a, const Dim& b, std::string_view what);
  // Numpy broadcast of two shapes; unprovable pairs become guards.
  Shape broadcast(const Shape& a, const Shape& b);
  template <typename T>
  const T& attributes() const;

 private:
  Graph& graph_;
  Node& node_;
};

// Handed to OpDef::reference: dense row-major host tensors of the inferred types; results are allocated already.
struct ReferenceContext {
  const Node& node;
  std::span<const Tensor> inputs;  // absent optional operands have data == nullptr
  std::span<Tensor> outputs;
  std::function<int64_t(const Dim&)> evaluate;  // of Dims in the attributes
  template <typename T>
  const T& attributes() const;
};

enum OpTrait : uint32_t {
  op_pointwise = 1,      // output element depends on the (broadcast) operand elements at the same place; has `scalar`
  op_view = 2,           // same elements in the same row-major order (reshape, squeeze): may alias its operand
  op_contraction = 4,    // anchor of a fused body: conv, gemm, ...
  op_row_reduction = 8,  // softmax, norms, reductions over trailing axes
  op_commutative = 16,
  op_shape_only = 32,  // does not read its operand's elements
  op_random = 64,      // never folded or merged
  op_has_body = 128,
  op_composite = 256,  // has `decompose` and is better off as its parts: no device is expected to run it whole
  op_updates = 512,    // result 0 is operand 0 with some rows written: in place, and never dead, where that is a state
};

struct OpDef {
  const char* name = nullptr;
  int min_inputs = 0;
  int max_inputs = 0;  // -1: any number
  uint32_t traits = 0;
  void (*infer)(InferContext&) = nullptr;
  void (*reference)(ReferenceContext&) = nullptr;
  // The same in more primitive ops; returns the results, none where it has none for these types. Null: a primitive.
  std::vector<Value*> (*decompose)(Builder&, const Node&) = nullptr;
  // Pointwise ops: emits instructions for one element. operands[i] and the result are registers of the program.
  uint16_t (*scalar)(const Node&, ScalarProgram&, std::span<const uint16_t> operands) = nullptr;
  Attributes (*parse_attributes)(const FieldTexts&, const SymbolLookup&) = nullptr;

  bool has(OpTrait trait) const { return traits & trait; }
};

// name -> OpDef; filled by ops/ (ops.inc) and kept by the Runtime.
class OpTable {
 public:
  void add(const OpDef* def);
  const OpDef* find(std::string_view name) const;  // null: unknown
  const OpDef* get(std::string_view name) const;   // Error usage when unknown
  const std::vector<const OpDef*>& all() const { return all_; }

 private:
  std::vector<const OpDef*> all_;
  std::unordered_map<std::string_view, const OpDef*> by_name_;
};

}  // namespace narae
