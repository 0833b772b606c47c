// SPDX-License-Identifier: Apache-2.0
// Attention and what belongs to it, written out in primitives (ONNX opset 23 and 24); passes find the fused form again.
#include <cmath>

#include "base/error.h"
#include "import/onnx/onnx_ops.h"
#include "import/onnx/to_tensor.h"

namespace narae::onnx {

namespace {

// [B,S,heads*D] -> [B,heads,S,D]; rank 4 stays.
Value* split_heads(const Emit& e, Value* x, int64_t heads) {
  if (x->rank() == 4) return x;
  if (x->rank() != 3 || heads < 1) fail(ErrorCode::bad_file, "operands of rank 3 need q_num_heads and kv_num_heads");
  const Shape& s = x->shape();
  return e.transpose(e.reshape(x, {s[0], s[1], heads, floordiv(s[2], heads)}), {0, 2, 1, 3});
}

Value* merge_heads(const Emit& e, Value* x) {
  Value* y = e.transpose(x, {0, 2, 1, 3});
  const Shape& s = y->shape();
  return e.reshape(y, {s[0], s[1], s[2] * s[3]});
}

// Each of the key heads serves `groups` query heads in a row.
Value* repeat_heads(const Emit& e, Value* x, const Dim& heads) {
  const Shape s = x->shape();
  if (s[1] == heads) return x;
  const Dim groups = floordiv(heads, s[1]);
  Value* spread = e.expand(e.reshape(x, {s[0], s[1], 1, s[2], s[3]}), {s[0], s[1], groups, s[2], s[3]});
  return e.reshape(spread, {s[0], heads, s[2], s[3]});
}

// Adds the mask (boolean: kept where true), the causal triangle and the lengths of the keys to the scores [B,H,Q,K].
Value* masked(const OnnxNode& n, Value* scores, const Dim& past) {
  const Emit& e = n.emit();
  const Shape s = scores->shape();
  Value* lowest = e.number(-INFINITY, scores);
  if (Value* mask = n.optional(3)) {
    if (mask->rank() == 0) fail(ErrorCode::bad_file, "the mask is a scalar");
    const size_t last = mask->shape().size() - 1;
    if (mask->shape()[last] != s[3]) {  // shorter masks hide the keys that they do not reach
      std::vector<Dim> before(last + 1, 0), after(last + 1, 0);
      after[last] = s[3] - mask->shape()[last];
      mask =
          e.pad(mask, before, after, mask->dtype() == DType::boolean ? e.number(0, mask) : e.number(-INFINITY, mask));
    }
    scores =
        mask->dtype() == DType::boolean ? e.where(mask, scores, lowest) : e.add(scores, e.cast(mask, scores->dtype()));
  }
  Value* columns = e.reshape(e.iota(s[3], DType::i64), {1, 1, 1, s[3]});
  Value* lengths = n.optional(6);
  if (lengths) {
    lengths = e.reshape(e.cast(lengths, DType::i64), {s[0], 1, 1, 1});
    scores = e.where(e.binary("lt", columns, lengths), scores, lowest);
  }
  if (n.integer("is_causal", 0) != 0) {
    Value* rows = e.reshape(e.iota(s[2], DType::i64), {1, 1, s[2], 1});
    Value* offset = e.reshape(e.dims({past}), {});
    if (lengths) offset = e.sub(lengths, e.reshape(e.dims({s[2]}), {}));
    scores = e.where(e.binary("le", columns, e.add(rows, offset)), scores, lowest);
  }
  return scores;
}

// Rows in which everything is hidden give zeros, not NaN.
Value* safe_softmax(const Emit& e, Value* scores) {
  const int64_t axis = scores->rank() - 1;
  Value* high = e.reduce("max", scores, {axis}, true);
  Value* empty = e.binary("eq", high, e.number(-INFINITY, high));
  return e.where(empty, e.number(0, scores), e.softmax(e.where(empty, e.number(0, scores), scores), axis));
}

}  // namespace

Results onnx_attention(OnnxNode& n) {
  const Emit& e = n.emit();
  const bool merged = n.in(0)->rank() == 3;
  const int64_t query_heads = n.integer("q_num_heads", 0), key_heads = n.integer("kv_num_heads", 0);
  Value* q = split_heads(e, n.in(0), query_heads);
  Value* k = split_heads(e, n.in(1), key_heads);
  Value* v = split_heads(e, n.in(2), key_heads);
  Dim past = 0;
  if (n.has(4)) {
    past = e.size(n.in(4), 2);
    k = e.concat({n.in(4), k}, 2);
    v = e.concat({n.in(5), v}, 2);
  }
  const Dim& depth = q->shape()[3];
  double scale = n.number("scale", 0.0);
  if (scale == 0.0) {
    if (!depth.is_constant()) fail(ErrorCode::bad_file, "the head size is not fixed and there is no scale");
    scale = 1.0 / std::sqrt(static_cast<double>(depth.value()));
  }
  // As the operator is defined, each factor takes the root of the scale.
  const double root = std::sqrt(scale);
  Value* keys = repeat_heads(e, k, q->shape()[1]);
  Value* scores = e.matmul(e.mul(q, root), e.transpose(e.mul(keys, root), {0, 1, 3, 2}));
  const int64_t mode = n.integer("qk_matmul_output_mode", 0);
  Value* seen = mode == 0 ? scores : nullptr;
  const double cap = n.number("softcap", 0.0);
  if (cap != 0.0) scores = e.mul(e.unary("tanh", e.div(scores, cap)), cap);
  if (mode == 1) seen = scores;
  scores = masked(n, scores, past);
  if (mode == 2) seen = scores;
  const auto precision = static_cast<ElementType>(n.integer("softmax_precision", 0));
  const DType narrow = scores->dtype();
  if (precision != ElementType::undefined) scores = e.cast(scores, to_dtype(precision));
  Value* weights = e.cast(safe_softmax(e, scores), narrow);
  if (mode == 3) seen = weights;
  Value* y = e.matmul(weights, repeat_heads(e, v, q->shape()[1]));
  return {merged ? merge_heads(e, y) : y, k, v, seen};
}

Results onnx_rotary_embedding(OnnxNode& n) {
  const Emit& e = n.emit();
  Value* x = n.in(0);
  const bool merged = x->rank() == 3;
  x = split_heads(e, x, n.integer("num_heads", 0));
  const Shape s = x->shape();
  Value *cosine = n.in(1), *sine = n.in(2);
  if (n.has(3)) {
    cosine = e.gather(cosine, n.in(3), 0);
    sine = e.gather(sine, n.in(3), 0);
  }
  if (cosine->rank() == 0 || sine->rank() == 0) fail(ErrorCode::bad_file, "a cache of angles is a scalar");
  const Dim half = cosine->shape().back();
  const int64_t given = n.integer("rotary_embedding_dim", 0);
  const Dim rotated = given > 0 ? Dim(given) : s[3];
  cosine = e.reshape(cosine, {s[0], 1, s[2], half});
  sine = e.reshape(sine, {s[0], 1, s[2], half});
  Value* turning = e.slice(x, 3, 0, rotated);
  const bool interleaved = n.integer("interleaved", 0) != 0;
  Value* a = interleaved ? e.slice(turning, 3, 0, half, 2) : e.slice(turning, 3, 0, half);
  Value* b = interleaved ? e.slice(turning, 3, 1, half, 2) : e.slice(turning, 3, half, half);
  Value* real = e.sub(e.mul(a, cosine), e.mul(b, sine));
  Value* imaginary = e.add(e.mul(a, sine), e.mul(b, cosine));
  Value* turned;
  if (interleaved) {
    turned = e.reshape(e.concat({e.unsqueeze(real, {4}), e.unsqueeze(imaginary, {4})}, 4), {s[0], s[1], s[2], rotated});
  } else {
    turned = e.concat({real, imaginary}, 3);
  }
  if (rotated != s[3]) turned = e.concat({turned, e.slice(x, 3, rotated, s[3] - rotated)}, 3);
  return {merged ? merge_heads(e, turned) : turned};
}

}  // namespace narae::onnx
