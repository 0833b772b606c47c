// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/cpu_device.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "backend/cpu/onednn_library.h"
#include "backend/cpu/reformat_kernel.h"
#include "base/clock.h"
#include "base/error.h"
#include "kernels/cpu/block_gemm.h"
#include "kernels/cpu/brgemm.h"
#include "kernels/cpu/cpu_features.h"
#include "kernels/cpu/peaks.h"

namespace narae::cpu {
namespace {

class HostBuffer final : public Buffer {
 public:
  explicit HostBuffer(size_t bytes) : size_(bytes) {
    data_ = ::mmap(nullptr, std::max<size_t>(bytes, 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data_ == MAP_FAILED) fail(ErrorCode::does_not_fit, "out of memory: {} bytes could not be had", bytes);
    if (bytes >= size_t{4} << 20) ::madvise(data_, bytes, MADV_HUGEPAGE);
  }
  ~HostBuffer() override { ::munmap(data_, std::max<size_t>(size_, 1)); }
  void* data() const override { return data_; }
  size_t size() const override { return size_; }

 private:
  void* data_;
  size_t size_;
};

}  // namespace

CpuDevice::CpuDevice(CpuOptions options)
    : options_([&] {
        if (options.cores.cores.empty()) options.cores = detect_cores();
        if (options.threads <= 0) options.threads = static_cast<int>(options.cores.cores.size());
        return std::move(options);
      }()),
      pool_(options_.cores, options_.threads, true) {
  const CpuFeatures features = detect_cpu_features();
  std::string isa = options_.isa.empty() || options_.isa == "auto" ? best_isa(features) : options_.isa;
  if (!supports_isa(features, isa)) {
    std::string known;
    for (const std::string& name : known_isas()) {
      if (supports_isa(features, name)) known += " " + name;
    }
    fail(ErrorCode::usage, "the instruction set \"{}\" is unknown or missing on this machine; it has:{}", isa, known);
  }
  target_.device = "cpu";
  target_.isa = isa;
  for (const std::string& name : known_isas()) {
    if (supports_isa(features, name)) target_.features.push_back(name);
  }
  target_.dtypes = {DType::f32};
  target_.l1_bytes = features.l1d_bytes;
  target_.l2_bytes = features.l2_bytes;
  target_.l3_bytes = features.l3_bytes;
  target_.cores = options_.threads;
  target_.int8_activations = options_.int8_activations && block_gemm_kernels(isa) != nullptr;
  target_.channel_block = brgemm_tiles(isa)->lanes;
  CpuLevel level{isa, options_.threads, nullptr, options_.deterministic};
  // oneDNN goes by the machine, so it takes part only where our own kernels do too.
  if (options_.onednn && isa == best_isa(features)) level.onednn = std::make_shared<OnednnLibrary>();
#define NARAE_TACTIC(name, file) tactics_.push_back(make_##name##_tactic(level));
#include "backend/cpu/cpu_tactics.inc"
#undef NARAE_TACTIC
  tactics_.push_back(std::make_unique<ReferenceTactic>());
  for (const auto& tactic : tactics_) {
    const Numerics is = tactic->numerics();
    const bool by_row = is.same_across_runs && is.same_across_threads && is.same_across_rows;
    if (by_row || tactic->is_reference() || !options_.deterministic) tactic_pointers_.push_back(tactic.get());
  }
}

// The best of several short rounds: other load on the machine only ever takes away.
Peaks CpuDevice::measure_peaks() {
  Peaks peaks;
  const PeakLoops loops = peak_loops(target_.isa);
  for (int round = 0; round < 8; ++round) {
    double start = now_seconds();
    const double flops = loops.fma(400000);
    peaks.fma_flops = std::max(peaks.fma_flops, flops / (now_seconds() - start));
    if (loops.int8) {
      start = now_seconds();
      const double ops = loops.int8(400000);
      peaks.int8_ops = std::max(peaks.int8_ops, ops / (now_seconds() - start));
    }
  }
  const int64_t half_l2 = target_.l2_bytes / 2, large = std::max<int64_t>(target_.l3_bytes * 2, 64 << 20);
  HostBuffer buffer(static_cast<size_t>(large));
  std::memset(buffer.data(), 1, buffer.size());
  for (int round = 0; round < 8; ++round) {
    const double start = now_seconds();
    for (int pass = 0; pass < 16; ++pass) loops.read(buffer.data(), half_l2);
    peaks.l2_bytes_per_s =
        std::max(peaks.l2_bytes_per_s, 16.0 * static_cast<double>(half_l2) / (now_seconds() - start));
  }
  const DeviceTurn turn(*this);
  const int64_t part = large / target_.cores / 64 * 64;
  for (int round = 0; round < 4; ++round) {
    const double start = now_seconds();
    pool_.parallel(target_.cores, [&](int, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) loops.read(static_cast<std::byte*>(buffer.data()) + i * part, part);
    });
    const double bytes = static_cast<double>(part) * target_.cores;
    peaks.dram_bytes_per_s = std::max(peaks.dram_bytes_per_s, bytes / (now_seconds() - start));
  }
  return peaks;
}

void CpuDevice::set_peaks(const Peaks& peaks) {
  target_.fma_flops = peaks.fma_flops;
  target_.int8_ops = peaks.int8_ops;
  target_.l2_bytes_per_s = peaks.l2_bytes_per_s;
  target_.dram_bytes_per_s = peaks.dram_bytes_per_s;
  target_.calibrated = true;
}

std::unique_ptr<Buffer> CpuDevice::allocate(size_t bytes) { return std::make_unique<HostBuffer>(bytes); }
std::unique_ptr<Stream> CpuDevice::make_stream() { return std::make_unique<CpuStream>(pool_); }
std::unique_ptr<Event> CpuDevice::make_event() { return std::make_unique<Event>(); }

std::unique_ptr<Kernel> CpuDevice::make_reformat(DType dtype, const Dims& dims, const Layout& from,
                                                 const Layout& to) const {
  NARAE_CHECK(from.is_plain() || to.is_plain() || from.blocked_axis == to.blocked_axis);
  return make_reformat_kernel(target_.cores, *reorder_kernels(target_.isa), dtype, dims, from, to);
}

}  // namespace narae::cpu
