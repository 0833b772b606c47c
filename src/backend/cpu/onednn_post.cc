// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/onednn_post.h"

namespace narae::cpu {
namespace {

// Empty: oneDNN has no such function, or means another by it.
std::optional<OnednnAct> act_of(ScalarOp op) {
  switch (op) {
    case ScalarOp::relu: return OnednnAct::relu;
    case ScalarOp::leaky_relu: return OnednnAct::leaky_relu;
    case ScalarOp::clip: return OnednnAct::clip;
    case ScalarOp::hard_swish: return OnednnAct::hard_swish;
    case ScalarOp::sigmoid: return OnednnAct::sigmoid;
    case ScalarOp::silu: return OnednnAct::silu;
    case ScalarOp::gelu: return OnednnAct::gelu;
    case ScalarOp::gelu_tanh: return OnednnAct::gelu_tanh;
    case ScalarOp::tanh: return OnednnAct::tanh;
    case ScalarOp::elu: return OnednnAct::elu;
    default: return std::nullopt;
  }
}

}  // namespace

std::optional<OnednnPost> onednn_post(const ContractionBody& body, bool bias) {
  OnednnPost post;
  post.bias = bias;
  post.residual = body.residual >= 0;
  const ScalarInstr* act = body.act ? &*body.act : nullptr;
  if (body.has_rest()) {
    if (act || body.rest.body.size() != 1) return std::nullopt;
    act = &body.rest.body[0];
    if (scalar_op_operands(act->op) != 1 || act->a != 0 || body.rest.outputs[0].reg != act->dst) return std::nullopt;
    if (body.rest.outputs[0].type != ScalarType::f32) return std::nullopt;
  }
  if (!act) return post;
  const std::optional<OnednnAct> known = act_of(act->op);
  if (!known) return std::nullopt;
  post.act = *known, post.a = act->imm[0], post.b = act->imm[1];
  return post;
}

}  // namespace narae::cpu
