// SPDX-License-Identifier: Apache-2.0
// Kernels made from text at run time: compiled for the device at hand, kept in memory by text and on disk by a hash of
// text, architecture and compiler. Compiling takes tens of milliseconds, so it belongs to specialise(), never to
// launch.
#pragma once

#include <cuda_runtime_api.h>
#include <nvrtc.h>

#include <mutex>
#include <string>
#include <unordered_map>

#include "backend/cuda/vendor_library.h"

namespace narae::cuda {

class TextKernels {
 public:
  TextKernels(const std::string& library_dirs, std::string cache_dir, int ordinal, std::string arch);
  bool available() const { return reason_.empty(); }
  const std::string& reason() const { return reason_; }
  std::string version() const;
  // The kernel `name` of the text; valid as long as the process. Throws Error failed with the compiler's words.
  cudaKernel_t get(const std::string& text, const char* name);

  // The device's code of a text; needs no device.
  std::string compile(const std::string& text) const;

 private:
  std::string image(const std::string& text) const;
  VendorLibrary library_;
  std::string reason_, cache_dir_, arch_;
  int ordinal_, major_ = 0, minor_ = 0;
  std::mutex mutex_;
  std::unordered_map<std::string, cudaLibrary_t> loaded_;
  decltype(&nvrtcVersion) version_ = nullptr;
  decltype(&nvrtcCreateProgram) create_ = nullptr;
  decltype(&nvrtcDestroyProgram) destroy_ = nullptr;
  decltype(&nvrtcCompileProgram) compile_ = nullptr;
  decltype(&nvrtcGetCUBINSize) image_size_ = nullptr;
  decltype(&nvrtcGetCUBIN) image_ = nullptr;
  decltype(&nvrtcGetProgramLogSize) log_size_ = nullptr;
  decltype(&nvrtcGetProgramLog) log_ = nullptr;
  decltype(&nvrtcGetErrorString) error_text_ = nullptr;
};

}  // namespace narae::cuda
