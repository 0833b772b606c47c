// SPDX-License-Identifier: Apache-2.0
// instance_norm, group_norm of x [N, C, ...]: every channel, or every one of `groups` equal runs of channels, of every
// image is standardised over its elements, then y * scale + bias with scale, bias [C] of x's type.
// https://arxiv.org/abs/1607.08022, https://arxiv.org/abs/1803.08494
#pragma once

#include "graph/attributes.h"

namespace narae {

struct InstanceNormAttributes {
  double epsilon = 1e-5;
  template <class V>
  void fields(V& v) {
    v("epsilon", epsilon);
  }
};

struct GroupNormAttributes {
  int64_t groups = 1;
  double epsilon = 1e-5;
  template <class V>
  void fields(V& v) {
    v("groups", groups);
    v("epsilon", epsilon);
  }
};

}  // namespace narae
