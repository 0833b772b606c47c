// SPDX-License-Identifier: Apache-2.0
#include "backend/backends.h"

#include "base/error.h"

namespace narae {

#define NARAE_BACKEND(name, folder) Backend name##_backend();
#include "backend/backends.inc"
#undef NARAE_BACKEND

const std::vector<Backend>& backends() {
  static const std::vector<Backend> all = {
#define NARAE_BACKEND(name, folder) name##_backend(),
#include "backend/backends.inc"
#undef NARAE_BACKEND
  };
  return all;
}

std::shared_ptr<Device> make_device(const DeviceOptions& options) {
  if (!options.activations.empty() && options.activations != "int8" && options.activations != "fp32") {
    fail(ErrorCode::usage, "activations are int8 or fp32, not \"{}\"", options.activations);
  }
  const std::string& precision = options.precision;
  if (!precision.empty() && precision != "fp32" && precision != "tf32" && precision != "fp16" && precision != "bf16") {
    fail(ErrorCode::usage, "a precision is fp32, tf32, fp16 or bf16, not \"{}\"", precision);
  }
  const std::string kind = options.name.substr(0, options.name.find(':'));
  std::string known;
  for (const Backend& backend : backends()) {
    if (kind == backend.name) return backend.make(options);
    known += std::string(known.empty() ? "" : ", ") + backend.name;
  }
  fail(ErrorCode::usage, "there is no device \"{}\"; this build has: {}", options.name, known);
}

std::vector<DeviceInfo> list_devices(const DeviceOptions& options) {
  std::vector<DeviceInfo> all;
  for (const Backend& backend : backends()) {
    for (DeviceInfo& info : backend.list(options)) all.push_back(std::move(info));
  }
  return all;
}

}  // namespace narae
