// SPDX-License-Identifier: Apache-2.0
// Base of the convolution tactics: each says which op and which configs are its own.
#pragma once

#include "backend/cpu/conv_problem.h"
#include "backend/cpu/tactics.h"

namespace narae::cpu {

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
  virtual bool takes(const ConvConfig& config) const = 0;

 private:
  void offer(const Node& node, const NodeDims& dims, const Target& target, bool plain, std::vector<Choice>& out) const;
  ConvProblem chosen(const Node& node, const Choice& choice, const NodeDims& dims) const;
  CpuLevel level_;
  const BrgemmTiles* tiles_;
  const ScalarSteps* steps_;
};

}  // namespace narae::cpu
