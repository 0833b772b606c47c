// SPDX-License-Identifier: Apache-2.0
// Memory, streams and events of one device. Copies from and to memory that the driver did not pin are legal; small ones
// go through pinned memory of the stream's, so that the host goes on at once.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>
#include <vector>

#include "backend/cuda/fault_flags.h"
#include "backend/device.h"

namespace narae::cuda {

class CudaBuffer final : public Buffer {
 public:
  CudaBuffer(int ordinal, size_t bytes);
  ~CudaBuffer() override;
  void* data() const override { return data_; }
  size_t size() const override { return size_; }

 private:
  int ordinal_;
  size_t size_;
  void* data_ = nullptr;
};

class CudaEvent final : public Event {
 public:
  explicit CudaEvent(int ordinal);
  ~CudaEvent() override;
  cudaEvent_t handle() const { return event_; }

 private:
  cudaEvent_t event_ = nullptr;
};

class CudaRecording final : public Recording {
 public:
  explicit CudaRecording(cudaGraphExec_t graph) : graph_(graph) {}
  ~CudaRecording() override;
  cudaGraphExec_t handle() const { return graph_; }

 private:
  cudaGraphExec_t graph_;
};

// Pinned host memory for the small copies of a stream; given out anew after each synchronize().
class StagingMemory {
 public:
  StagingMemory();
  ~StagingMemory();
  StagingMemory(const StagingMemory&) = delete;
  StagingMemory& operator=(const StagingMemory&) = delete;
  // Null: there is no room left.
  void* take(size_t bytes);
  void clear() { used_ = 0; }

 private:
  std::byte* memory_ = nullptr;
  size_t used_ = 0;
};

class CudaStream final : public Stream {
 public:
  CudaStream(int ordinal, std::shared_ptr<FaultFlags> faults);
  ~CudaStream() override;
  void copy(void* to, const void* from, size_t bytes) override;
  void record(Event& event) override;
  void wait(const Event& event) override;
  void synchronize() override;
  bool begin_recording() override;
  std::unique_ptr<Recording> end_recording() override;
  void replay(const Recording& recording) override;
  cudaStream_t handle() const { return stream_; }

 private:
  // A copy to host memory that ends when the stream is synchronized.
  struct Arrival {
    void* to;
    const void* staged;
    size_t bytes;
  };
  int ordinal_;
  std::shared_ptr<FaultFlags> faults_;
  StagingMemory staging_;
  std::vector<Arrival> arrivals_;
  bool recording_ = false;
  cudaStream_t stream_ = nullptr;
};

// What kernels of this backend launch on.
inline cudaStream_t handle_of(Stream& stream) { return static_cast<CudaStream&>(stream).handle(); }

}  // namespace narae::cuda
