// SPDX-License-Identifier: Apache-2.0
// Test cases of ops, written once beside each op (x_cases.cc) and run everywhere: here against the shape rules and
// decompositions, on every backend against the references. Compiled into tests only.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace narae {

struct CaseInput {
  enum class Fill { absent, normal, uniform, integers, given };
  Fill fill = Fill::absent;
  DType dtype = DType::f32;
  Dims dims;
  double low = 0.0, high = 0.0;  // of uniform and integers, both inclusive
  std::vector<double> values;    // of given
  bool constant = false;         // a constant of the graph instead of an input
  bool contents = false;         // an input whose elements become symbols: it may decide shapes

  CaseInput as_constant() const;
  CaseInput with_contents() const;
};
CaseInput absent();  // an optional operand that is not there
CaseInput normal(Dims dims, DType dtype = DType::f32);
CaseInput uniform(Dims dims, double low, double high, DType dtype = DType::f32);
CaseInput integers(DType dtype, Dims dims, int64_t low, int64_t high);
CaseInput given(DType dtype, Dims dims, std::vector<double> values);

struct OpCase {
  std::string op;
  std::string name;  // unique within the op
  Attributes attributes;
  std::vector<CaseInput> inputs;
  int outputs = 1;
  double tolerance = 1e-5;  // |got - wanted| <= tolerance * (1 + |wanted|); 0: the same bits
  // Of the first results, where given: known right values, in row-major order.
  std::vector<std::vector<double>> expected = {};
  bool carries_contents = false;  // every result must know its contents
  bool fixed_shapes = false;      // has a body or the like that does not allow symbolic sizes
  std::function<std::unique_ptr<Graph>(const OpTable&)> body = {};
};

inline void PrintTo(const OpCase& op_case, std::ostream* out) { *out << op_case.op << "/" << op_case.name; }

// All ops, made once.
const OpTable& case_ops();
// The case's node alone in a graph: inputs "x0", "x1", .. (without constants and absent ones), outputs "y0", ...
// `symbolic_batch`: axis 0 of every input is a symbol (one per size; sizes of 1 stay, they may broadcast).
std::unique_ptr<Graph> build_case_graph(const OpCase& op_case, const OpTable& ops, bool symbolic_batch = false);
// Tensors for that graph's inputs; the same on every machine.
std::vector<Tensor> case_inputs(const OpCase& op_case);
// Empty when they agree, else the first difference. NaN equals NaN.
std::string case_difference(const Tensor& got, const Tensor& wanted, double tolerance);

struct CaseFile {
  const char* file;                   // of ops/, without .cc
  void (*add)(std::vector<OpCase>&);  // null: the file has no cases
};
std::vector<CaseFile> case_files();  // one per file in ops.inc
std::vector<OpCase> all_op_cases();

}  // namespace narae
