// SPDX-License-Identifier: Apache-2.0
// The list of all cases, made from ops.inc: a file x there has its cases in add_x_cases() of x_cases.cc. The symbols
// are weak so that a file without cases is a failed test that names it, not a failed link.
#include <cmath>

#include "base/error.h"
#include "base/hash.h"
#include "ops/op_case.h"
#include "ops/ops.h"

namespace narae {

#define NARAE_OP(name, file) __attribute__((weak)) void add_##file##_cases(std::vector<OpCase>&);
#include "ops/ops.inc"
#undef NARAE_OP

const OpTable& case_ops() {
  static const OpTable* const ops = [] {
    auto* made = new OpTable;
    add_all_ops(*made);
    return made;
  }();
  return *ops;
}

std::vector<CaseFile> case_files() {
  std::vector<CaseFile> files;
  auto add = [&](const char* file, void (*cases)(std::vector<OpCase>&)) {
    for (const CaseFile& other : files) {
      if (std::string_view(other.file) == file) return;
    }
    files.push_back({file, cases});
  };
#define NARAE_OP(name, file) add(#file, add_##file##_cases);
#include "ops/ops.inc"
#undef NARAE_OP
  return files;
}

std::vector<OpCase> all_op_cases() {
  std::vector<OpCase> cases;
  for (const CaseFile& file : case_files()) {
    if (file.add) file.add(cases);
  }
  return cases;
}

CaseInput CaseInput::as_constant() const {
  CaseInput copy = *this;
  copy.constant = true;
  return copy;
}
CaseInput CaseInput::with_contents() const {
  CaseInput copy = *this;
  copy.contents = true;
  return copy;
}

CaseInput absent() { return {}; }
CaseInput normal(Dims dims, DType dtype) {
  CaseInput input;
  input.fill = CaseInput::Fill::normal;
  input.dtype = dtype;
  input.dims = std::move(dims);
  return input;
}
CaseInput uniform(Dims dims, double low, double high, DType dtype) {
  CaseInput input = normal(std::move(dims), dtype);
  input.fill = CaseInput::Fill::uniform;
  input.low = low;
  input.high = high;
  return input;
}
CaseInput integers(DType dtype, Dims dims, int64_t low, int64_t high) {
  CaseInput input = uniform(std::move(dims), static_cast<double>(low), static_cast<double>(high), dtype);
  input.fill = CaseInput::Fill::integers;
  return input;
}
CaseInput given(DType dtype, Dims dims, std::vector<double> values) {
  CaseInput input = normal(std::move(dims), dtype);
  input.fill = CaseInput::Fill::given;
  input.values = std::move(values);
  return input;
}

namespace {

Tensor make_tensor(const CaseInput& input, uint64_t seed) {
  Tensor tensor = Tensor::allocate(input.dtype, input.dims);
  if (input.fill == CaseInput::Fill::normal) {
    fill_normal(tensor, seed);
    return tensor;
  }
  const int64_t count = tensor.count();
  if (input.fill == CaseInput::Fill::given) NARAE_CHECK(count == static_cast<int64_t>(input.values.size()));
  for (int64_t i = 0; i < count; ++i) {
    const double part =
        static_cast<double>(hash_mix(seed * 1000003 + static_cast<uint64_t>(i)) >> 11) / 9007199254740992.0;
    double value = input.low + part * (input.high - input.low);
    if (input.fill == CaseInput::Fill::integers) value = input.low + std::floor(part * (input.high - input.low + 1));
    if (input.fill == CaseInput::Fill::given) value = input.values[static_cast<size_t>(i)];
    set_element(tensor, i, value);
  }
  return tensor;
}

}  // namespace

std::unique_ptr<Graph> build_case_graph(const OpCase& op_case, const OpTable& ops, bool symbolic_batch) {
  auto graph = std::make_unique<Graph>(ops, op_case.op + "/" + op_case.name);
  std::vector<std::pair<int64_t, Dim>> symbols;
  auto symbol_of = [&](int64_t size) {
    for (const auto& [known, symbol] : symbols) {
      if (known == size) return symbol;
    }
    symbols.emplace_back(size, graph->new_symbol("N", 0));
    return symbols.back().second;
  };
  std::vector<Value*> operands;
  for (size_t i = 0; i < op_case.inputs.size(); ++i) {
    const CaseInput& input = op_case.inputs[i];
    if (input.fill == CaseInput::Fill::absent) {
      operands.push_back(nullptr);
    } else if (input.constant) {
      operands.push_back(graph->add_constant(make_tensor(input, i + 1), fmt::format("x{}", i)));
    } else {
      Shape shape = to_shape(input.dims);
      if (symbolic_batch && !input.contents && !shape.empty() && input.dims[0] != 1)
        shape[0] = symbol_of(input.dims[0]);
      operands.push_back(graph->add_input(fmt::format("x{}", i), input.dtype, std::move(shape)));
      if (input.contents) graph->symbolise_contents(operands.back());
    }
  }
  Node* node =
      graph->add_node(ops.get(op_case.op), op_case.attributes ? op_case.attributes : make_attributes(NoAttributes{}),
                      operands, op_case.outputs, nullptr, op_case.body ? op_case.body(ops) : nullptr);
  for (int i = 0; i < op_case.outputs; ++i)
    graph->add_output(node->output(static_cast<size_t>(i)), fmt::format("y{}", i));
  return graph;
}

std::vector<Tensor> case_inputs(const OpCase& op_case) {
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < op_case.inputs.size(); ++i) {
    const CaseInput& input = op_case.inputs[i];
    if (input.fill != CaseInput::Fill::absent && !input.constant) tensors.push_back(make_tensor(input, i + 1));
  }
  return tensors;
}

std::string case_difference(const Tensor& got, const Tensor& wanted, double tolerance) {
  if (got.dtype != wanted.dtype || got.dims != wanted.dims) {
    return fmt::format("{}{} instead of {}{}", dtype_name(got.dtype), dims_text(got.dims), dtype_name(wanted.dtype),
                       dims_text(wanted.dims));
  }
  const int64_t count = got.count();
  for (int64_t i = 0; i < count; ++i) {
    if (!is_float(got.dtype)) {
      const int64_t a = element_as_int(got, i), b = element_as_int(wanted, i);
      if (a != b) return fmt::format("element {} is {} instead of {}", i, a, b);
      continue;
    }
    const double a = element_as_double(got, i), b = element_as_double(wanted, i);
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    if (!(std::abs(a - b) <= tolerance * (1 + std::abs(b)))) {
      return fmt::format("element {} is {} instead of {}", i, a, b);
    }
  }
  return {};
}

}  // namespace narae
