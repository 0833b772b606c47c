// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/cuda_device.h"

#include <charconv>

#include "backend/cuda/cuda_error.h"
#include "backend/cuda/cuda_stream.h"
#include "backend/cuda/strided_copy.h"
#include "base/clock.h"
#include "base/error.h"

namespace narae::cuda {
namespace {

constexpr int oldest_major = 8;  // bf16 conversions of the kernel text

// "cuda" or "cuda:N".
int ordinal_of(const std::string& name) {
  const size_t colon = name.find(':');
  if (colon == std::string::npos) return 0;
  int ordinal = -1;
  const char* end = name.data() + name.size();
  const auto [at, error] = std::from_chars(name.data() + colon + 1, end, ordinal);
  if (error != std::errc() || at != end || ordinal < 0) {
    fail(ErrorCode::usage, "there is no device \"{}\"; `narae devices` lists them", name);
  }
  return ordinal;
}

int attribute(int ordinal, cudaDeviceAttr which) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, ordinal), "asking the device");
  return value;
}

// Time of `launch` on an otherwise idle stream, in seconds.
template <typename Launch>
double timed(const Launch& launch) {
  check(cudaDeviceSynchronize(), "waiting");
  const double start = now_seconds();
  launch();
  check(cudaDeviceSynchronize(), "waiting");
  return now_seconds() - start;
}

constexpr const char* fma_text = R"(
extern "C" __global__ void fma_loop(float* out, int rounds) {
  float a = threadIdx.x, b = a + 1, c = a + 2, d = a + 3, e = a + 4, f = a + 5, g = a + 6, h = a + 7;
  for (int i = 0; i < rounds; ++i) {
    a = a * 0.5f + 1; b = b * 0.5f + 1; c = c * 0.5f + 1; d = d * 0.5f + 1;
    e = e * 0.5f + 1; f = f * 0.5f + 1; g = g * 0.5f + 1; h = h * 0.5f + 1;
  }
  if (a + b + c + d + e + f + g + h == 12345.0f) *out = a;
}
)";

}  // namespace

CudaDevice::CudaDevice(const DeviceOptions& options) {
  int count = 0;
  check(cudaGetDeviceCount(&count), "looking for devices");
  level_.ordinal = ordinal_of(options.name);
  if (level_.ordinal + options.set >= count) {
    fail(ErrorCode::usage, "there is no device \"{}\": this machine has {}", options.name, count);
  }
  const int major = attribute(level_.ordinal, cudaDevAttrComputeCapabilityMajor);
  const int minor = attribute(level_.ordinal, cudaDevAttrComputeCapabilityMinor);
  if (major < oldest_major) {
    fail(ErrorCode::usage, "\"{}\" is of compute capability {}.{}; {}.0 or later is needed", options.name, major, minor,
         oldest_major);
  }
  const std::string arch = fmt::format("sm_{}{}", major, minor);
  if (!options.isa.empty() && options.isa != "auto" && options.isa != arch) {
    fail(ErrorCode::usage, "the instruction set \"{}\" is unknown or missing on this device; it has: {}", options.isa,
         arch);
  }
  check(cudaSetDevice(level_.ordinal), "choosing the device");
  target_.device = "cuda";
  target_.isa = arch;
  target_.features = {arch};
  target_.dtypes = {DType::f32, DType::f16, DType::bf16};
  target_.cores = attribute(level_.ordinal, cudaDevAttrMultiProcessorCount);
  target_.l1_bytes = attribute(level_.ordinal, cudaDevAttrMaxSharedMemoryPerMultiprocessor);
  target_.l2_bytes = attribute(level_.ordinal, cudaDevAttrL2CacheSize);
  target_.l3_bytes = 0;
  target_.channel_block = 1;
  target_.int8_activations = false;
  target_.fma_flops = 4e11, target_.l2_bytes_per_s = 4e10, target_.dram_bytes_per_s = 2e12;
  target_.precision = options.precision == "fp32" ? "" : options.precision;
  level_.tf32 = target_.precision == "tf32";
  level_.deterministic = options.deterministic;
  level_.faults = std::make_shared<FaultFlags>();
  level_.texts = std::make_shared<TextKernels>(options.library_dirs, options.cache_dir, level_.ordinal, arch);
  level_.blas = std::make_shared<BlasLibrary>(options.library_dirs, level_.ordinal);
  level_.dnn = std::make_shared<DnnLibrary>(options.library_dirs, level_.ordinal);
  level_.convs = std::make_shared<ConvPlans>(level_.dnn);
#define NARAE_TACTIC(name, file) tactics_.push_back(make_##name##_tactic(level_));
#include "backend/cuda/cuda_tactics.inc"
#undef NARAE_TACTIC
  for (const auto& tactic : tactics_) tactic_pointers_.push_back(tactic.get());
}

