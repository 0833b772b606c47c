// SPDX-License-Identifier: Apache-2.0
// Resizing, portable. The code is resize_impl.h.
#include "kernels/cpu/vec_portable.h"
// The vector vocabulary comes first: the kernels below are written in it.
#include "kernels/cpu/resize_impl.h"

namespace narae::cpu {

constinit const ResizeKernels resize_kernels_portable = resize_here();

}  // namespace narae::cpu
