// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cuda_error.h"

#include "base/error.h"

namespace narae::cuda {

bool is_sticky(cudaError_t code) {
  switch (code) {
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorECCUncorrectable: return true;
    default: return false;
  }
}

void check(cudaError_t code, std::string_view what) {
  if (code == cudaSuccess) return;
  cudaGetLastError();  // what is not sticky is over with this
  const char* text = cudaGetErrorString(code);
  if (code == cudaErrorMemoryAllocation) {
    fail(ErrorCode::does_not_fit, "{}: out of memory on the device; take a smaller batch or another device", what);
  }
  if (is_sticky(code)) {
    fail(ErrorCode::failed, "{}: {}; the device is lost to this process: start it again", what, text);
  }
  if (code == cudaErrorInsufficientDriver || code == cudaErrorNoDevice) {
    fail(ErrorCode::failed, "{}: {}; `narae devices` says what is missing", what, text);
  }
  fail(ErrorCode::failed, "{}: {}", what, text);
}

}  // namespace narae::cuda
