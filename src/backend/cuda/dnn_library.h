// SPDX-License-Identifier: Apache-2.0
// cuDNN's backend API, found at run time, and one handle of a device. A handle carries the stream, so whoever executes
// a plan holds the lock.
#pragma once

#include <cudnn.h>

#include <mutex>
#include <string>
#include <vector>

#include "backend/cuda/vendor_library.h"

namespace narae::cuda {

class DnnLibrary {
 public:
  DnnLibrary(const std::string& library_dirs, int ordinal);
  ~DnnLibrary();
  DnnLibrary(const DnnLibrary&) = delete;
  DnnLibrary& operator=(const DnnLibrary&) = delete;
  bool available() const { return handle != nullptr; }
  const std::string& reason() const { return reason_; }
  std::string version_text() const;
  // Throws Error does_not_fit naming what was being made.
  void check(cudnnStatus_t code, const char* what) const;

  cudnnHandle_t handle = nullptr;
  mutable std::mutex mutex;
  decltype(&cudnnSetStream) set_stream = nullptr;
  decltype(&cudnnBackendCreateDescriptor) create = nullptr;
  decltype(&cudnnBackendDestroyDescriptor) destroy = nullptr;
  decltype(&cudnnBackendSetAttribute) set = nullptr;
  decltype(&cudnnBackendGetAttribute) get = nullptr;
  decltype(&cudnnBackendFinalize) finalize = nullptr;
  decltype(&cudnnBackendExecute) execute = nullptr;

 private:
  VendorLibrary library_;
  std::string reason_;
  decltype(&cudnnDestroy) free_handle_ = nullptr;
  decltype(&cudnnGetVersion) version_ = nullptr;
  decltype(&cudnnGetErrorString) error_text_ = nullptr;
};

// A descriptor of the backend API; destroys itself.
class DnnDescriptor {
 public:
  DnnDescriptor(const DnnLibrary& dnn, cudnnBackendDescriptorType_t type);
  ~DnnDescriptor();
  DnnDescriptor(const DnnDescriptor&) = delete;
  DnnDescriptor& operator=(const DnnDescriptor&) = delete;
  cudnnBackendDescriptor_t get() const { return descriptor_; }
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count, const void* values);
  void set(cudnnBackendAttributeName_t name, int64_t value) { set(name, CUDNN_TYPE_INT64, 1, &value); }
  void set(cudnnBackendAttributeName_t name, bool value) { set(name, CUDNN_TYPE_BOOLEAN, 1, &value); }
  void set(cudnnBackendAttributeName_t name, cudnnDataType_t value) { set(name, CUDNN_TYPE_DATA_TYPE, 1, &value); }
  void set(cudnnBackendAttributeName_t name, const std::vector<int64_t>& values);
  void set(cudnnBackendAttributeName_t name, const DnnDescriptor& other);
  void finalize(const char* what);

 private:
  const DnnLibrary& dnn_;
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

}  // namespace narae::cuda
