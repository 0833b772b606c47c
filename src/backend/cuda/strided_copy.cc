// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/strided_copy.h"

#include "backend/cuda/cuda_error.h"
#include "backend/cuda/cuda_stream.h"
#include "backend/relayout.h"
#include "base/error.h"

namespace narae::cuda {
namespace {

class MoveKernel final : public Kernel {
 public:
  MoveKernel(TextKernels& texts, size_t element_bytes, const std::vector<Move>& moves, size_t clear) : clear_(clear) {
    for (const Move& move : moves) {
      if (element_count(move.dims) == 0) continue;
      ScalarSpace space;
      space.dims = move.dims;
      space.inputs = {move.from_strides};
      space.outputs = {move.to_strides};
      space.raw_bytes = element_bytes;
      const auto bytes = static_cast<int64_t>(element_bytes);
      parts_.push_back({ScalarKernel(texts, space), move.from, move.to, move.from_offset * bytes,
                        move.to_offset * bytes, move.from_strides == move.to_strides});
    }
  }
  void launch(Stream& stream, std::span<void* const> operands, void*) const override {
    if (clear_) check(cudaMemsetAsync(operands.back(), 0, clear_, handle_of(stream)), "clearing padding");
    for (const Part& part : parts_) {
      auto* from = static_cast<std::byte*>(operands[part.from]) + part.from_offset;
      auto* to = static_cast<std::byte*>(operands[part.to]) + part.to_offset;
      if (from == to && part.same_strides) continue;
      void* pointers[] = {from, to};
      part.kernel.launch(handle_of(stream), pointers);
    }
  }

 private:
  struct Part {
    ScalarKernel kernel;
    size_t from, to;
    int64_t from_offset, to_offset;
    bool same_strides;
  };
  std::vector<Part> parts_;
  size_t clear_;
};

}  // namespace

std::unique_ptr<Kernel> make_move_kernel(TextKernels& texts, size_t element_bytes, const std::vector<Move>& moves,
                                         size_t clear) {
  return std::make_unique<MoveKernel>(texts, element_bytes, moves, clear);
}

std::vector<int64_t> logical_strides(const Dims& dims, const Layout& layout) {
  const Dims stored = layout_strides(layout, dims);
  std::vector<int64_t> strides(stored.begin(), stored.begin() + static_cast<ptrdiff_t>(dims.size()));
  if (layout.is_plain()) return strides;
  NARAE_CHECK(dims[static_cast<size_t>(layout.blocked_axis)] <= layout.block);
  strides[static_cast<size_t>(layout.blocked_axis)] = 1;
  return strides;
}

}  // namespace narae::cuda
