// SPDX-License-Identifier: Apache-2.0
// main of the tests; with --bench [NAME] the times of the kernels instead, beside the bandwidth that a copy reaches on
// the same device. Launches are captured, rotate over more memory than the caches hold, and the median replay counts.
#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include "kernels/cuda/cast.h"
#include "kernels/cuda/dense_attention.h"
#include "kernels/cuda/dequantize_blocks.h"
#include "kernels/cuda/device_test.h"
#include "kernels/cuda/gemv.h"
#include "kernels/cuda/image.h"
#include "kernels/cuda/norm.h"
#include "kernels/cuda/paged_attention.h"
#include "kernels/cuda/row_reduce.h"
#include "kernels/cuda/sample.h"
#include "kernels/cuda/softmax.h"
#include "kernels/cuda/strided_copy.h"

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

void bench_gemv(Bench& bench) {
  if (!bench.wants("gemv")) return;
  struct Size {
    int64_t m, n, k;
  };
  for (const Size& s : {Size{1, 4096, 4096},
                        {1, 28672, 4096},
                        {1, 4096, 14336},
                        {1, 128256, 4096},
                        {8, 6144, 4096},
                        {16, 28672, 4096}}) {
    const std::string size = std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k);
    Rotation w(s.n * s.k * 2), x(s.m * s.k * 4), y(s.m * s.n * 4);
    const auto elements = static_cast<double>(s.n * s.k);
    for (const DType type : {DType::bf16, DType::f32}) {
      GemvArgs a;
      a.x_type = a.y_type = type, a.m = s.m, a.n = s.n, a.k = s.k;
      bench.row(("gemv bf16 " + size + (type == DType::f32 ? " x f32" : "")).c_str(), 2 * elements, 0, [&](int i) {
        a.x = x.at(i), a.w = w.at(i), a.y = y.at(i);
        gemv(a, bench.stream());
      });
    }
    for (const BlockFormat f :
         {BlockFormat::q4_0, BlockFormat::q4_1, BlockFormat::q8_0, BlockFormat::q4_k, BlockFormat::q6_k}) {
      const BlockFormatInfo& info = block_format_info(f);
      BlockGemvArgs a;
      a.x_type = a.y_type = DType::bf16, a.m = s.m, a.n = s.n, a.k = s.k, a.format = f;
      bench.row(("gemv " + std::string(info.name) + " " + size).c_str(), elements * info.bytes / info.values, 0,
                [&](int i) {
                  a.x = x.at(i), a.w = w.at(i), a.y = y.at(i);
                  block_gemv(a, bench.stream());
                });
    }
  }
  const int64_t blocks = int64_t{4096} * 4096 / 256;
  Rotation in(blocks * 210), out(blocks * 512);
  for (const BlockFormat f : {BlockFormat::q4_k, BlockFormat::q6_k}) {
    bench.row((std::string("gemv dequantize f16 ") + block_format_info(f).name).c_str(),
              static_cast<double>(blocks * (block_format_info(f).bytes + 512)), 0, [&](int i) {
                dequantize_blocks({in.at(i), out.at(i), f, DType::f16, blocks}, bench.stream());
              });
  }
}

