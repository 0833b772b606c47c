// SPDX-License-Identifier: Apache-2.0
// A device that does everything late and by references, and looks for mistakes of whoever drives it: memory of its own
// that the host cannot read, poison in fresh and in discarded memory, padding lanes checked at every read, two
// auxiliary lanes, layouts and packed forms where they are of no use but to be tried.
#pragma once

#include <memory>
#include <vector>

#include "backend/fake/fake_stream.h"

namespace narae::fake {

class FakeDevice final : public Device {
 public:
  FakeDevice();
  ~FakeDevice() override;
  const Target& target() const override { return target_; }
  MemoryDomain domain() const override { return MemoryDomain::device; }
  std::unique_ptr<Buffer> allocate(size_t bytes) override;
  std::unique_ptr<Stream> make_stream() override { return std::make_unique<FakeStream>(*memory_); }
  std::unique_ptr<Event> make_event() override { return std::make_unique<FakeEvent>(); }
  std::span<const Tactic* const> tactics() const override { return tactic_pointers_; }
  std::unique_ptr<Kernel> make_reformat(DType dtype, const Dims& dims, const Layout& from,
                                        const Layout& to) const override;
  // Figures of no machine: selection must come out the same everywhere.
  Peaks measure_peaks() override { return {1e11, 0, 8e10, 1e10}; }
  void set_peaks(const Peaks&) override {}
  int auxiliary_lanes() const override { return 2; }

 private:
  Target target_;
  std::shared_ptr<FakeMemory> memory_;  // outlives Buffers that are released late
  std::vector<std::unique_ptr<Tactic>> tactics_;
  std::vector<const Tactic*> tactic_pointers_;
};

}  // namespace narae::fake
