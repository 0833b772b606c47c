// SPDX-License-Identifier: Apache-2.0
// What follows a product or convolution where the library's kernel cannot do it: the rest of the body as one program
// over the result, in place.
#pragma once

#include <optional>

#include "backend/contraction_body.h"
#include "backend/cuda/scalar_kernel.h"

namespace narae::cuda {

// How an operand that broadcasts to a product's result varies over it: as a column where along `column_axis` only (-1:
// the last), else as all of it. Empty: it does not broadcast.
std::optional<ScalarClass> product_span(const Dims& result, const Dims& operand, int column_axis);

// Taken apart so that nothing but relu stays with the anchor; spans by what a bias and a residual are here. from_blocks
// as in BodyAbility.
std::optional<ContractionBody> product_body(const Node& node, const NodeDims& dims, std::string_view anchor_op,
                                            int column_axis, bool from_blocks = false, size_t part = 0);

// The program of what is left: bias, residual, activation, rest. `first`: how the result and each of the two that is
// there are stored; the rest's inputs follow.
ScalarProgram whole_tail(const ContractionBody& left, const std::vector<ScalarInput>& first, ScalarType result);

// Layouts of the operands that a tail reads, beside a result in choice.outputs[0].
void place_tail(const NodeDims& dims, const ContractionBody& body, Choice& choice);

class ProductTail {
 public:
  // What the library's kernel has done already of what was taken off the body's head.
  struct Done {
    bool bias = false, residual = false, act = false;
  };
  // Does nothing when the body has nothing left to do. `layout` is the result's; operands lie as operand_layout() says,
  // a bias of an operand of its own along `bias_axis`. `part`: the node's result that this is.
  ProductTail(TextKernels& texts, const Node& node, const NodeDims& dims, const ContractionBody& body, const Done& done,
              const Layout& layout, int bias_axis = -1, size_t part = 0);
  void launch(cudaStream_t stream, std::span<void* const> operands, void* result) const;

 private:
  std::optional<ScalarKernel> kernel_;
  std::vector<int> operands_;  // node operand of program input i; [0]: the result
};

}  // namespace narae::cuda
