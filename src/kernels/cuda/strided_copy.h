// SPDX-License-Identifier: Apache-2.0
// Elements moved between strided views: transpose, permute, slice, concat (a copy per operand), split, expand, flip,
// tile; and padding.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace narae::cuda {

inline constexpr int max_copy_rank = 10;

// out[i] = in[i] for all i below dims. Strides count elements; an input stride of 0 repeats, a negative one walks
// backwards (pointers are those of index 0). The views must not overlap. element_bytes: 1, 2, 4 or 8.
struct StridedCopyArgs {
  const void* in = nullptr;
  void* out = nullptr;
  int element_bytes = 4, rank = 0;
  int64_t dims[max_copy_rank] = {}, in_strides[max_copy_rank] = {}, out_strides[max_copy_rank] = {};
};
cudaError_t strided_copy(const StridedCopyArgs& args, cudaStream_t stream);

enum class PadMode : uint8_t { constant, edge, reflect, wrap };

// out dims are in dims + before + after, dense; before and after may be negative (cropping). value: one element on the
// device, read for constant only (null: zero). reflect needs in > pad in every padded dim.
struct PadArgs {
  const void* in = nullptr;
  void* out = nullptr;
  const void* value = nullptr;
  PadMode mode = PadMode::constant;
  int element_bytes = 4, rank = 0;
  int64_t in_dims[max_copy_rank] = {}, out_dims[max_copy_rank] = {}, before[max_copy_rank] = {};
};
cudaError_t pad(const PadArgs& args, cudaStream_t stream);

}  // namespace narae::cuda
