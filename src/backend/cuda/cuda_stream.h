// SPDX-License-Identifier: Apache-2.0
// Memory, streams and events of one device. Copies from and to memory that the driver did not pin are legal; they only
// take the host's time.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>

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
  int ordinal_;
  std::shared_ptr<FaultFlags> faults_;
  cudaStream_t stream_ = nullptr;
};

// What kernels of this backend launch on.
inline cudaStream_t handle_of(Stream& stream) { return static_cast<CudaStream&>(stream).handle(); }

}  // namespace narae::cuda
