// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cuda_stream.h"

#include <fmt/core.h>

#include "backend/cuda/cuda_error.h"

namespace narae::cuda {

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
  if (bytes) check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_), "a copy");
}
void CudaStream::record(Event& event) {
  check(cudaEventRecord(static_cast<CudaEvent&>(event).handle(), stream_), "recording an event");
}
void CudaStream::wait(const Event& event) {
  check(cudaStreamWaitEvent(stream_, static_cast<const CudaEvent&>(event).handle(), 0), "waiting for an event");
}
void CudaStream::synchronize() {
  check(cudaStreamSynchronize(stream_), "work on the device");
  faults_->check();
}

CudaRecording::~CudaRecording() { cudaGraphExecDestroy(graph_); }

bool CudaStream::begin_recording() {
  // Other threads may allocate meanwhile.
  check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "recording");
  return true;
}

std::unique_ptr<Recording> CudaStream::end_recording() {
  cudaGraph_t graph = nullptr;
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
