// SPDX-License-Identifier: Apache-2.0
// Rotary embedding, avx2. The code is rope_impl.h.
#include "kernels/cpu/vec_avx2.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/rope_impl.h"

namespace narae::cpu {

void rope_run_avx2(const RopeArgs& args, void* scratch, int64_t row_begin, int64_t row_end) {
  rope_rows(args, scratch, row_begin, row_end);
}

RopeParts rope_parts_avx2() { return {rope_turns, rope_head}; }

}  // namespace narae::cpu