// `rows` of each of `sequences` sequences, of which each sees `length` tokens.
void bench_paged(Bench& bench, int64_t sequences, int64_t rows, int64_t length, int splits = 0) {
  constexpr int64_t heads = 32, kv_heads = 8, width = 128, page = 16;
  const int64_t pages = length / page, places = sequences * length + page, all = sequences * rows;
  std::vector<int32_t> starts, lengths, tables;
  for (int64_t s = 0; s <= sequences; ++s) starts.push_back(static_cast<int32_t>(s * rows));
  for (int64_t s = 0; s < sequences; ++s) lengths.push_back(static_cast<int32_t>(length));
  for (int64_t i = 0; i < sequences * pages; ++i) tables.push_back(static_cast<int32_t>(i + 1));
  std::shuffle(tables.begin(), tables.end(), std::mt19937(3));
  const int64_t bytes = places * kv_heads * width * 2;
  Rotation k(bytes), v(bytes), q(all * heads * width * 2), out(all * heads * width * 2);
  DeviceArray dstarts(starts), dlengths(lengths), dtables(tables);
  PagedAttentionArgs a;
  a.row_starts = dstarts.as<int32_t>(), a.lengths = dlengths.as<int32_t>(), a.tables = dtables.as<int32_t>();
  a.q_type = a.out_type = a.kv_type = DType::bf16;
  a.rows = all, a.heads = heads, a.kv_heads = kv_heads, a.width = width, a.sequences = sequences, a.pages = pages;
  a.page_size = page, a.places = places, a.scale = 0.088f, a.splits = splits;
  const double pairs = static_cast<double>(sequences) * static_cast<double>(rows) *
                       (static_cast<double>(length) - 0.5 * static_cast<double>(rows - 1));
  bench.row(("attention paged " + std::to_string(sequences) + " x " + std::to_string(rows) + " of " +
             std::to_string(length) + " splits " + std::to_string(splits))
                .c_str(),
            2.0 * static_cast<double>(sequences * length * kv_heads * width * 2),
            rows > 1 ? 4 * pairs * heads * width : 0, [&](int i) {
              a.q = q.at(i), a.k = k.at(i), a.v = v.at(i), a.out = out.at(i);
              paged_attention(a, bench.stream());
            });
}

void bench_attention(Bench& bench) {
  if (!bench.wants("attention")) return;
  for (const auto& [sequences, length] :
       {std::pair<int64_t, int64_t>{1, 128}, {1, 4096}, {64, 1024}, {256, 1024}, {16, 8192}}) {
    bench_paged(bench, sequences, 1, length);
  }
  bench_paged(bench, 1, 4096, 4096);
  bench_paged(bench, 8, 512, 2048);
  for (const auto& [batch, heads, tokens] : {std::array<int64_t, 3>{1, 12, 128}, {32, 12, 128}, {32, 16, 384}}) {
    const int64_t width = 64, bytes = batch * tokens * heads * width * 2;
    Rotation q(bytes), k(bytes), v(bytes), out(bytes), bias(batch * tokens * 2);
    DenseAttentionArgs a;
    a.type = a.bias_type = DType::bf16, a.batch = batch, a.heads = heads, a.queries = a.keys = tokens;
    a.width = a.value_width = width, a.scale = 0.125f, a.bias_batch = tokens, a.bias_key = 1;
    a.q_strides = a.k_strides = a.v_strides = a.out_strides = {tokens * heads * width, width, heads * width};
    bench.row(("attention dense " + std::to_string(batch) + "x" + std::to_string(heads) + "x" + std::to_string(tokens))
                  .c_str(),
              4.0 * static_cast<double>(bytes), 4.0 * static_cast<double>(batch * heads * tokens * tokens * width),
              [&](int i) {
                a.q = q.at(i), a.k = k.at(i), a.v = v.at(i), a.out = out.at(i), a.bias = bias.at(i);
                dense_attention(a, bench.stream());
              });
  }
}

