// SPDX-License-Identifier: Apache-2.0
// The small modules. A module holds its parameters and sub-modules; calling it adds nodes to the Net's graph and
// returns their result. Called twice, it shares its parameters.
#pragma once

#include <optional>

#include "nn/net.h"

namespace narae::nn {

struct Linear {      // x [.., K] -> [.., N]
  Parameter weight;  // [N, K]
  std::optional<Parameter> bias;
  Value* operator()(Net& net, Value* x) const;
};

struct Embedding {  // ids [..] -> f32 [.., D]
  Parameter table;  // [vocabulary, D]
  Value* operator()(Net& net, Value* ids) const;
};

struct RmsNorm {  // over the last axis; https://arxiv.org/abs/1910.07467
  Parameter scale;
  double epsilon = 1e-6;
  Value* operator()(Net& net, Value* x) const;
};

struct LayerNorm {  // over the last axis; https://arxiv.org/abs/1607.06450
  Parameter scale, bias;
  double epsilon = 1e-12;
  Value* operator()(Net& net, Value* x) const;
};

struct Mlp {  // down(activation(up x))
  Linear up, down;
  std::string activation = "gelu";  // an op's name
  Value* operator()(Net& net, Value* x) const;
};

struct GatedMlp {  // down(activation(gate x) * up x); https://arxiv.org/abs/2002.05202
  Linear gate, up, down;
  std::string activation = "silu";
  Value* operator()(Net& net, Value* x) const;
};

}  // namespace narae::nn
