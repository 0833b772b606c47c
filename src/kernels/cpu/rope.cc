// SPDX-License-Identifier: Apache-2.0
// Which rope kernel serves which instruction set.
#include "kernels/cpu/rope.h"

namespace narae::cpu {

// Cosines and sines of one row, and room for the vectors' tails.
size_t rope_scratch(const RopeArgs& args) { return static_cast<size_t>(args.pairs + 64) * 2 * sizeof(float); }

RopeKernel rope_kernel(std::string_view isa) {
  if (isa == "avx512" || isa == "avx512_vnni") return rope_run_avx512;
  if (isa == "avx2") return rope_run_avx2;
  return isa == "portable" ? rope_run_portable : nullptr;
}

RopeParts rope_parts(std::string_view isa) {
  if (isa == "avx512" || isa == "avx512_vnni") return rope_parts_avx512();
  if (isa == "avx2") return rope_parts_avx2();
  return isa == "portable" ? rope_parts_portable() : RopeParts{};
}

}  // namespace narae::cpu