void bench_sample(Bench& bench) {
  if (!bench.wants("sample")) return;
  constexpr int64_t vocabulary = 128256;
  struct Kind {
    const char* name;
    float temperature, top_p;
    int32_t top_k;
  };
  for (const int64_t rows : {1, 64, 256}) {
    Rotation logits(rows * vocabulary * 4, DType::f32);
    const auto count = static_cast<size_t>(rows);
    for (const Kind& kind : {Kind{"greedy", 0, 1, 0}, Kind{"temperature", 1, 1, 0}, Kind{"top_k 40", 1, 1, 40},
                             Kind{"top_p 0.9", 1, 0.9f, 0}}) {
      DeviceArray temperatures(std::vector<float>(count, kind.temperature)),
          top_ps(std::vector<float>(count, kind.top_p)), min_ps(std::vector<float>(count, 0.f)),
          top_ks(std::vector<int32_t>(count, kind.top_k)), seeds(std::vector<int64_t>(count, 5)),
          zeros(std::vector<int32_t>(count + 1, 0)), none(std::vector<int32_t>(count, -1)), tokens(count * 4),
          logprobs(count * 4);
      SampleArgs a;
      a.temperatures = temperatures.as<float>(), a.top_ks = top_ks.as<int32_t>(), a.top_ps = top_ps.as<float>(),
      a.min_ps = min_ps.as<float>();
      a.seeds = seeds.as<int64_t>(), a.branches = a.positions = a.change_starts = zeros.as<int32_t>(),
      a.mask_rows = none.as<int32_t>();
      a.tokens = tokens.as<int32_t>(), a.logprobs = logprobs.as<float>(), a.rows = rows, a.vocabulary = vocabulary;
      bench.row(("sample " + std::string(kind.name) + " " + std::to_string(rows) + " rows").c_str(),
                static_cast<double>(rows * vocabulary * 4), 0, [&](int i) {
                  a.logits = static_cast<const float*>(logits.at(i));
                  sample(a, bench.stream());
                });
    }
  }
}

void bench_images(Bench& bench) {
  if (!bench.wants("image")) return;
  const int64_t n = 32, size = 112, c = 96, bytes = n * size * size * c * 2;
  Rotation x(bytes, DType::f16), y(bytes), w(49 * c * 2, DType::f16), bias(c * 4, DType::f32);
  for (const auto& [k, stride] : {std::pair<int64_t, int64_t>{3, 1}, {3, 2}, {5, 1}}) {
    DwconvArgs a;
    a.w = w.at(0), a.bias = bias.at(0), a.act = Act::silu, a.n = n, a.c = c, a.ih = a.iw = size,
    a.oh = a.ow = size / stride;
    a.kh = a.kw = k, a.stride_h = a.stride_w = stride, a.pad_top = a.pad_left = k / 2;
    bench.row(("image dwconv " + std::to_string(k) + "x" + std::to_string(k) + "/" + std::to_string(stride)).c_str(),
              static_cast<double>(bytes + bytes / stride / stride), 0, [&](int i) {
                a.x = x.at(i), a.y = y.at(i);
                dwconv(a, bench.stream());
              });
  }
  PoolArgs p;
  p.type = DType::f16, p.channels_last = true, p.n = n, p.c = c, p.ih = p.iw = size, p.oh = p.ow = size / 2,
  p.kh = p.kw = 3;
  p.stride_h = p.stride_w = 2, p.pad_top = p.pad_left = p.pad_bottom = p.pad_right = 1;
  bench.row("image max pool 3x3/2 NHWC", 1.25 * static_cast<double>(bytes), 0, [&](int i) {
    p.x = x.at(i), p.y = y.at(i);
    pool(p, bench.stream());
  });
  bench.row("image reduce mean NHWC", static_cast<double>(bytes), 0, [&](int i) {
    row_reduce({x.at(i), y.at(i), DType::f16, DType::f16, Reduction::mean, n, size * size, c}, bench.stream());
  });
  StridedCopyArgs turn;
  turn.element_bytes = 2, turn.rank = 3;
  turn.dims[0] = n, turn.dims[1] = size * size, turn.dims[2] = c;
  turn.in_strides[0] = turn.out_strides[0] = c * size * size, turn.in_strides[1] = 1, turn.in_strides[2] = size * size;
  turn.out_strides[1] = c, turn.out_strides[2] = 1;
  bench.row("image NCHW to NHWC", 2.0 * static_cast<double>(bytes), 0, [&](int i) {
    turn.in = x.at(i), turn.out = y.at(i);
    strided_copy(turn, bench.stream());
  });
  bench.row("image cast f16 to bf16", 2.0 * static_cast<double>(bytes), 0, [&](int i) {
    cast({x.at(i), y.at(i), DType::f16, DType::bf16, bytes / 2}, bench.stream());
  });
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
  bench_attention(bench);
  bench_gemv(bench);
  bench_sample(bench);
  bench_images(bench);
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
