// SPDX-License-Identifier: Apache-2.0
// Winograd transforms on the portable vectors, for channel blocks of 8.
#include "kernels/cpu/vec_portable.h"

namespace narae::cpu {
namespace {
constexpr int block = 8;
}  // namespace
}  // namespace narae::cpu

#include "kernels/cpu/winograd_impl.h"

namespace narae::cpu {

const WinogradTransforms winograd_portable[2] = {{transform_input<2>, transform_output<2>},
                                                 {transform_input<4>, transform_output<4>}};

}  // namespace narae::cpu
