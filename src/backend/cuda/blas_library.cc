// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/blas_library.h"

#include <cuda_runtime_api.h>

#include "base/error.h"

namespace narae::cuda {

BlasLibrary::BlasLibrary(const std::string& library_dirs, int ordinal)
    : library_({"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"}, library_dirs) {
  VendorLibrary& l = library_;
  decltype(&cublasLtCreate) create = nullptr;
  const bool found =
      l.loaded() && l.find("cublasLtCreate", create) && l.find("cublasLtDestroy", destroy_) &&
      l.find("cublasLtGetVersion", version_) && l.find("cublasLtMatmul", matmul) &&
      l.find("cublasLtMatmulDescCreate", make_desc) && l.find("cublasLtMatmulDescDestroy", free_desc) &&
      l.find("cublasLtMatmulDescSetAttribute", set_desc) && l.find("cublasLtMatrixLayoutCreate", make_layout) &&
      l.find("cublasLtMatrixLayoutDestroy", free_layout) && l.find("cublasLtMatrixLayoutSetAttribute", set_layout) &&
      l.find("cublasLtMatmulPreferenceCreate", make_preference) &&
      l.find("cublasLtMatmulPreferenceDestroy", free_preference) &&
      l.find("cublasLtMatmulPreferenceSetAttribute", set_preference) &&
      l.find("cublasLtMatmulAlgoGetHeuristic", heuristic);
  if (!found) {
    reason_ = "no cuBLASLt, so matrix products run on the host: " + l.reason();
    return;
  }
  if (cudaSetDevice(ordinal) != cudaSuccess || create(&handle) != CUBLAS_STATUS_SUCCESS) {
    handle = nullptr;
    reason_ = "cuBLASLt could not be started on this device";
  }
}

BlasLibrary::~BlasLibrary() {
  if (handle) destroy_(handle);
}

std::string BlasLibrary::version_text() const {
  const size_t v = version_();
  return fmt::format("cuBLASLt {}.{}.{}", v / 10000, v / 100 % 100, v % 100);
}

void BlasLibrary::check(cublasStatus_t code, const char* what) const {
  if (code != CUBLAS_STATUS_SUCCESS) fail(ErrorCode::failed, "cuBLASLt: {} failed ({})", what, static_cast<int>(code));
}

}  // namespace narae::cuda
