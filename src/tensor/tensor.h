// SPDX-License-Identifier: Apache-2.0
// A typed view of memory: it never owns by itself, `owner` keeps the bytes alive where somebody must.
#pragma once

#include <cstddef>
#include <memory>

#include "tensor/dim.h"
#include "tensor/dtype.h"

namespace narae {

class MappedFile;

enum class MemoryDomain : uint8_t { host, device };

struct Tensor {
  void* data = nullptr;
  DType dtype = DType::f32;
  Dims dims;  // logical sizes; memory is dense row-major (other arrangements are Layouts, known to selection)
  MemoryDomain domain = MemoryDomain::host;
  std::shared_ptr<const void> owner;
  const MappedFile* file = nullptr;  // set when the bytes are mapped from a file (kept alive by owner)

  int64_t count() const { return element_count(dims); }
  size_t bytes() const { return static_cast<size_t>(count()) * dtype_size(dtype); }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data);
  }

  // Host memory, 64-byte aligned, owned, not initialised.
  static Tensor allocate(DType dtype, Dims dims);
  static Tensor copy_of(const Tensor& other);
  template <typename T>
  static Tensor of(DType dtype, Dims dims, const std::vector<T>& values) {
    Tensor tensor = allocate(dtype, std::move(dims));
    for (size_t i = 0; i < values.size(); ++i) tensor.as<T>()[i] = values[i];
    return tensor;
  }
};

// The tensor, or a copy where its data is not aligned to its type: files may leave a constant so, while kernels and
// references read elements by plain loads.
Tensor aligned(const Tensor& tensor);

// One element as double / int64, whatever the type; for small tensors (shapes, scalars, tests), not for loops over
// data.
double element_as_double(const Tensor& tensor, int64_t index);
int64_t element_as_int(const Tensor& tensor, int64_t index);
void set_element(const Tensor& tensor, int64_t index, double value);
// Sizes, type and bytes.
bool same_contents(const Tensor& a, const Tensor& b);
uint64_t hash_contents(const Tensor& tensor);
// Seeded standard normal values (floats) or small integers; equal on every machine.
void fill_normal(const Tensor& tensor, uint64_t seed);

}  // namespace narae
