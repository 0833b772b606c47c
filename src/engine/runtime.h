// SPDX-License-Identifier: Apache-2.0
// The root object: everything that lives as long as the program hangs here, so there are no globals. Lower rooms are
// passed what they need of it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backend/backends.h"
#include "base/memory_budget.h"
#include "graph/op_def.h"
#include "plan/timing_cache.h"

namespace narae {

struct RuntimeOptions {
  std::string device = "cpu";
  std::string isa;             // empty or "auto": the best of the machine
  std::string cache_dir;       // peaks and timings; empty: nothing on disk
  int64_t memory_limit = 0;    // bytes; 0: none
  int threads = 0;             // of one core set; 0: all its cores
  int core_sets = 1;           // Devices that run at the same time
  std::string activations;     // int8 (the default) or fp32, see DeviceOptions
  std::string precision;       // fp32 (the default), tf32, fp16 or bf16, see DeviceOptions
  std::string library_dirs;    // of the device's vendor, "DIR:DIR", see DeviceOptions
  bool deterministic = false;  // a result depends on its own row only, see DeviceOptions
};

class Runtime {
 public:
  // Throws Error usage for an unknown device or isa or too many threads. Peaks of an earlier calibrate() are read.
  explicit Runtime(RuntimeOptions options);

  const RuntimeOptions& options() const { return options_; }
  const OpTable& ops() const { return ops_; }
  int core_sets() const { return static_cast<int>(devices_.size()); }
  const std::shared_ptr<Device>& device(int core_set = 0) const { return devices_.at(static_cast<size_t>(core_set)); }
  // The first `count` core sets. Throws Error usage where there are fewer.
  std::vector<std::shared_ptr<Device>> devices(int64_t count) const;
  TimingCache& timing_cache() { return *timing_cache_; }
  MemoryBudget& budget() { return budget_; }
  // Measures the device's peaks (about a second) unless they are known, and keeps them in cache_dir.
  void calibrate();

 private:
  std::string cache_file(const char* what) const;
  bool read_peaks(Peaks& peaks) const;
  RuntimeOptions options_;
  OpTable ops_;
  MemoryBudget budget_;
  std::vector<std::shared_ptr<Device>> devices_;
  std::unique_ptr<TimingCache> timing_cache_;
};

}  // namespace narae
