// SPDX-License-Identifier: Apache-2.0
// Elements of four bytes between plain and the instruction set's own block go through the vector kernels; all else is
// moved element by element. Both see the value as [outer, axis, inner].
#include "backend/cpu/reformat_kernel.h"

#include <algorithm>

namespace narae::cpu {
namespace {

struct Extent {
  int64_t outer = 1, size = 1, inner = 1;  // before, along and after the blocked axis

  Extent(const Dims& dims, const Layout& blocked) {
    const auto axis = static_cast<size_t>(std::max(blocked.blocked_axis, 0));
    for (size_t i = 0; i < dims.size(); ++i) (i < axis ? outer : i == axis ? size : inner) *= dims[i];
  }
  int64_t blocks(int64_t block) const { return (size + block - 1) / block; }
};

// A task is a run of inner positions of one block, so that a single block feeds all threads.
class BlockKernel final : public CpuKernel {
 public:
  BlockKernel(int threads, const ReorderKernels& kernels, const Extent& extent, bool to_blocked)
      : CpuKernel(threads), kernels_(kernels), extent_(extent), to_blocked_(to_blocked) {}

 protected:
  int64_t tasks() const override { return extent_.outer * extent_.blocks(kernels_.block) * chunks(); }
  void run(std::span<void* const> operands, void*, void*, int64_t begin, int64_t end) const override {
    const int64_t block = kernels_.block, inner = extent_.inner, blocks = extent_.blocks(block);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t start = task % chunks() * chunk, place = task / chunks();
      const int64_t first = place % blocks * block;
      BlockShape shape;
      shape.c = std::min(block, extent_.size - first), shape.pixels = std::min(chunk, inner - start);
      shape.plain_channel = inner;
      const int64_t plain = (place / blocks * extent_.size + first) * inner + start;
      const int64_t blocked = (place * inner + start) * block;
      const auto* from = static_cast<const float*>(operands[0]);
      auto* to = static_cast<float*>(operands[1]);
      if (to_blocked_) {
        kernels_.to_blocked(shape, from + plain, to + blocked, 0, 1);
      } else {
        kernels_.from_blocked(shape, from + blocked, to + plain, 0, 1);
      }
    }
  }

 private:
  static constexpr int64_t chunk = 2048;
  int64_t chunks() const { return (extent_.inner + chunk - 1) / chunk; }
  const ReorderKernels& kernels_;
  Extent extent_;
  bool to_blocked_;
};

class ElementKernel final : public CpuKernel {
 public:
  ElementKernel(int threads, DType dtype, const Extent& extent, const Layout& from, const Layout& to)
      : CpuKernel(threads),
        element_(static_cast<int64_t>(dtype_size(dtype))),
        extent_(extent),
        from_(from),
        to_(to),
        block_(std::max(from.block, to.block)) {}

 protected:
  int64_t tasks() const override { return extent_.outer * extent_.blocks(block_); }
  void run(std::span<void* const> operands, void*, void*, int64_t begin, int64_t end) const override {
    switch (element_) {
      case 1: return move<uint8_t>(operands, begin, end);
      case 2: return move<uint16_t>(operands, begin, end);
      case 4: return move<uint32_t>(operands, begin, end);
      default: return move<uint64_t>(operands, begin, end);
    }
  }

 private:
  // Offset of channel c of image o in a layout; inner elements lie `step` apart.
  int64_t offset(const Layout& layout, int64_t o, int64_t c) const {
    if (layout.is_plain()) return (o * extent_.size + c) * extent_.inner;
    const int64_t b = layout.block;
    return (o * extent_.blocks(b) + c / b) * extent_.inner * b + c % b;
  }
  template <typename T>
  void move(std::span<void* const> operands, int64_t begin, int64_t end) const {
    const T* from = static_cast<const T*>(operands[0]);
    T* to = static_cast<T*>(operands[1]);
    const int64_t from_step = from_.is_plain() ? 1 : from_.block, to_step = to_.is_plain() ? 1 : to_.block;
    const int64_t blocks = extent_.blocks(block_), size = extent_.size, inner = extent_.inner;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t o = task / blocks, first = task % blocks * block_;
      const int64_t last = first + block_;
      for (int64_t start = 0; start < inner; start += 64) {  // a few lines of every channel at a time stay in L1
        const int64_t stop = std::min<int64_t>(start + 64, inner);
        for (int64_t c = first; c < last; ++c) {
          if (c >= size) {  // padding lanes, only where `to` has them
            if (to_.is_plain() || c >= extent_.blocks(to_.block) * to_.block) break;
            T* y = to + offset(to_, o, c);
            for (int64_t i = start; i < stop; ++i) y[i * to_step] = 0;
            continue;
          }
          const T* x = from + offset(from_, o, c);
          T* y = to + offset(to_, o, c);
          for (int64_t i = start; i < stop; ++i) y[i * to_step] = x[i * from_step];
        }
      }
    }
  }
  int64_t element_;
  Extent extent_;
  Layout from_, to_;
  int64_t block_;
};

}  // namespace

std::unique_ptr<CpuKernel> make_reformat_kernel(int threads, const ReorderKernels& kernels, DType dtype,
                                                const Dims& dims, const Layout& from, const Layout& to) {
  const Layout& blocked = from.is_plain() ? to : from;
  const Extent extent(dims, blocked);
  const bool one_side = from.is_plain() != to.is_plain();
  if (one_side && dtype_size(dtype) == 4 && blocked.block == kernels.block) {
    return std::make_unique<BlockKernel>(threads, kernels, extent, from.is_plain());
  }
  return std::make_unique<ElementKernel>(threads, dtype, extent, from, to);
}

}  // namespace narae::cpu
