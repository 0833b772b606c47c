// SPDX-License-Identifier: Apache-2.0
// Winograd transforms on 256-bit registers, for channel blocks of 8.
#include "kernels/cpu/vec_avx2.h"

namespace narae::cpu {
namespace {
constexpr int block = 8;
}  // namespace
}  // namespace narae::cpu

#include "kernels/cpu/winograd_impl.h"

namespace narae::cpu {

const WinogradTransforms winograd_avx2[2] = {{transform_input<2>, transform_output<2>},
                                             {transform_input<4>, transform_output<4>}};

}  // namespace narae::cpu
