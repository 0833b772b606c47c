// SPDX-License-Identifier: Apache-2.0
// Normalisations.
#include "base/error.h"
#include "import/onnx/onnx_ops.h"
#include "ops/batch_norm.h"
#include "ops/group_norm.h"
#include "ops/layer_norm.h"
#include "ops/lrn.h"

namespace narae::onnx {

namespace {

// Statistics of the batch at hand, and the running ones moved towards them.
Results batch_norm_training(const OnnxNode& n, double epsilon, double momentum) {
  const Emit& e = n.emit();
  Value* x = n.in(0);
  std::vector<int64_t> axes{0};
  for (int64_t i = 2; i < x->rank(); ++i) axes.push_back(i);
  Value* mean = e.reduce("mean", x, axes, true);
  Value* centred = e.sub(x, mean);
  Value* variance = e.reduce("mean", e.mul(centred, centred), axes, true);
  Value *flat_mean = e.squeeze(mean, axes), *flat_variance = e.squeeze(variance, axes);
  Value* y =
      e.builder().op("batch_norm", {x, n.in(1), n.in(2), flat_mean, flat_variance}, BatchNormAttributes{epsilon});
  const auto moved = [&](Value* running, Value* now) {
    return e.add(e.mul(running, momentum), e.mul(now, 1.0 - momentum));
  };
  return {y, moved(n.in(3), flat_mean), moved(n.in(4), flat_variance)};
}

LayerNormAttributes row_norm(const OnnxNode& n) {
  n.ignore({"stash_type"});  // the precision inside; ours is never below it
  return {static_cast<int64_t>(normal_axis(n.integer("axis", -1), n.in(0)->shape().size())),
          n.number("epsilon", 1e-5f)};
}

}  // namespace

Results onnx_batch_normalization(OnnxNode& n) {
  const double epsilon = n.number("epsilon", 1e-5f), momentum = n.number("momentum", 0.9f);
  if (n.integer("spatial", 1) != 1)
    fail(ErrorCode::bad_file, "spatial = 0 is not supported; export for opset 9 or later");
  if (n.integer("training_mode", 0) != 0) return batch_norm_training(n, epsilon, momentum);
  return {n.emit().builder().op("batch_norm", n.inputs(), BatchNormAttributes{epsilon})};
}

Results onnx_instance_normalization(OnnxNode& n) {
  return {n.emit().builder().op("instance_norm", n.inputs(), InstanceNormAttributes{n.number("epsilon", 1e-5f)})};
}

Results onnx_group_normalization(OnnxNode& n) {
  const Emit& e = n.emit();
  n.ignore({"stash_type"});
  Value* x = n.in(0);
  if (x->rank() < 2) fail(ErrorCode::bad_file, "needs rank 2 or more");
  const int64_t groups = n.integer("num_groups");
  if (groups < 1) fail(ErrorCode::bad_file, "num_groups = {}", groups);
  const Dim& channels = x->shape()[1];
  // Before opset 21 there is one scale and bias per group.
  const auto per_channel = [&](Value* value) {
    if (n.opset() >= 21 || value->shape() == Shape{channels}) return value;
    return e.reshape(e.expand(e.reshape(value, {groups, 1}), {groups, floordiv(channels, groups)}), {channels});
  };
  return {e.builder().op("group_norm", {x, per_channel(n.in(1)), per_channel(n.in(2))},
                         GroupNormAttributes{groups, n.number("epsilon", 1e-5f)})};
}

Results onnx_layer_normalization(OnnxNode& n) {
  const int results = n.wants(2) ? 3 : n.wants(1) ? 2 : 1;
  return n.emit().builder().node("layer_norm", {n.in(0), n.in(1), n.optional(2)}, row_norm(n), results)->outputs();
}

Results onnx_rms_normalization(OnnxNode& n) {
  return {n.emit().builder().op("rms_norm", {n.in(0), n.in(1)}, row_norm(n))};
}

Results onnx_lrn(OnnxNode& n) {
  return {n.emit().builder().op(
      "lrn", {n.in(0)},
      LrnAttributes{n.integer("size"), n.number("alpha", 1e-4f), n.number("beta", 0.75), n.number("bias", 1.0)})};
}

}  // namespace narae::onnx
