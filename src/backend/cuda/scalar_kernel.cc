// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/scalar_kernel.h"

#include "backend/cuda/cuda_error.h"
#include "base/error.h"

namespace narae::cuda {

ScalarKernel::ScalarKernel(TextKernels& kernels, const ScalarSpace& space) : text_(scalar_text(space)) {
  if (text_.text.empty()) fail(ErrorCode::does_not_fit, "rows too long for one block");
  if (text_.items > int64_t{1} << 31) fail(ErrorCode::does_not_fit, "{} elements are too many", text_.items);
  plain_ = kernels.get(text_.text, "body");
  if (text_.width > 1) vector_ = kernels.get(text_.text, "vector_body");
  for (size_t i = 0; i < space.inputs.size() + space.outputs.size(); ++i) {
    alignments_.push_back(static_cast<size_t>(text_.width) * element_bytes(space, i));
  }
  const bool rows = space.row_axes > 0;
  vector_items_ = rows ? text_.items : text_.items / text_.width;
}

void ScalarKernel::launch(cudaStream_t stream, std::span<void* const> pointers) const {
  if (text_.items == 0) return;
  bool vector = vector_ != nullptr;
  void* arguments[40];
  void* values[40];
  NARAE_CHECK(pointers.size() < 39);
  for (size_t i = 0; i < pointers.size(); ++i) {
    vector = vector && reinterpret_cast<uintptr_t>(pointers[i]) % alignments_[i] == 0;
    values[i] = pointers[i];
    arguments[i] = &values[i];
  }
  long long items = vector ? vector_items_ : text_.items;
  arguments[pointers.size()] = &items;
  const auto blocks = static_cast<unsigned>((items + text_.items_per_block - 1) / text_.items_per_block);
  check(cudaLaunchKernel(reinterpret_cast<const void*>(vector ? vector_ : plain_), dim3(blocks),
                         dim3(static_cast<unsigned>(text_.threads)), arguments, 0, stream),
        "launching a pointwise kernel");
}

}  // namespace narae::cuda
