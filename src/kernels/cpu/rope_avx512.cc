// SPDX-License-Identifier: Apache-2.0
// Rotary embedding, avx512. The code is rope_impl.h.
#include "kernels/cpu/vec_avx512.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/rope_impl.h"

namespace narae::cpu {

void rope_run_avx512(const RopeArgs& args, void* scratch, int64_t row_begin, int64_t row_end) {
  rope_rows(args, scratch, row_begin, row_end);
}

RopeParts rope_parts_avx512() { return {rope_turns, rope_head}; }

}  // namespace narae::cpu
