// SPDX-License-Identifier: Apache-2.0
// Training losses, which the node tests cover and exported graphs sometimes carry along.
#include "base/error.h"
#include "import/onnx/onnx_ops.h"

namespace narae::onnx {

namespace {

// -log p of the target class, weighted and reduced. `log_p` is [N,C,d..], targets are [N,d..].
Value* negative_log_likelihood(const OnnxNode& n, Value* log_p, Value* target, Value* weight) {
  const Emit& e = n.emit();
  const std::string reduction = n.text("reduction", "mean");
  const size_t rank = log_p->shape().size();
  if (rank < 2) fail(ErrorCode::bad_file, "scores of rank {}", rank);
  const Dim& classes = log_p->shape()[1];
  Shape along(rank, Dim(1));
  along[1] = classes;
  Value* spread = e.unsqueeze(e.cast(target, DType::i64), {1});
  Value* chosen = e.binary("eq", e.reshape(e.iota(classes, DType::i64), along), spread);
  if (n.has_attribute("ignore_index")) {
    Value* ignored = e.number(static_cast<double>(n.integer("ignore_index")), spread);
    chosen = e.binary("logical_and", chosen, e.binary("ne", spread, ignored));
  }
  Value* weights = weight ? e.reshape(weight, along) : e.number(1, log_p);
  Value* nothing = e.number(0, log_p);
  Value* loss = e.reduce("sum", e.where(chosen, e.unary("neg", e.mul(log_p, weights)), nothing), {1}, false);
  if (reduction == "none") return loss;
  std::vector<int64_t> all;
  for (size_t i = 0; i + 1 < rank; ++i) all.push_back(static_cast<int64_t>(i));
  Value* total = e.reduce("sum", loss, all, false);
  if (reduction == "sum") return total;
  if (reduction != "mean") fail(ErrorCode::bad_file, "unknown reduction {}", reduction);
  Value* used = e.reduce("sum", e.where(chosen, weights, nothing), {1}, false);
  return e.div(total, e.reduce("sum", used, all, false));
}

}  // namespace

Results onnx_negative_log_likelihood_loss(OnnxNode& n) {
  return {negative_log_likelihood(n, n.in(0), n.in(1), n.optional(2))};
}

Results onnx_softmax_cross_entropy_loss(OnnxNode& n) {
  Value* log_p = n.emit().log_softmax(n.in(0), 1);
  return {negative_log_likelihood(n, log_p, n.in(1), n.optional(2)), log_p};
}

}  // namespace narae::onnx
