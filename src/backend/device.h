// SPDX-License-Identifier: Apache-2.0
// A device in about ten virtual functions; no op is ever named here. Everything above backend/ (planner, Session,
// Worker) speaks only these words, so a further backend changes nothing there.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "graph/target.h"
#include "tensor/layout.h"
#include "tensor/tensor.h"

namespace narae {

class Kernel;
class Tactic;

// Device memory; frees itself.
class Buffer {
 public:
  virtual ~Buffer() = default;
  virtual void* data() const = 0;
  virtual size_t size() const = 0;
};

// A point in a stream's work. Reusable: the last record() counts.
class Event {
 public:
  virtual ~Event() = default;
};

// Launches that a device keeps and runs again at one call, with the same pointers.
class Recording {
 public:
  virtual ~Recording() = default;
};

// Work in order. A device may run it at once or later; only synchronize() and events say when.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual void copy(void* to, const void* from, size_t bytes) = 0;  // any pair of host and device memory
  virtual void record(Event& event) = 0;
  virtual void wait(const Event& event) = 0;
  virtual void synchronize() = 0;
  // From a begin that says true to the end, launches on this stream by this thread are kept, not run; no other calls
  // between. The end gives null where something in between could not be kept.
  virtual bool begin_recording() { return false; }
  virtual std::unique_ptr<Recording> end_recording() { return nullptr; }
  virtual void replay(const Recording& recording) {}
  // The bytes hold nothing of use any more. Only checking devices do something about it.
  virtual void discard(void* data, size_t bytes) {}
};

// What the machine reaches at best; all per core but dram_bytes_per_s, which is for all cores of the device.
struct Peaks {
  double fma_flops = 0;  // f32 multiply and add counted separately
  double int8_ops = 0;   // 8-bit dot products, 0 where the instruction set has none
  double l2_bytes_per_s = 0, dram_bytes_per_s = 0;
};

class Device {
 public:
  virtual ~Device() = default;
  virtual const Target& target() const = 0;
  // Where Buffers live: `host` means that the host may read and write them directly once the stream is synchronized.
  virtual MemoryDomain domain() const = 0;
  // 64-byte aligned at least. Throws Error does_not_fit.
  virtual std::unique_ptr<Buffer> allocate(size_t bytes) = 0;
  virtual std::unique_ptr<Stream> make_stream() = 0;
  virtual std::unique_ptr<Event> make_event() = 0;
  // In order of preference where costs tie. The last covers every node by its reference, so selection never fails.
  virtual std::span<const Tactic* const> tactics() const = 0;
  // Moves a value from one Layout to another; padding lanes of `to` are written as zeros.
  virtual std::unique_ptr<Kernel> make_reformat(DType dtype, const Dims& dims, const Layout& from,
                                                const Layout& to) const = 0;
  // Takes a second or so; the machine should be quiet.
  virtual Peaks measure_peaks() = 0;
  virtual void set_peaks(const Peaks& peaks) = 0;  // into target()
  // Streams worth having beside the main one for independent branches; 0 where branches share one task range anyway.
  virtual int auxiliary_lanes() const { return 0; }
  // One step at a time runs on a device's cores; enter blocks until it is this thread's turn.
  virtual void enter_turn() {}
  virtual void leave_turn() {}
};

class DeviceTurn {
 public:
  explicit DeviceTurn(Device& device) : device_(device) { device_.enter_turn(); }
  ~DeviceTurn() { device_.leave_turn(); }
  DeviceTurn(const DeviceTurn&) = delete;
  DeviceTurn& operator=(const DeviceTurn&) = delete;

 private:
  Device& device_;
};

}  // namespace narae
