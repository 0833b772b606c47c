// SPDX-License-Identifier: Apache-2.0
#include "backend/attention_body.h"

#include <algorithm>
#include <numeric>

#include "backend/relayout.h"
#include "ops/fused.h"
#include "ops/matmul.h"
#include "ops/softmax.h"
#include "ops/transpose.h"

namespace narae {
namespace {

template <typename T>
std::vector<T> permuted(const std::vector<T>& values, const std::vector<int64_t>& perm) {
  std::vector<T> result;
  for (const int64_t axis : perm) result.push_back(values[static_cast<size_t>(axis)]);
  return result;
}

class Matcher {
 public:
  Matcher(const Node& node, const NodeDims& dims, bool narrow)
      : dims_(dims), graph_(*node.bodies()[0]), narrow_(narrow) {}

  std::optional<AttentionBody> run(const std::function<SpanOf(const Dims&)>& spans) {
    body_.type = graph_.outputs()[0]->dtype();
    if (body_.type != DType::f32 && !(narrow_ && is_narrow(body_.type))) return std::nullopt;
    const Node* whole = graph_.outputs()[0]->producer();  // each op as the node around it and its casts
    const Node* turned = whole && whole->is("transpose") ? whole : nullptr;
    if (turned) whole = turned->input(0)->producer();
    const Node* mix = within_casts(whole, "matmul");
    if (!mix || mix->attributes<MatmulAttributes>().transpose_a) return std::nullopt;
    const Node* weights = made_by(*whole, mix, 0);
    const Node* softmax = within_casts(weights, "softmax");
    if (!softmax || softmax->attributes<SoftmaxAttributes>().axis != softmax->output(0)->rank() - 1)
      return std::nullopt;
    body_.score_node = made_by(*weights, softmax, 0);
    if (!body_.score_node || !read_scores(spans)) return std::nullopt;
    const auto& product = body_.scores.anchor->attributes<MatmulAttributes>();
    const bool found =
        view(score_operand(0), product.transpose_a, body_.q, &body_.scale) &&
        view(score_operand(1), !product.transpose_b, body_.k, &body_.scale) &&
        view(outside_casts(*whole, mix->input(1)), mix->attributes<MatmulAttributes>().transpose_b, body_.v, nullptr);
    if (!found || !read_result(*whole, turned)) return std::nullopt;
    return std::move(body_);
  }

 private:
  // Of operand `i` of what `node` computes; null: an operand of the whole.
  static const Node* made_by(const Node& node, const Node* computed, size_t i) {
    const Value* value = outside_casts(node, computed->input(i));
    return value ? value->producer() : nullptr;
  }
  int operand_of(const Value* value) const {
    const auto& inputs = graph_.inputs();
    const auto at = std::find(inputs.begin(), inputs.end(), value);
    return at == inputs.end() ? -1 : static_cast<int>(at - inputs.begin());
  }
  Value* score_operand(size_t i) const {
    return body_.score_node->input(static_cast<size_t>(body_.scores.operands[i]));
  }

  bool read_scores(const std::function<SpanOf(const Dims&)>& spans) {
    body_.score_dims = node_dims(*body_.score_node, *dims_.symbols);
    std::optional<ContractionBody> scores =
        contraction_body(*body_.score_node, body_.score_dims, "matmul", spans, 0,
                         {.scale = true, .residual = false, .masks = true, .narrow = narrow_});
    if (!scores) return false;
    body_.scores = std::move(*scores);
    body_.scale = body_.scores.scale;
    for (const Value* value : body_.score_node->inputs()) body_.score_operands.push_back(operand_of(value));
    // What the rest reads must come from outside.
    std::vector<int> read(body_.scores.rest_operands);
    read.push_back(body_.scores.bias);
    return std::all_of(read.begin(), read.end(),
                       [&](int i) { return i < 0 || body_.score_operands[static_cast<size_t>(i)] >= 0; });
  }

  // Goes back from what a product reads to the node's operand.
  bool view(const Value* value, bool last_two_swapped, AttentionView& result, float* scale) const {
    std::vector<std::vector<int64_t>> perms;
    while (value && value->producer()) {
      const Node& node = *value->producer();
      double factor = 0;
      if (node.is("transpose")) {
        perms.push_back(node.attributes<TransposeAttributes>().perm);
        value = node.input(0);
      } else if (node.is("mul") && scale && node.input(1)->scalar_constant(factor) && same_shape(node, 0)) {
        *scale *= static_cast<float>(factor);
        value = node.input(0);
      } else if (node.is("mul") && scale && node.input(0)->scalar_constant(factor) && same_shape(node, 1)) {
        *scale *= static_cast<float>(factor);
        value = node.input(1);
      } else {
        return false;
      }
    }
    const int operand = value ? operand_of(value) : -1;
    if (operand < 0 || value->dtype() != body_.type) return false;
    result.operand = static_cast<size_t>(operand);
    result.dims = dims_.inputs[result.operand];
    result.strides = layout_strides(Layout::plain(), result.dims);
    result.axes.resize(result.dims.size());
    std::iota(result.axes.begin(), result.axes.end(), 0);
    for (size_t i = perms.size(); i-- > 0;) {
      result.dims = permuted(result.dims, perms[i]);
      result.strides = permuted(result.strides, perms[i]);
      result.axes = permuted(result.axes, perms[i]);
    }
    if (!last_two_swapped) return true;
    std::iter_swap(result.axes.end() - 1, result.axes.end() - 2);
    std::iter_swap(result.dims.end() - 1, result.dims.end() - 2);
    std::iter_swap(result.strides.end() - 1, result.strides.end() - 2);
    return true;
  }
  static bool same_shape(const Node& node, size_t i) { return node.input(i)->shape() == node.output(0)->shape(); }

  bool read_result(const Node& mix, const Node* turned) {
    if (graph_.outputs().size() != 1) return false;
    AttentionView& out = body_.out;
    out.dims = evaluate(mix.output(0)->shape(), *dims_.symbols);
    const std::vector<int64_t> stored = layout_strides(Layout::plain(), dims_.outputs[0]);
    out.strides = stored;
    out.axes.resize(stored.size());
    std::iota(out.axes.begin(), out.axes.end(), 0);
    if (turned) {
      const auto& perm = turned->attributes<TransposeAttributes>().perm;
      for (size_t i = 0; i < perm.size(); ++i) {
        out.strides[static_cast<size_t>(perm[i])] = stored[i];
        out.axes[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
      }
    }
    // One head of the result for each of the scores.
    const Dims& scores = body_.scores.result;
    return out.dims.size() == scores.size() && std::equal(scores.begin(), scores.end() - 1, out.dims.begin());
  }

  const NodeDims& dims_;
  const Graph& graph_;
  bool narrow_;
  AttentionBody body_;
};

}  // namespace

std::optional<AttentionBody> attention_body(const Node& node, const NodeDims& dims,
                                            const std::function<SpanOf(const Dims& scores)>& spans, bool narrow) {
  if (!node.is("fused") || node.attributes<FusedAttributes>().kind != "attention") return std::nullopt;
  return Matcher(node, dims, narrow).run(spans);
}

}  // namespace narae
