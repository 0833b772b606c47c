// SPDX-License-Identifier: Apache-2.0
// The one symbol of libnarae_cuda.so. Device, Tactic and Graph go through it as C++ objects, which is right only
// because the build ids are compared first: same headers, same compiler.
#include <string_view>

#include "backend/cuda/cuda_device.h"
#include "backend/cuda/cuda_error.h"
#include "base/error.h"

namespace narae::cuda {
namespace {

std::shared_ptr<Device> make(const DeviceOptions& options) { return std::make_shared<CudaDevice>(options); }

DeviceInfo absent(std::string reason) {
  DeviceInfo info;
  info.name = info.kind = "cuda";
  info.available = false;
  info.reason = std::move(reason);
  return info;
}

std::vector<DeviceInfo> list(const DeviceOptions& options) {
  int driver = 0, count = 0;
  cudaDriverGetVersion(&driver);
  if (driver == 0) return {absent("there is no driver (libcuda.so.1 is not installed)")};
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (code == cudaErrorInsufficientDriver) {
    return {absent(fmt::format("the driver is for CUDA {}.{}; {}.{} or later is needed", driver / 1000,
                               driver % 1000 / 10, CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10))};
  }
  if (code != cudaSuccess || count == 0) return {absent(code ? cudaGetErrorString(code) : "the driver sees no device")};
  std::vector<DeviceInfo> all;
  for (int i = 0; i < count; ++i) {
    DeviceOptions one = options;
    one.name = i == 0 ? "cuda" : fmt::format("cuda:{}", i);
    try {
      const CudaDevice device(one);
      all.push_back({one.name, "cuda", device.target(), true, {}, device.libraries()});
      cudaDeviceProp properties{};
      size_t free = 0, total = 0;
      check(cudaGetDeviceProperties(&properties, i), "asking the device");
      check(cudaMemGetInfo(&free, &total), "asking for memory");
      all.back().libraries.insert(
          all.back().libraries.begin(),
          fmt::format("{}, {:.1f} of {:.1f} GiB free, driver for CUDA {}.{}", properties.name, double(free) / (1 << 30),
                      double(total) / (1 << 30), driver / 1000, driver % 1000 / 10));
    } catch (const Error& error) {
      all.push_back(absent(error.what()));
      all.back().name = one.name;
    }
  }
  return all;
}

}  // namespace
}  // namespace narae::cuda

extern "C" __attribute__((visibility("default"))) const narae::Backend* narae_cuda_backend(const char* build_id) {
  static const narae::Backend backend = {"cuda", narae::cuda::make, narae::cuda::list, true};
  return std::string_view(build_id) == NARAE_BACKEND_BUILD_ID ? &backend : nullptr;
}
