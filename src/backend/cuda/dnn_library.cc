// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/dnn_library.h"

#include <cuda_runtime_api.h>

#include "base/error.h"

namespace narae::cuda {

DnnLibrary::DnnLibrary(const std::string& library_dirs, int ordinal)
    : library_({"libcudnn.so.9", "libcudnn.so"}, library_dirs) {
  VendorLibrary& l = library_;
  decltype(&cudnnCreate) create_handle = nullptr;
  const bool found = l.loaded() && l.find("cudnnCreate", create_handle) && l.find("cudnnDestroy", free_handle_) &&
                     l.find("cudnnGetVersion", version_) && l.find("cudnnGetErrorString", error_text_) &&
                     l.find("cudnnSetStream", set_stream) && l.find("cudnnBackendCreateDescriptor", create) &&
                     l.find("cudnnBackendDestroyDescriptor", destroy) && l.find("cudnnBackendSetAttribute", set) &&
                     l.find("cudnnBackendGetAttribute", get) && l.find("cudnnBackendFinalize", finalize) &&
                     l.find("cudnnBackendExecute", execute);
  if (!found) {
    reason_ = "no cuDNN, so convolutions run on the host: " + l.reason();
    return;
  }
  const size_t version = version_();
  if (version < 90000) {
    reason_ = fmt::format("cuDNN {} is too old, 9 is needed; convolutions run on the host", version);
    return;
  }
  if (cudaSetDevice(ordinal) != cudaSuccess || create_handle(&handle) != CUDNN_STATUS_SUCCESS) {
    handle = nullptr;
    reason_ = "cuDNN could not be started on this device";
  }
}

DnnLibrary::~DnnLibrary() {
  if (handle) free_handle_(handle);
}

std::string DnnLibrary::version_text() const {
  const size_t v = version_();
  return fmt::format("cuDNN {}.{}.{}", v / 10000, v / 100 % 100, v % 100);
}

void DnnLibrary::check(cudnnStatus_t code, const char* what) const {
  if (code != CUDNN_STATUS_SUCCESS) fail(ErrorCode::does_not_fit, "cuDNN: {}: {}", what, error_text_(code));
}

DnnDescriptor::DnnDescriptor(const DnnLibrary& dnn, cudnnBackendDescriptorType_t type) : dnn_(dnn) {
  dnn.check(dnn.create(type, &descriptor_), "a descriptor");
}
DnnDescriptor::~DnnDescriptor() { dnn_.destroy(descriptor_); }

void DnnDescriptor::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
                        const void* values) {
  dnn_.check(dnn_.set(descriptor_, name, type, count, values), "an attribute");
}
void DnnDescriptor::set(cudnnBackendAttributeName_t name, const std::vector<int64_t>& values) {
  set(name, CUDNN_TYPE_INT64, static_cast<int64_t>(values.size()), values.data());
}
void DnnDescriptor::set(cudnnBackendAttributeName_t name, const DnnDescriptor& other) {
  const cudnnBackendDescriptor_t raw = other.get();
  set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &raw);
}
void DnnDescriptor::finalize(const char* what) { dnn_.check(dnn_.finalize(descriptor_), what); }

}  // namespace narae::cuda
