// SPDX-License-Identifier: Apache-2.0
// One core set of the host as a Device.
#pragma once

#include <memory>

#include "backend/cpu/core_pool.h"
#include "backend/cpu/tactics.h"
#include "backend/device.h"

namespace narae::cpu {

struct CpuOptions {
  int threads = 0;  // 0: all cores of the set
  std::string isa;  // empty or "auto": the best there is; Error usage when the machine lacks it
  CoreSet cores;    // empty: detect_cores()
  bool int8_activations = true;
  bool deterministic = false;  // offer only tactics that give a row the same bits whatever rows stand beside it
  bool onednn = true;          // also offer the tactics of the loadable library, where it is present
};

class CpuDevice final : public Device {
 public:
  explicit CpuDevice(CpuOptions options);
  const Target& target() const override { return target_; }
  Peaks measure_peaks() override;
  void set_peaks(const Peaks& peaks) override;
  MemoryDomain domain() const override { return MemoryDomain::host; }
  std::unique_ptr<Buffer> allocate(size_t bytes) override;
  std::unique_ptr<Stream> make_stream() override;
  std::unique_ptr<Event> make_event() override;
  std::span<const Tactic* const> tactics() const override { return tactic_pointers_; }
  std::unique_ptr<Kernel> make_reformat(DType dtype, const Dims& dims, const Layout& from,
                                        const Layout& to) const override;
  void enter_turn() override { pool_.enter_turn(); }
  void leave_turn() override { pool_.leave_turn(); }
  CorePool& pool() { return pool_; }

 private:
  CpuOptions options_;
  Target target_;
  CorePool pool_;
  std::vector<std::unique_ptr<Tactic>> tactics_;
  std::vector<const Tactic*> tactic_pointers_;
};

}  // namespace narae::cpu
