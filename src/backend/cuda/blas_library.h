// SPDX-License-Identifier: Apache-2.0
// cuBLASLt, found at run time: the few functions that products need, and one handle of a device.
#pragma once

#include <cublasLt.h>

#include <string>

#include "backend/cuda/vendor_library.h"

namespace narae::cuda {

class BlasLibrary {
 public:
  BlasLibrary(const std::string& library_dirs, int ordinal);
  ~BlasLibrary();
  BlasLibrary(const BlasLibrary&) = delete;
  BlasLibrary& operator=(const BlasLibrary&) = delete;
  bool available() const { return handle != nullptr; }
  const std::string& reason() const { return reason_; }
  std::string version_text() const;
  // Throws Error failed naming the call.
  void check(cublasStatus_t code, const char* what) const;

  cublasLtHandle_t handle = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;
  decltype(&cublasLtMatmulDescCreate) make_desc = nullptr;
  decltype(&cublasLtMatmulDescDestroy) free_desc = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) set_desc = nullptr;
  decltype(&cublasLtMatrixLayoutCreate) make_layout = nullptr;
  decltype(&cublasLtMatrixLayoutDestroy) free_layout = nullptr;
  decltype(&cublasLtMatrixLayoutSetAttribute) set_layout = nullptr;
  decltype(&cublasLtMatmulPreferenceCreate) make_preference = nullptr;
  decltype(&cublasLtMatmulPreferenceDestroy) free_preference = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic = nullptr;

 private:
  VendorLibrary library_;
  std::string reason_;
  decltype(&cublasLtDestroy) destroy_ = nullptr;
  decltype(&cublasLtGetVersion) version_ = nullptr;
};

}  // namespace narae::cuda
