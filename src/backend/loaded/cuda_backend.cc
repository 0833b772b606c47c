// SPDX-License-Identifier: Apache-2.0
// The line of the loadable backend in backends.inc: libnarae_cuda.so is loaded when it is first asked for, refused
// where it is of another build, and its absence is only a reason in the list of devices.
#include <dlfcn.h>

#include <memory>

#include "backend/backends.h"
#include "backend/library_file.h"
#include "base/error.h"

namespace narae {
namespace {

constexpr const char* file_name = "libnarae_cuda.so";
using Entry = const Backend* (*)(const char* build_id);

struct Loaded {
  const Backend* backend = nullptr;  // never unloaded: the driver keeps state in every thread
  std::string reason;
};

Loaded load() {
  const std::string path = library_file(file_name);
  if (path.empty())
    return {nullptr, fmt::format("{} does not lie beside this program (preset cuda builds it)", file_name)};
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!handle) {
    const char* why = dlerror();
    return {nullptr, why ? why : path + " could not be loaded"};
  }
  const auto entry = reinterpret_cast<Entry>(dlsym(handle, "narae_cuda_backend"));
  const Backend* backend = entry ? entry(NARAE_BACKEND_BUILD_ID) : nullptr;
  if (!backend) return {nullptr, fmt::format("{} is of another build of Narae (not {})", path, NARAE_BACKEND_BUILD_ID)};
  return {backend, {}};
}

std::shared_ptr<Device> make(const DeviceOptions& options) {
  const Loaded loaded = load();
  if (!loaded.backend)
    fail(ErrorCode::usage, "there is no device \"{}\": {}; --device cpu needs no library", options.name, loaded.reason);
  return loaded.backend->make(options);
}

std::vector<DeviceInfo> list(const DeviceOptions& options) {
  const Loaded loaded = load();
  if (loaded.backend) return loaded.backend->list(options);
  DeviceInfo info;
  info.name = info.kind = "cuda";
  info.available = false;
  info.reason = loaded.reason;
  return {info};
}

}  // namespace

Backend cuda_backend() { return {"cuda", make, list, true}; }

}  // namespace narae
