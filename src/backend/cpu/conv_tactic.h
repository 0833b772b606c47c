// SPDX-License-Identifier: Apache-2.0
// What the convolution tactics share: a conv or conv_transpose node or body as a ConvShape on channel blocks, its
// choices, packed weights and kernel. A tactic says which configs are its own and how fast they are.
#pragma once

#include <optional>
#include <string>

#include "backend/contraction_body.h"
#include "backend/cpu/tactics.h"
#include "backend/cpu/tile_epilogue.h"
#include "kernels/cpu/conv.h"

namespace narae::cpu {

struct ConvProblem {
  ContractionBody body;
  ConvShape shape;
  Layout in, out;  // of the image and the result
  TileSpace space;
  int x = 0, weights = 0;  // node operands
  int bias = -1;           // the anchor's own, or the body's

  double flops() const;  // multiplications and additions of the definition
};
// Empty: not a convolution over one or two spatial axes of f32 that these kernels could do.
std::optional<ConvProblem> conv_problem(const Node& node, const NodeDims& dims, std::string_view op, int lanes,
                                        bool plain_input);
// A shape that packs weights of these dims as every shape of the node does: it does not depend on the image.
ConvShape packing_shape(const Node& anchor, const Dims& weights, bool plain_input);
// Layouts and packs of all operands but the weights' pack.
Choice conv_choice(const Tactic* tactic, const Node& node, const NodeDims& dims, const ConvProblem& problem);
CacheSizes cache_sizes(const Target& target);

class ConvTactic : public Tactic {
 public:
  explicit ConvTactic(CpuLevel level);
  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override;
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override;
  Tensor pack(const Node& node, const Choice& choice, size_t input, const Tensor& constant,
              const Target& target) const override;
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device& device) const override;

 protected:
  virtual const char* op() const { return "conv"; }
  virtual bool takes_plain_input() const { return false; }
  virtual bool takes(const ConvShape& shape, const ConvConfig& config) const = 0;
  struct Cost {
    double efficiency = 0.7;  // share of the multiply-add peak
    double flops_factor = 1;  // multiplications done per one of the definition
    double extra_bytes = 0;   // of memory, besides operands and result
    double cache_bytes = 0;   // moved once more through L2
  };
  virtual Cost cost(const ConvProblem& problem, const ConvConfig& config) const = 0;

 private:
  void offer(const Node& node, const NodeDims& dims, const Target& target, bool plain, std::vector<Choice>& out) const;
  CpuLevel level_;
  const BrgemmTiles* tiles_;
  const ScalarSteps* steps_;
};

}  // namespace narae::cpu
