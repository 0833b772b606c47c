// SPDX-License-Identifier: Apache-2.0
// A matrix product and the decoding of its constant weights become one body, so that a kernel may read the blocks
// themselves. Where none does, the body is split and the decoded weights are constants like any other.
#include "ops/dequantize_blocks.h"
#include "ops/matmul.h"
#include "passes/fused_body.h"
#include "passes/pass_list.h"

namespace narae::passes {
namespace {

Node* decoder_of(const Rewriter& rewriter, const Node& node) {
  if (!node.is("matmul") || rewriter.constant(&node)) return nullptr;
  const auto& attributes = node.attributes<MatmulAttributes>();
  if (attributes.transpose_a || !attributes.transpose_b || node.input(1)->rank() != 2) return nullptr;
  Node* decoder = rewriter.made_by(node.input(1), "dequantize_blocks");
  return decoder && decoder->input(0)->is_constant() ? decoder : nullptr;
}

}  // namespace

bool fuse_blocks(Graph& graph, const Target&, PassContext& context) {
  Rewriter rewriter(graph, context);
  return rewriter.each([&](Node* node) {
    Node* decoder = decoder_of(rewriter, *node);
    if (!decoder) return;
    std::vector<std::string> names{decoder->label(), node->label()};
    if (!rewriter.read_once(decoder->output())) {  // every reader decodes for itself
      Value* own = rewriter.before(node).op("dequantize_blocks", {decoder->input(0)},
                                            decoder->attributes<DequantizeBlocksAttributes>());
      graph.set_input(node, 1, own);
      decoder = own->producer();
    }
    FusedBody body(graph);
    body.add(decoder);
    body.add(node);
    body.add_output(node->output());
    const Node* fused = body.finish(rewriter, "contraction", node);
    context.fused("blocks", std::move(names), fused->label());
  });
}

}  // namespace narae::passes
