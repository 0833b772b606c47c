// SPDX-License-Identifier: Apache-2.0
// The kernels behind paged_attention(), which chooses among them. Arguments have been checked, row strides are filled
// in.
#pragma once

#include "kernels/cuda/paged_attention.h"

namespace narae::cuda {

// Every row by itself, on the matrix units: widths 64 and 128, keys of 16 bits. single_rows_only: rows of sequences
// with more than one row are left alone.
cudaError_t launch_paged_decode(const PagedAttentionArgs& args, bool single_rows_only, cudaStream_t stream);
// Every row by itself, any width and type.
cudaError_t launch_paged_any(const PagedAttentionArgs& args, cudaStream_t stream);
// Sequences with more than one row; others are left alone. As launch_paged_decode otherwise.
cudaError_t launch_paged_prompt(const PagedAttentionArgs& args, cudaStream_t stream);

}  // namespace narae::cuda
