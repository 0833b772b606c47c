// SPDX-License-Identifier: Apache-2.0
// Attention over pages, portable. The code is attention_impl.h.
#include "kernels/cpu/vec_portable.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/attention_impl.h"

namespace narae::cpu {

constinit const AttentionKernels attention_kernels_portable = attention_here();

}  // namespace narae::cpu
