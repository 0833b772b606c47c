// SPDX-License-Identifier: Apache-2.0
// Softmax, norms, reductions and top-k against float64 loops.
#include <algorithm>
#include <numeric>

#include "kernels/cuda/device_test.h"
#include "kernels/cuda/norm.h"
#include "kernels/cuda/row_reduce.h"
#include "kernels/cuda/softmax.h"

namespace narae::cuda {
namespace {

struct Sizes {
  int64_t outer, n, inner;
};

std::vector<double> softmax_of(const std::vector<float>& x, const Sizes& s, bool log) {
  std::vector<double> y(x.size());
  for (int64_t o = 0; o < s.outer; ++o) {
    for (int64_t j = 0; j < s.inner; ++j) {
      const auto at = [&](int64_t i) { return static_cast<size_t>((o * s.n + i) * s.inner + j); };
      double high = -INFINITY, sum = 0;
      for (int64_t i = 0; i < s.n; ++i) high = std::max(high, static_cast<double>(x[at(i)]));
      for (int64_t i = 0; i < s.n; ++i) sum += std::exp(x[at(i)] - high);
      for (int64_t i = 0; i < s.n; ++i) {
        const double shifted = x[at(i)] - high;
        y[at(i)] = log ? shifted - std::log(sum) : std::exp(shifted) / sum;
      }
    }
  }
  return y;
}

TEST(CudaRows, Softmax) {
  NARAE_NEEDS_GPU();
  const Sizes sizes[] = {{5, 1000, 1},  {7, 37, 1},  {130, 128, 1}, {3, 4096, 1}, {2, 16384, 1},
                         {2, 20001, 1}, {3, 11, 65}, {1, 1, 1},     {9, 8, 1}};
  for (const Sizes& s : sizes) {
    for (const DType type : real_types) {
      for (const bool log : {false, true}) {
        const std::vector<float> x = rounded(normals(s.outer * s.n * s.inner, 1, 3), type);
        DeviceArray in(x, type), out(x.size() * static_cast<size_t>(bytes_of(type)));
        SoftmaxArgs args{in.get(), out.get(), type, type, s.outer, s.n, s.inner, log};
        ASSERT_EQ(softmax(args, nullptr), cudaSuccess);
        EXPECT_LT(relative_error(out.floats(type), softmax_of(x, s, log)), 3 * tolerance(type))
            << s.outer << "x" << s.n << "x" << s.inner << " " << static_cast<int>(type) << " log " << log;
      }
    }
  }
}

TEST(CudaRows, NormWithResidual) {
  NARAE_NEEDS_GPU();
  for (const Sizes& s :
       {Sizes{3, 768, 1}, {5, 4096, 1}, {2, 16384, 1}, {4, 100, 1}, {3, 33, 1}, {2, 20000, 1}, {1, 8, 1}}) {
    for (const DType type : real_types) {
      for (const bool rms : {false, true}) {
        const int64_t count = s.outer * s.n;
        const std::vector<float> x = rounded(normals(count, 2), type), residual = normals(count, 3);
        const std::vector<float> scale = normals(s.n, 4), bias = normals(s.n, 5);
        std::vector<double> expected(x.size()), sums(x.size());
        for (int64_t row = 0; row < s.outer; ++row) {
          double mean = 0, variance = 0;
          for (int64_t i = 0; i < s.n; ++i) {
            const auto at = static_cast<size_t>(row * s.n + i);
            sums[at] = static_cast<double>(x[at]) + residual[at];
            mean += rms ? 0 : sums[at] / static_cast<double>(s.n);
          }
          for (int64_t i = 0; i < s.n; ++i) {
            const double d = sums[static_cast<size_t>(row * s.n + i)] - mean;
            variance += d * d / static_cast<double>(s.n);
          }
          for (int64_t i = 0; i < s.n; ++i) {
            const auto at = static_cast<size_t>(row * s.n + i), k = static_cast<size_t>(i);
            expected[at] = (sums[at] - mean) / std::sqrt(variance + 1e-5) * scale[k] + bias[k];
          }
        }
        DeviceArray in(x, type), more(residual), factors(scale), shifts(bias);
        DeviceArray sum(x.size() * 4), out(x.size() * static_cast<size_t>(bytes_of(type)));
        NormArgs args;
        args.x = in.get(), args.residual = more.get(), args.sum = sum.get(), args.y = out.get();
        args.scale = factors.get(), args.bias = shifts.get();
        args.type = type, args.y_type = type, args.rows = s.outer, args.n = s.n, args.rms = rms;
        ASSERT_EQ(norm(args, nullptr), cudaSuccess);
        EXPECT_LT(relative_error(sum.floats(DType::f32), sums), 1e-6);
        EXPECT_LT(relative_error(out.floats(type), expected), tolerance(type)) << s.n << " rms " << rms;
        args.residual = nullptr, args.sum = nullptr, args.x = sum.get(), args.type = DType::f32;
        out.poison();
        ASSERT_EQ(norm(args, nullptr), cudaSuccess);
        EXPECT_LT(relative_error(out.floats(type), expected), tolerance(type)) << s.n << " alone, rms " << rms;
      }
    }
  }
}

double reduced(Reduction kind, const std::vector<double>& line) {
  double sum = 0, high = -INFINITY, low = INFINITY, product = 1, squares = 0, magnitudes = 0, exps = 0;
  for (const double v : line) {
    sum += v, high = std::max(high, v), low = std::min(low, v), product *= v;
    squares += v * v, magnitudes += std::fabs(v), exps += std::exp(v);
  }
  switch (kind) {
    case Reduction::sum: return sum;
    case Reduction::mean: return sum / static_cast<double>(line.size());
    case Reduction::max: return high;
    case Reduction::min: return low;
    case Reduction::prod: return product;
    case Reduction::sum_square: return squares;
    case Reduction::l1: return magnitudes;
    case Reduction::l2: return std::sqrt(squares);
    case Reduction::log_sum: return std::log(sum);
    case Reduction::log_sum_exp: return std::log(exps);
  }
  return NAN;
}

TEST(CudaRows, Reduce) {
  NARAE_NEEDS_GPU();
  for (const Sizes& s : {Sizes{6, 49, 1}, {3, 5000, 1}, {9, 1024, 1}, {2, 49, 70}, {3, 3, 32}, {2, 100000, 1}}) {
    for (const DType type : real_types) {
      for (int kind = 0; kind < 10; ++kind) {
        std::vector<float> x = normals(s.outer * s.n * s.inner, 7);
        for (float& v : x) v = 1 + 0.01f * std::fabs(v);  // logarithms and products exist
        x = rounded(x, type);
        if (kind == static_cast<int>(Reduction::prod) && s.n > 100) continue;
        std::vector<double> expected;
        for (int64_t o = 0; o < s.outer; ++o) {
          for (int64_t j = 0; j < s.inner; ++j) {
            std::vector<double> line;
            for (int64_t i = 0; i < s.n; ++i) line.push_back(x[static_cast<size_t>((o * s.n + i) * s.inner + j)]);
            expected.push_back(reduced(static_cast<Reduction>(kind), line));
          }
        }
        DeviceArray in(x, type), out(expected.size() * 4);
        ReduceArgs args{in.get(), out.get(), type, DType::f32, static_cast<Reduction>(kind), s.outer, s.n, s.inner};
        ASSERT_EQ(row_reduce(args, nullptr), cudaSuccess);
        EXPECT_LT(relative_error(out.floats(DType::f32), expected), 1e-5) << s.n << " kind " << kind;
      }
    }
  }
}

TEST(CudaRows, TopkAndArg) {
  NARAE_NEEDS_GPU();
  const Sizes s{3, 1000, 5};
  std::vector<float> x = normals(s.outer * s.n * s.inner, 8);
  for (float& v : x) v = std::round(v * 8) / 8;  // many equals
  x[17 * 5] = NAN;
  for (const bool largest : {true, false}) {
    for (const bool last : {false, true}) {
      const int64_t k = 9;
      DeviceArray in(x), values(static_cast<size_t>(s.outer * k * s.inner) * 4),
          places(static_cast<size_t>(s.outer * k * s.inner) * 8);
      TopkArgs args{in.get(), values.get(), places.as<int64_t>(), DType::f32, s.outer, s.n, s.inner, k, largest, last};
      ASSERT_EQ(topk(args, nullptr), cudaSuccess);
      const auto found = places.values<int64_t>();
      const auto found_values = values.floats(DType::f32);
      for (int64_t line = 0; line < s.outer * s.inner; ++line) {
        const int64_t o = line / s.inner, j = line % s.inner;
        const auto key = [&](int64_t i) {
          const float v = x[static_cast<size_t>((o * s.n + i) * s.inner + j)];
          const float high = v == v ? v : INFINITY;
          return largest ? -high : high;
        };
        std::vector<int64_t> order(static_cast<size_t>(s.n));
        std::iota(order.begin(), order.end(), 0);
        std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
          return key(a) != key(b) ? key(a) < key(b) : last ? a > b : a < b;
        });
        for (int64_t i = 0; i < k; ++i) {
          const auto at = static_cast<size_t>((o * k + i) * s.inner + j);
          ASSERT_EQ(found[at], order[static_cast<size_t>(i)]) << "line " << line << " rank " << i;
          const float value = x[static_cast<size_t>((o * s.n + found[at]) * s.inner + j)];
          if (value == value) {
            ASSERT_EQ(found_values[at], value);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace narae::cuda
