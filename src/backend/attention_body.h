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
};

struct AttentionBody {
  AttentionView q, k, v;  // [.., queries, width], [.., keys, width], [.., keys, value width]
  AttentionView out;      // [.., queries, value width]; operand: 0
  float scale = 1;        // on the products of q and k
  // The first product with what follows it up to the softmax: a node of the body. rest_operands and bias are operands
  // of that node; operand i of it is node operand score_operands[i], -1: made inside.
  const Node* score_node = nullptr;
  NodeDims score_dims;
  ContractionBody scores;
  std::vector<int> score_operands;
};

// Empty: the node is no such body, or one of other types, or with other ops between its products.
std::optional<AttentionBody> attention_body(const Node& node, const NodeDims& dims,
                                            const std::function<SpanOf(const Dims& scores)>& spans);

}  // namespace narae
