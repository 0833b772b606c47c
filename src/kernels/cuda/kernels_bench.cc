// SPDX-License-Identifier: Apache-2.0
// main of the tests; with --bench [NAME] the times of the kernels instead, beside the bandwidth that a copy reaches on
// the same device. Launches are captured, rotate over more memory than the caches hold, and the median replay counts.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "kernels/cuda/device_test.h"
#include "kernels/cuda/norm.h"
#include "kernels/cuda/row_reduce.h"
#include "kernels/cuda/softmax.h"

namespace narae::cuda {
namespace {

constexpr int launches = 24;

class Bench {
 public:
  explicit Bench(std::string filter) : filter_(std::move(filter)) {
    cudaStreamCreate(&stream_);
    cudaEventCreate(&begin_), cudaEventCreate(&end_);
    DeviceArray from(size_t{1} << 30), to(size_t{1} << 30);
    const double us =
        time([&](int) { cudaMemcpyAsync(to.get(), from.get(), size_t{1} << 30, cudaMemcpyDeviceToDevice, stream_); });
    peak_ = 2.0 * (1 << 30) / us * 1e-3;
    std::printf("device-to-device copy: %.0f GB/s\n", peak_);
  }
  ~Bench() { cudaEventDestroy(begin_), cudaEventDestroy(end_), cudaStreamDestroy(stream_); }
  cudaStream_t stream() const { return stream_; }

  bool wants(const char* name) const { return filter_.empty() || std::string(name).find(filter_) != std::string::npos; }

  // bytes: moved by one launch; flops: done by it (0: not printed). launch(i) puts launch i on stream().
  void row(const char* name, double bytes, double flops, const std::function<void(int)>& launch) {
    if (!wants(name)) return;
    const double us = time(launch);
    std::printf("%-44s %9.2f us %8.0f GB/s %5.1f%%", name, us, bytes / us * 1e-3, 100 * bytes / us * 1e-3 / peak_);
    if (flops > 0) std::printf(" %8.1f TFLOP/s", flops / us * 1e-6);
    std::printf("\n");
    std::fflush(stdout);
  }

 private:
  double time(const std::function<void(int)>& launch) {
    cudaGraph_t graph;
    cudaGraphExec_t ready;
    cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal);
    for (int i = 0; i < launches; ++i) launch(i);
    if (cudaStreamEndCapture(stream_, &graph) != cudaSuccess || cudaGraphInstantiate(&ready, graph, 0) != cudaSuccess) {
      std::printf("capture failed: %s\n", cudaGetErrorString(cudaGetLastError()));
      return INFINITY;
    }
    std::vector<float> times;
    for (int i = 0; i < 12; ++i) {
      float ms = 0;
      cudaEventRecord(begin_, stream_);
      cudaGraphLaunch(ready, stream_);
      cudaEventRecord(end_, stream_);
      cudaEventSynchronize(end_);
      cudaEventElapsedTime(&ms, begin_, end_);
      if (i > 1) times.push_back(ms);
    }
    if (cudaGetLastError() != cudaSuccess) std::printf("a launch failed\n");
    cudaGraphExecDestroy(ready), cudaGraphDestroy(graph);
    std::nth_element(times.begin(), times.begin() + static_cast<long>(times.size() / 2), times.end());
    return times[times.size() / 2] * 1e3 / launches;
  }
  std::string filter_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
  double peak_ = 1;
};

// Copies of one random array, enough of them to leave no cache warm.
class Rotation {
 public:
  Rotation(int64_t bytes, DType type = DType::bf16) {
    const auto count =
        static_cast<int>(std::clamp<int64_t>((int64_t{160} << 20) / std::max<int64_t>(1, bytes), 1, launches));
    std::vector<float> some = normals(1 << 16, 11);
    const std::vector<std::byte> pattern = encoded(some, type);
    std::vector<std::byte> all(static_cast<size_t>(bytes));
    for (size_t i = 0; i < all.size(); i += pattern.size()) {
      std::memcpy(all.data() + i, pattern.data(), std::min(pattern.size(), all.size() - i));
    }
    for (int i = 0; i < count; ++i) arrays_.push_back(std::make_unique<DeviceArray>(all));
  }
  void* at(int i) const { return arrays_[static_cast<size_t>(i) % arrays_.size()]->get(); }

 private:
  std::vector<std::unique_ptr<DeviceArray>> arrays_;
};

void bench_rows(Bench& bench) {
  if (!bench.wants("rows")) return;
  for (const auto& [rows, n] : {std::pair<int64_t, int64_t>{1, 4096}, {64, 4096}, {8192, 4096}, {4096, 768}}) {
    const int64_t bytes = rows * n * 2;
    Rotation x(bytes), residual(bytes), y(bytes), scale(n * 2);
    NormArgs args;
    args.type = args.residual_type = args.sum_type = args.y_type = args.factor_type = DType::bf16;
    args.rows = rows, args.n = n, args.rms = true, args.scale = scale.at(0);
    bench.row(("rows rms_norm+residual " + std::to_string(rows) + "x" + std::to_string(n)).c_str(),
              4.0 * static_cast<double>(bytes), 0, [&](int i) {
                args.x = x.at(i), args.residual = args.sum = residual.at(i), args.y = y.at(i);
                norm(args, bench.stream());
              });
  }
  for (const auto& [rows, n] : {std::pair<int64_t, int64_t>{32 * 12 * 128, 128}, {4096, 4096}, {64, 128256}}) {
    const int64_t bytes = rows * n * 2;
    Rotation x(bytes), y(bytes);
    bench.row(("rows softmax f16 " + std::to_string(rows) + "x" + std::to_string(n)).c_str(),
              2.0 * static_cast<double>(bytes), 0, [&](int i) {
                softmax({x.at(i), y.at(i), DType::bf16, DType::bf16, rows, n, 1, false}, bench.stream());
              });
    bench.row(("rows reduce mean " + std::to_string(rows) + "x" + std::to_string(n)).c_str(),
              static_cast<double>(bytes), 0, [&](int i) {
                row_reduce({x.at(i), y.at(i), DType::bf16, DType::bf16, Reduction::mean, rows, n, 1}, bench.stream());
              });
  }
}

int run_benches(const char* filter) {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess || count == 0) {
    std::printf("no usable GPU: %s\n", cudaGetErrorString(cudaGetLastError()));
    return 1;
  }
  cudaDeviceProp properties{};
  cudaGetDeviceProperties(&properties, 0);
  std::printf("%s\n", properties.name);
  Bench bench(filter);
  bench_rows(bench);
  return 0;
}

}  // namespace
}  // namespace narae::cuda

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--bench")) return narae::cuda::run_benches(i + 1 < argc ? argv[i + 1] : "");
  }
  return RUN_ALL_TESTS();
}
