// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cuda_stream.h"

#include <fmt/core.h>

#include <cstring>

#include "backend/cuda/cuda_error.h"

namespace narae::cuda {
namespace {

constexpr size_t staged_copy = size_t{64} << 10, staging_bytes = size_t{1} << 20;

// Host memory that the driver did not pin.
bool is_pageable(const void* p) {
  cudaPointerAttributes attributes{};
  return cudaPointerGetAttributes(&attributes, p) == cudaSuccess && attributes.type == cudaMemoryTypeUnregistered;
}

}  // namespace

StagingMemory::StagingMemory() {
  void* memory = nullptr;
  check(cudaHostAlloc(&memory, staging_bytes, cudaHostAllocDefault), "pinned memory for copies");
  memory_ = static_cast<std::byte*>(memory);
}
StagingMemory::~StagingMemory() { cudaFreeHost(memory_); }

void* StagingMemory::take(size_t bytes) {
  const size_t rounded = (bytes + 15) / 16 * 16;
  if (used_ + rounded > staging_bytes) return nullptr;
  used_ += rounded;
  return memory_ + used_ - rounded;
}

CudaBuffer::CudaBuffer(int ordinal, size_t bytes) : ordinal_(ordinal), size_(bytes) {
  check(cudaSetDevice(ordinal_), "choosing the device");
  check(cudaMalloc(&data_, bytes ? bytes : 1), fmt::format("{} bytes of device memory", bytes));
}
CudaBuffer::~CudaBuffer() {
  if (cudaSetDevice(ordinal_) == cudaSuccess) cudaFree(data_);
}

CudaEvent::CudaEvent(int ordinal) {
  check(cudaSetDevice(ordinal), "choosing the device");
  check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "making an event");
}
CudaEvent::~CudaEvent() { cudaEventDestroy(event_); }

CudaStream::CudaStream(int ordinal, std::shared_ptr<FaultFlags> faults)
    : ordinal_(ordinal), faults_(std::move(faults)) {
  check(cudaSetDevice(ordinal_), "choosing the device");
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
}
CudaStream::~CudaStream() {
  cudaStreamSynchronize(stream_);
  cudaStreamDestroy(stream_);
}

void CudaStream::copy(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  if (bytes <= staged_copy && !recording_) {
    const bool leaves = is_pageable(from), arrives = is_pageable(to);
    if (leaves != arrives) {
      if (void* staged = staging_.take(bytes)) {
        if (leaves) {
          std::memcpy(staged, from, bytes);
          from = staged;
        } else {
          arrivals_.push_back({to, staged, bytes});
          to = staged;
        }
      }
    }
  }
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_), "a copy");
}
void CudaStream::record(Event& event) {
  check(cudaEventRecord(static_cast<CudaEvent&>(event).handle(), stream_), "recording an event");
}
void CudaStream::wait(const Event& event) {
  check(cudaStreamWaitEvent(stream_, static_cast<const CudaEvent&>(event).handle(), 0), "waiting for an event");
}
void CudaStream::synchronize() {
  const cudaError_t code = cudaStreamSynchronize(stream_);
  for (const Arrival& one : arrivals_) {
    if (code == cudaSuccess) std::memcpy(one.to, one.staged, one.bytes);
  }
  arrivals_.clear();
  staging_.clear();
  check(code, "work on the device");
  faults_->check();
}

CudaRecording::~CudaRecording() { cudaGraphExecDestroy(graph_); }

bool CudaStream::begin_recording() {
  // Other threads may allocate meanwhile.
  check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "recording");
  recording_ = true;
  return true;
}

std::unique_ptr<Recording> CudaStream::end_recording() {
  cudaGraph_t graph = nullptr;
  recording_ = false;
  const cudaError_t ended = cudaStreamEndCapture(stream_, &graph);
  cudaGraphExec_t made = nullptr;
  const bool works = ended == cudaSuccess && graph && cudaGraphInstantiate(&made, graph, 0) == cudaSuccess;
  if (graph) cudaGraphDestroy(graph);
  if (works) return std::make_unique<CudaRecording>(made);
  cudaGetLastError();
  return nullptr;
}

void CudaStream::replay(const Recording& recording) {
  check(cudaGraphLaunch(static_cast<const CudaRecording&>(recording).handle(), stream_), "replaying a recording");
}

}  // namespace narae::cuda
