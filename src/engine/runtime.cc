// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/mapped_file.h"
#include "ops/ops.h"

namespace narae {

Runtime::Runtime(RuntimeOptions options) : options_(std::move(options)), budget_(options_.memory_limit) {
  add_all_ops(ops_);
  if (!options_.cache_dir.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options_.cache_dir, error);
    if (error) fail(ErrorCode::failed, "cannot make the cache folder \"{}\": {}", options_.cache_dir, error.message());
  }
  for (int set = 0; set < std::max(1, options_.core_sets); ++set) {
    DeviceOptions device;
    device.name = options_.device;
    device.threads = options_.threads;
    device.isa = options_.isa;
    device.activations = options_.activations;
    device.precision = options_.precision;
    device.library_dirs = options_.library_dirs;
    device.cache_dir = options_.cache_dir;
    device.deterministic = options_.deterministic;
    device.set = set;
    device.sets = std::max(1, options_.core_sets);
    devices_.push_back(make_device(device));
  }
  Peaks peaks;
  if (read_peaks(peaks)) {
    for (const auto& device : devices_) device->set_peaks(peaks);
  }
  timing_cache_ = std::make_unique<TimingCache>(cache_file("timings"), device()->target());
}

// One file per kind of machine: the folder may be shared by several.
std::string Runtime::cache_file(const char* what) const {
  if (options_.cache_dir.empty()) return {};
  return fmt::format("{}/{}-{:016x}.txt", options_.cache_dir, what, devices_.front()->target().fingerprint());
}

bool Runtime::read_peaks(Peaks& peaks) const {
  std::ifstream file(cache_file("peaks"));
  return static_cast<bool>(file >> peaks.fma_flops >> peaks.int8_ops >> peaks.l2_bytes_per_s >>
                           peaks.dram_bytes_per_s) &&
         peaks.fma_flops > 0 && peaks.l2_bytes_per_s > 0 && peaks.dram_bytes_per_s > 0;
}

std::vector<std::shared_ptr<Device>> Runtime::devices(int64_t count) const {
  if (count < 1 || count > core_sets()) {
    fail(ErrorCode::usage, "{} instances are asked for, but there are {} core sets", count, core_sets());
  }
  return {devices_.begin(), devices_.begin() + static_cast<ptrdiff_t>(count)};
}

void Runtime::calibrate() {
  if (device()->target().calibrated) return;
  const Peaks peaks = device()->measure_peaks();
  for (const auto& device : devices_) device->set_peaks(peaks);
  const std::string path = cache_file("peaks");
  if (path.empty()) return;
  const std::string text = fmt::format("{:.6g} {:.6g} {:.6g} {:.6g}\n", peaks.fma_flops, peaks.int8_ops,
                                       peaks.l2_bytes_per_s, peaks.dram_bytes_per_s);
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace narae
