// SPDX-License-Identifier: Apache-2.0
// One GPU as a Device. Memory is taken when it is asked for and given back with its Buffer; work on streams runs late,
// and its errors come out of synchronize().
#pragma once

#include <memory>
#include <vector>

#include "backend/backends.h"
#include "backend/cuda/tactics.h"

namespace narae::cuda {

class CudaDevice final : public Device {
 public:
  // Throws Error usage where there is no such GPU or it is too old, failed where the driver does not answer.
  explicit CudaDevice(const DeviceOptions& options);
  const Target& target() const override { return target_; }
  MemoryDomain domain() const override { return MemoryDomain::device; }
  std::unique_ptr<Buffer> allocate(size_t bytes) override;
  std::unique_ptr<Stream> make_stream() override;
  std::unique_ptr<Event> make_event() override;
  std::span<const Tactic* const> tactics() const override { return tactic_pointers_; }
  std::unique_ptr<Kernel> make_reformat(DType dtype, const Dims& dims, const Layout& from,
                                        const Layout& to) const override;
  Peaks measure_peaks() override;
  void set_peaks(const Peaks& peaks) override;
  // Several instances may launch at once, each on streams of its own; only the thread's device is set.
  void enter_turn() override;
  // What was loaded for it, or why not.
  std::vector<std::string> libraries() const;

 private:
  double measure_fma();
  double measure_copy();
  CudaLevel level_;
  Target target_;
  std::vector<std::unique_ptr<Tactic>> tactics_;
  std::vector<const Tactic*> tactic_pointers_;
};

}  // namespace narae::cuda
