// SPDX-License-Identifier: Apache-2.0
// ScalarPrograms as kernel text. Sizes and strides are written into the text, all but the outermost size, so that
// another batch is no other kernel; index arithmetic then costs next to nothing.
#pragma once

#include <string>
#include <vector>

#include "tensor/dim.h"
#include "tensor/scalar_program.h"

namespace narae::cuda {

// A program over a space of `dims`, of which the last `row_axes` are rows. Strides in elements, one per dim.
struct ScalarSpace {
  ScalarProgram program;
  Dims dims;
  int row_axes = 0;
  std::vector<std::vector<int64_t>> inputs, outputs;
  // 1, 2, 4 or 8: no program; the one input goes to the one output as it is, elements of so many bytes.
  size_t raw_bytes = 0;
};

// Text with kernels `vector_body` (where width > 1: pointers must be aligned to width elements) and `body`. Parameters:
// pointers of inputs and outputs, then the number of items of work (long long).
struct ScalarText {
  std::string text;
  int width = 1;      // elements of one item of vector_body
  int64_t items = 0;  // of body: elements, or rows
  int threads = 256;  // of a block
  int items_per_block = 256;
};

// Empty text: rows too long for one block.
ScalarText scalar_text(const ScalarSpace& space);

// The lines of program.body for one element: registers r<i> are declared by whoever uses it.
std::string scalar_expression(const ScalarInstr& instr, const std::string& a, const std::string& b,
                              const std::string& c);
// Types, loads, stores and functions that every text begins with.
const char* scalar_prelude();
const char* scalar_type_text(ScalarType type);
// Bytes and name of an operand's elements; operands are counted inputs first.
size_t element_bytes(const ScalarSpace& space, size_t operand);
std::string element_type(const ScalarSpace& space, size_t operand);

}  // namespace narae::cuda