std::unique_ptr<Buffer> CudaDevice::allocate(size_t bytes) {
  return std::make_unique<CudaBuffer>(level_.ordinal, bytes);
}
std::unique_ptr<Stream> CudaDevice::make_stream() {
  return std::make_unique<CudaStream>(level_.ordinal, level_.faults);
}
std::unique_ptr<Event> CudaDevice::make_event() { return std::make_unique<CudaEvent>(level_.ordinal); }
void CudaDevice::enter_turn() { check(cudaSetDevice(level_.ordinal), "choosing the device"); }

std::unique_ptr<Kernel> CudaDevice::make_reformat(DType dtype, const Dims& dims, const Layout& from,
                                                  const Layout& to) const {
  Move move{0, 1, 0, 0, dims, logical_strides(dims, from), logical_strides(dims, to)};
  const bool padded = to.stored_count(dims) != element_count(dims);
  const size_t bytes = dtype_size(dtype);
  return make_move_kernel(*level_.texts, bytes, {std::move(move)},
                          padded ? static_cast<size_t>(to.stored_count(dims)) * bytes : 0);
}

double CudaDevice::measure_fma() {
  if (!level_.texts->available()) return target_.fma_flops * target_.cores;
  const cudaKernel_t kernel = level_.texts->get(fma_text, "fma_loop");
  float* out = nullptr;
  int rounds = 20000;
  void* arguments[] = {&out, &rounds};
  const unsigned blocks = static_cast<unsigned>(target_.cores) * 4;
  double best = 0;
  for (int round = 0; round < 4; ++round) {
    const double seconds = timed([&] {
      check(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(blocks), dim3(512), arguments, 0, nullptr),
            "measuring");
    });
    best = std::max(best, 16.0 * rounds * blocks * 512 / seconds);
  }
  return best;
}

double CudaDevice::measure_copy() {
  const size_t bytes = size_t{256} << 20;
  const CudaBuffer from(level_.ordinal, bytes), to(level_.ordinal, bytes);
  double best = 0;
  for (int round = 0; round < 4; ++round) {
    const double seconds = timed([&] {
      for (int i = 0; i < 8; ++i) check(cudaMemcpyAsync(to.data(), from.data(), bytes, cudaMemcpyDefault), "measuring");
    });
    best = std::max(best, 16.0 * static_cast<double>(bytes) / seconds);
  }
  return best;
}

Peaks CudaDevice::measure_peaks() {
  enter_turn();
  Peaks peaks;
  peaks.fma_flops = measure_fma() / target_.cores;
  peaks.dram_bytes_per_s = measure_copy();
  peaks.l2_bytes_per_s = 2 * peaks.dram_bytes_per_s / target_.cores;
  return peaks;
}

void CudaDevice::set_peaks(const Peaks& peaks) {
  target_.fma_flops = peaks.fma_flops;
  target_.int8_ops = peaks.int8_ops;
  target_.l2_bytes_per_s = peaks.l2_bytes_per_s;
  target_.dram_bytes_per_s = peaks.dram_bytes_per_s;
  target_.calibrated = true;
}

std::vector<std::string> CudaDevice::libraries() const {
  return {level_.texts->available() ? level_.texts->version() : level_.texts->reason(),
          level_.blas->available() ? level_.blas->version_text() : level_.blas->reason(),
          level_.dnn->available() ? level_.dnn->version_text() : level_.dnn->reason()};
}

}  // namespace narae::cuda
