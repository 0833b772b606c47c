// SPDX-License-Identifier: Apache-2.0
// Linear layers on many rows: by cuBLASLt, blocks decoded a strip of columns at a time.
#pragma once

#include "backend/cuda/linear_problem.h"
#include "backend/cuda/tactics.h"

namespace narae::cuda {

std::unique_ptr<Kernel> make_many_rows_kernel(const CudaLevel& level, const Node& node, const NodeDims& dims,
                                              LinearProblem problem);

}  // namespace narae::cuda
