// SPDX-License-Identifier: Apache-2.0
// An attention body (passes/fuse_attention.cc) taken apart for kernels: its operands as strided views, what the
// transposes around the products amount to, and what is done to the scores. For all backends alike.
#pragma once

#include "backend/contraction_body.h"

namespace narae {

// A node operand as the product reads it: [.., rows, columns], strides in elements.
struct AttentionView {
  size_t operand = 0;
  Dims dims;
  std::vector<int64_t> strides;
  std::vector<int64_t> axes;  // of the operand
  // Rows or columns that lie side by side, whatever the sizes.
  bool dense_rows() const { return axes[axes.size() - 2] + 1 == static_cast<int64_t>(axes.size()); }
  bool dense_columns() const { return axes.back() + 1 == static_cast<int64_t>(axes.size()); }
  int64_t row_stride() const { return strides[strides.size() - 2]; }
  // Along batch axis `i` of `rank` axes in all; 0 where it broadcasts or is not there.
  int64_t batch_stride(size_t i, size_t rank) const {
    const size_t shift = rank - dims.size();
    return i < shift || dims[i - shift] == 1 ? 0 : strides[i - shift];
  }
};

struct AttentionBody {
  AttentionView q, k, v;    // [.., queries, width], [.., keys, width], [.., keys, value width]
  AttentionView out;        // [.., queries, value width]; operand: 0
  DType type = DType::f32;  // of q, k, v and the result
  float scale = 1;          // on the products of q and k
  // The first product with what follows it up to the softmax: a node of the body. rest_operands and bias are operands
  // of that node; operand i of it is node operand score_operands[i], -1: made inside.
  const Node* score_node = nullptr;
  NodeDims score_dims;
  ContractionBody scores;
  std::vector<int> score_operands;
};

// Empty: the node is no such body, or one of other types, or with other ops between its products. `narrow`: f16 and
// bf16, with casts around what the body does in f32, are taken as well.
std::optional<AttentionBody> attention_body(const Node& node, const NodeDims& dims,
                                            const std::function<SpanOf(const Dims& scores)>& spans,
                                            bool narrow = false);

}  // namespace narae
