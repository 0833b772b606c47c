// SPDX-License-Identifier: Apache-2.0
// The tensors of a weight file by name. Data points into the mapped file and is not copied; whoever holds a Weight's
// Tensor keeps the file mapped.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tensor/formats.h"
#include "tensor/tensor.h"

namespace narae {

struct Weight {
  Dims dims;  // logical sizes, outermost first
  // Block formats: `data` is u8 [rows, bytes of a row], where rows are all dims but the last.
  BlockFormat format = BlockFormat::none;
  Tensor data;
};

class WeightTable {
 public:
  explicit WeightTable(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }  // of the file or folder, for messages
  const std::map<std::string, Weight, std::less<>>& all() const { return weights_; }
  const Weight* find(std::string_view name) const;
  // Throws Error bad_file that names the file and the tensor.
  const Weight& at(std::string_view name) const;
  // Throws Error bad_file for a name that is there already.
  void add(std::string name, Weight weight);

 private:
  std::string path_;
  std::map<std::string, Weight, std::less<>> weights_;
};

// Bytes of a dense tensor; Error bad_file that begins with `what` when a size is negative or the product overflows.
size_t checked_bytes(const std::string& what, const Dims& dims, DType dtype);

}  // namespace narae
