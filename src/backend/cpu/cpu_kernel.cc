// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/cpu_kernel.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace narae::cpu {

void CpuStream::copy(void* to, const void* from, size_t bytes) {
  if (bytes && to != from) std::memcpy(to, from, bytes);
}

void CpuKernel::launch(Stream& stream, std::span<void* const> operands, void* workspace) const {
  auto* base = static_cast<std::byte*>(workspace);
  const size_t scratch = rounded_scratch();
  void* shared = base ? base + static_cast<size_t>(threads_) * scratch : nullptr;
  begin(operands, shared);
  CorePool& pool = static_cast<CpuStream&>(stream).pool();
  if (preparations() > 0) {
    pool.parallel(preparations(), [&](int, int64_t first, int64_t last) { prepare(operands, shared, first, last); });
  }
  pool.parallel(tasks(), [&](int member, int64_t first, int64_t last) {
    run(operands, base ? base + static_cast<size_t>(member) * scratch : nullptr, shared, first, last);
  });
  finish();
}

void require_covered(bool covered, const Node& node) {
  if (covered) return;
  fail(ErrorCode::does_not_fit,
       "\"{}\": the kernel that was chosen does not cover these sizes; give the build a profile that holds them",
       node.label());
}

CpuKernelGroup::CpuKernelGroup(int threads, std::vector<std::unique_ptr<CpuKernel>> parts)
    : CpuKernel(threads), parts_(std::move(parts)) {
  for (const auto& part : parts_) {
    NARAE_CHECK(part->shared_bytes() == 0 && part->preparations() == 0);
    first_.push_back(first_.back() + part->tasks());
    scratch_ = std::max(scratch_, part->scratch_bytes());
  }
}

void CpuKernelGroup::run(std::span<void* const> operands, void* scratch, void*, int64_t begin, int64_t end) const {
  for (size_t i = 0; i < parts_.size(); ++i) {
    const int64_t from = std::max(begin, first_[i]), to = std::min(end, first_[i + 1]);
    if (from < to) parts_[i]->run(operands, scratch, nullptr, from - first_[i], to - first_[i]);
  }
}

}  // namespace narae::cpu
