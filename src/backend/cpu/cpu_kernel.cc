// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/cpu_kernel.h"

#include <cstring>

namespace narae::cpu {

void CpuStream::copy(void* to, const void* from, size_t bytes) {
  if (bytes && to != from) std::memcpy(to, from, bytes);
}

void CpuKernel::launch(Stream& stream, std::span<void* const> operands, void* workspace) const {
  auto* base = static_cast<std::byte*>(workspace);
  const size_t scratch = rounded_scratch();
  void* shared = base ? base + static_cast<size_t>(threads_) * scratch : nullptr;
  begin(operands, shared);
  static_cast<CpuStream&>(stream).pool().parallel(tasks(), [&](int member, int64_t first, int64_t last) {
    run(operands, base ? base + static_cast<size_t>(member) * scratch : nullptr, shared, first, last);
  });
}

}  // namespace narae::cpu
