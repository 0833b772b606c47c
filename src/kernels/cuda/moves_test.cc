// SPDX-License-Identifier: Apache-2.0
// Copies between views, padding and casts: exact, against loops on the host.
#include "kernels/cpu/cast.h"
#include "kernels/cpu/pad.h"
#include "kernels/cuda/cast.h"
#include "kernels/cuda/device_test.h"
#include "kernels/cuda/strided_copy.h"

namespace narae::cuda {
namespace {

std::vector<uint8_t> random_bytes(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  return bytes;
}

struct View {
  std::vector<int64_t> dims, in, out;
  int64_t in_first = 0, out_first = 0, in_size, out_size;
};

TEST(CudaMoves, StridedCopy) {
  NARAE_NEEDS_GPU();
  const View views[] = {
      {{5, 40, 33}, {40 * 33, 1, 40}, {40 * 33, 33, 1}, 0, 0, 6600, 6600},                      // last two turned
      {{2, 3, 50, 64}, {3 * 50 * 64, 64, 3 * 64, 1}, {9600, 3200, 64, 1}, 0, 0, 19200, 19200},  // heads out of tokens
      {{7, 16}, {40, 1}, {16, 1}, 8, 0, 7 * 40, 112},                                           // slice
      {{7, 16}, {16, 1}, {48, 1}, 0, 16, 112, 7 * 48},                                          // part of a concat
      {{4, 9, 8}, {0, 8, 1}, {72, 8, 1}, 0, 0, 72, 288},                                        // expand
      {{100}, {-1}, {1}, 99, 0, 100, 100},                                                      // flip
      {{3, 17, 19, 5},
       {17 * 19 * 5, 1, 17 * 5, 17},
       {17 * 19 * 5, 19 * 5, 5, 1},
       0,
       0,
       3 * 17 * 19 * 5,
       3 * 17 * 19 * 5},
      {{64, 8, 8}, {1, 64 * 8, 64}, {64, 8, 1}, 0, 0, 4096, 4096},  // NHWC to NCHW
      {{1}, {1}, {1}, 0, 0, 1, 1},
      {{10, 3}, {4, 1}, {3, 1}, 1, 0, 41, 30}};
  for (const View& v : views) {
    for (const int bytes : {1, 2, 4, 8}) {
      const auto size = static_cast<size_t>(bytes);
      const std::vector<uint8_t> data = random_bytes(static_cast<size_t>(v.in_size) * size, 3);
      std::vector<uint8_t> expected(static_cast<size_t>(v.out_size) * size, 0xff);
      StridedCopyArgs a;
      a.element_bytes = bytes, a.rank = static_cast<int>(v.dims.size());
      int64_t count = 1;
      for (size_t d = 0; d < v.dims.size(); ++d) {
        a.dims[d] = v.dims[d], a.in_strides[d] = v.in[d], a.out_strides[d] = v.out[d], count *= v.dims[d];
      }
      for (int64_t i = 0; i < count; ++i) {
        int64_t rest = i, from = v.in_first, to = v.out_first;
        for (size_t d = v.dims.size(); d-- > 0;) {
          from += rest % v.dims[d] * v.in[d], to += rest % v.dims[d] * v.out[d];
          rest /= v.dims[d];
        }
        std::memcpy(expected.data() + static_cast<size_t>(to) * size, data.data() + static_cast<size_t>(from) * size,
                    size);
      }
      DeviceArray in(data), out(expected.size());
      a.in = in.as<char>() + v.in_first * bytes, a.out = out.as<char>() + v.out_first * bytes;
      ASSERT_EQ(strided_copy(a, nullptr), cudaSuccess);
      ASSERT_EQ(out.values<uint8_t>(), expected) << "view " << &v - views << " of " << bytes;
    }
  }
}

TEST(CudaMoves, Pad) {
  NARAE_NEEDS_GPU();
  const std::vector<int64_t> dims = {3, 5, 7};
  const std::vector<std::vector<int64_t>> befores = {{0, 2, 3}, {1, 0, -2}, {0, 4, 1}},
                                          afters = {{0, 1, 6}, {2, -1, 0}, {0, 0, 5}};
  for (size_t k = 0; k < befores.size(); ++k) {
    for (int mode = 0; mode < 4; ++mode) {
      if (mode == 2 && k == 1) continue;  // reflect needs in > pad
      for (const int bytes : {1, 2, 4, 8}) {
        const std::vector<uint8_t> data = random_bytes(105 * static_cast<size_t>(bytes), 4), value = random_bytes(8, 5);
        const auto plan = cpu::make_pad_plan(dims, befores[k], afters[k], static_cast<cpu::PadMode>(mode), bytes);
        ASSERT_EQ(plan.error, nullptr);
        PadArgs a;
        a.mode = static_cast<PadMode>(mode), a.element_bytes = bytes, a.rank = 3;
        int64_t count = 1;
        for (size_t d = 0; d < 3; ++d) {
          a.in_dims[d] = dims[d], a.before[d] = befores[k][d], a.out_dims[d] = dims[d] + befores[k][d] + afters[k][d];
          count *= a.out_dims[d];
        }
        std::vector<uint8_t> expected(static_cast<size_t>(count * bytes));
        cpu::pad_run(plan, data.data(), expected.data(), value.data(), 0, plan.tasks);
        DeviceArray in(data), out(expected.size()), filling(value);
        a.in = in.get(), a.out = out.get(), a.value = filling.get();
        ASSERT_EQ(pad(a, nullptr), cudaSuccess);
        ASSERT_EQ(out.values<uint8_t>(), expected) << "case " << k << " mode " << mode << " bytes " << bytes;
      }
    }
  }
}

// Every pair of types, on bytes that are the numbers -300 .. 300 and some that do not fit.
TEST(CudaMoves, Cast) {
  NARAE_NEEDS_GPU();
  std::vector<double> numbers;
  for (int i = -300; i <= 300; ++i) numbers.push_back(i * 0.75);
  for (const double big : {1e6, -1e6, 3e9, -3e9, 1e19, -1e19, 2e19, 70000.0}) numbers.push_back(big);
  const auto count = static_cast<int64_t>(numbers.size());
  for (int from = 0; from < dtype_count; ++from) {
    const auto source = static_cast<DType>(from);
    std::vector<uint8_t> data(numbers.size() * static_cast<size_t>(bytes_of(source)));
    cpu::cast_run(DType::f64, source, numbers.data(), data.data(), 0, count);
    for (int to = 0; to < dtype_count; ++to) {
      const auto target = static_cast<DType>(to);
      std::vector<uint8_t> expected(numbers.size() * static_cast<size_t>(bytes_of(target)));
      cpu::cast_run(source, target, data.data(), expected.data(), 0, count);
      for (const int64_t n : {count, count / 8 * 8}) {
        DeviceArray in(data), out(expected.size());
        ASSERT_EQ(cast({in.get(), out.get(), source, target, n}, nullptr), cudaSuccess);
        const auto got = out.values<uint8_t>();
        ASSERT_EQ(std::memcmp(got.data(), expected.data(), static_cast<size_t>(n * bytes_of(target))), 0)
            << from << " to " << to;
      }
    }
  }
}

}  // namespace
}  // namespace narae::cuda
