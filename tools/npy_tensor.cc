// SPDX-License-Identifier: Apache-2.0
#include "npy_tensor.h"

#include <array>
#include <cstring>

#include "base/error.h"
#include "npy.h"

namespace narae {
namespace {

struct Name {
  const char* descr;
  DType dtype;
};
constexpr std::array<Name, 12> names = {{{"<f4", DType::f32},
                                         {"<f2", DType::f16},
                                         {"<f8", DType::f64},
                                         {"|i1", DType::i8},
                                         {"|u1", DType::u8},
                                         {"<i2", DType::i16},
                                         {"<u2", DType::u16},
                                         {"<i4", DType::i32},
                                         {"<u4", DType::u32},
                                         {"<i8", DType::i64},
                                         {"<u8", DType::u64},
                                         {"|b1", DType::boolean}}};

DType dtype_of(const std::string& descr) {
  for (const Name& name : names) {
    if (descr.substr(1) == name.descr + 1) return name.dtype;
  }
  fail(ErrorCode::bad_file, "element type \"{}\" has no counterpart here", descr);
}

const char* descr_of(DType dtype) {
  for (const Name& name : names) {
    if (name.dtype == dtype) return name.descr;
  }
  fail(ErrorCode::failed, "{} cannot be written to a .npy file", dtype_name(dtype));
}

Tensor to_bfloat(const Tensor& from) {
  Tensor to = Tensor::allocate(DType::bf16, from.dims);
  for (int64_t i = 0; i < from.count(); ++i) to.as<uint16_t>()[i] = float_to_bfloat(from.as<float>()[i]);
  return to;
}

std::string wanted(const Graph& graph) {
  std::string text;
  for (const Value* input : graph.inputs()) {
    text += fmt::format("{}{} ({} {})", text.empty() ? "" : ", ", input->name(), dtype_name(input->dtype()),
                        shape_text(input->shape()));
  }
  return text;
}

size_t input_index(const Graph& graph, const std::string& name) {
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    if (graph.inputs()[i]->name() == name) return i;
  }
  fail(ErrorCode::usage, "the model has no input \"{}\"; it wants {}", name, wanted(graph));
}

}  // namespace

Tensor load_tensor(const std::string& path) {
  const NpyArray array = read_npy(path);
  Tensor tensor;
  tensor.dtype = dtype_of(array.descr);
  tensor.dims = array.shape;
  if (reinterpret_cast<uintptr_t>(array.bytes.data()) % 64 == 0) {
    tensor.data = const_cast<std::byte*>(array.bytes.data());
    tensor.owner = array.owner;
    return tensor;
  }
  Tensor copy = Tensor::allocate(tensor.dtype, tensor.dims);
  if (!array.bytes.empty()) std::memcpy(copy.data, array.bytes.data(), array.bytes.size());
  return copy;
}

DType save_tensor(const std::string& path, const Tensor& tensor) {
  Tensor written = tensor;
  if (tensor.dtype == DType::bf16) {
    written = Tensor::allocate(DType::f32, tensor.dims);
    for (int64_t i = 0; i < tensor.count(); ++i) written.as<float>()[i] = bfloat_to_float(tensor.as<uint16_t>()[i]);
  }
  NpyArray array;
  array.descr = descr_of(written.dtype);
  array.shape = written.dims;
  array.bytes = {static_cast<const std::byte*>(written.data), written.bytes()};
  write_npy(path, array);
  return written.dtype;
}

std::vector<Tensor> load_inputs(const Graph& graph, const std::vector<std::string>& arguments) {
  std::vector<Tensor> tensors(graph.inputs().size());
  std::vector<bool> given(tensors.size(), false);
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    if (equals == std::string::npos && tensors.size() != 1) {
      fail(ErrorCode::usage, "--input wants NAME=F.npy, not \"{}\"; the model wants {}", argument, wanted(graph));
    }
    const size_t index = equals == std::string::npos ? 0 : input_index(graph, argument.substr(0, equals));
    const std::string name = graph.inputs()[index]->name();
    if (given[index]) fail(ErrorCode::usage, "input \"{}\" is given twice", name);
    given[index] = true;
    tensors[index] = with_context([&] { return fmt::format("input \"{}\"", name); },
                                  [&] { return load_tensor(argument.substr(equals + 1)); });
    if (graph.inputs()[index]->dtype() == DType::bf16 && tensors[index].dtype == DType::f32)
      tensors[index] = to_bfloat(tensors[index]);
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!given[i]) {
      fail(ErrorCode::usage, "input \"{}\" is missing: --input {}=F.npy of {} {}", graph.inputs()[i]->name(),
           graph.inputs()[i]->name(), dtype_name(graph.inputs()[i]->dtype()), shape_text(graph.inputs()[i]->shape()));
    }
  }
  return tensors;
}

SymbolValues input_sizes(const Engine& engine, const ShapeList& shapes) {
  SymbolValues sizes = opt_sizes(engine.portable(), engine.profile());
  for (const auto& [name, size] : symbol_values(engine.portable(), shapes)) sizes[name] = size;
  return sizes;
}

std::vector<Tensor> seeded_inputs(const Engine& engine, const ShapeList& shapes, uint64_t seed) {
  const Graph& graph = engine.portable();
  const SymbolValues sizes = input_sizes(engine, shapes);
  std::vector<Tensor> tensors;
  for (const Value* input : graph.inputs()) {
    tensors.push_back(Tensor::allocate(input->dtype(), evaluate(input->shape(), sizes)));
    fill_normal(tensors.back(), seed + tensors.size());
  }
  for (const SymbolSource& source : graph.symbol_sources()) {
    if (source.element < 0) continue;
    const auto size = static_cast<double>(sizes.at(source.symbol.symbol_name()));
    set_element(tensors[static_cast<size_t>(source.input)], source.element, size);
  }
  return tensors;
}

}  // namespace narae
