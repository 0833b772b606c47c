// SPDX-License-Identifier: Apache-2.0
// The steps of ScalarProgram, avx2. The code is scalar_interp_impl.h.
#include "kernels/cpu/vec_avx2.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/scalar_interp_impl.h"

namespace narae::cpu {

constinit const ScalarSteps scalar_steps_avx2 = steps_here();

}  // namespace narae::cpu
