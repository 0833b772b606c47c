// SPDX-License-Identifier: Apache-2.0
// Linear layers on few rows: the weights are read once for up to gemv_rows of them, all matrices in one launch where
// they lie as that needs it. More rows go some at a time.
#pragma once

#include "backend/cuda/linear_problem.h"
#include "backend/cuda/tactics.h"

namespace narae::cuda {

std::unique_ptr<Kernel> make_few_rows_kernel(const CudaLevel& level, const Node& node, const NodeDims& dims,
                                             LinearProblem problem);

}  // namespace narae::cuda
