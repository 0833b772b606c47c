// SPDX-License-Identifier: Apache-2.0
// Which steps serve which instruction set.
#include "kernels/cpu/scalar_interp.h"

namespace narae::cpu {

const ScalarSteps* scalar_steps(std::string_view isa) {
  if (isa == "avx512" || isa == "avx512_vnni") return &scalar_steps_avx512;
  if (isa == "avx2") return &scalar_steps_avx2;
  return isa == "portable" ? &scalar_steps_portable : nullptr;
}

}  // namespace narae::cpu
