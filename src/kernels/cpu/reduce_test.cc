// SPDX-License-Identifier: Apache-2.0
// Reductions, softmax and norms against double-precision loops, over last and inner axes with tails.
#include "kernels/cpu/reduce.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/isa_test.h"

namespace narae::cpu {
namespace {

class Reduce : public IsaTest {
 protected:
  const ReduceKernels& kernels() { return *reduce_kernels(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Isa, Reduce, testing::ValuesIn(known_isas()), isa_name);

struct Size {
  int64_t outer, n, inner;
};
const Size sizes[] = {{3, 1, 1}, {2, 5, 1},   {4, 16, 1},   {3, 100, 1}, {1, 1001, 1},
                      {2, 7, 3}, {3, 64, 16}, {1, 200, 33}, {2, 3, 100}, {5, 2, 64}};

double reduced(Reduction kind, const std::vector<double>& v) {
  double sum = 0, product = 1, squares = 0, magnitudes = 0, exps = 0;
  double high = -INFINITY, low = INFINITY;
  for (double x : v) {
    sum += x, product *= x, squares += x * x, magnitudes += std::fabs(x), exps += std::exp(x);
    high = std::max(high, x), low = std::min(low, x);
  }
  switch (kind) {
    case Reduction::sum: return sum;
    case Reduction::mean: return sum / static_cast<double>(v.size());
    case Reduction::max: return high;
    case Reduction::min: return low;
    case Reduction::prod: return product;
    case Reduction::sum_square: return squares;
    case Reduction::l1: return magnitudes;
    case Reduction::l2: return std::sqrt(squares);
    case Reduction::log_sum: return std::log(sum);
    case Reduction::log_sum_exp: return std::log(exps);
  }
  return 0;
}

std::vector<double> along(const std::vector<float>& x, const Size& s, int64_t o, int64_t i) {
  std::vector<double> v;
  for (int64_t k = 0; k < s.n; k++) v.push_back(x[(o * s.n + k) * s.inner + i]);
  return v;
}

TEST_P(Reduce, EveryKind) {
  for (const Size& s : sizes) {
    for (int kind = 0; kind <= static_cast<int>(Reduction::log_sum_exp); kind++) {
      const Reduction reduction = static_cast<Reduction>(kind);
      Random random(static_cast<uint32_t>(kind + s.n));
      std::vector<float> x = random.vector(s.outer * s.n * s.inner), y(s.outer * s.inner + 1, 5.0f);
      if (reduction == Reduction::log_sum)
        for (float& v : x) v = std::fabs(v) + 0.1f;
      if (reduction == Reduction::prod)
        for (float& v : x) v = 1.0f + 0.1f * v;
      const ReduceArgs args{x.data(), y.data(), s.outer, s.n, s.inner};
      const int64_t tasks = reduce_tasks(kernels(), args), middle = tasks / 2;
      kernels().reduce(args, reduction, middle, tasks);
      kernels().reduce(args, reduction, 0, middle);
      for (int64_t o = 0; o < s.outer; o++)
        for (int64_t i = 0; i < s.inner; i++) {
          const double want = reduced(reduction, along(x, s, o, i));
          ASSERT_NEAR(y[o * s.inner + i], want, 2e-5 * std::max(1.0, std::fabs(want)))
              << "kind " << kind << " n " << s.n << " inner " << s.inner;
        }
      ASSERT_EQ(y.back(), 5.0f);
    }
  }
}

TEST_P(Reduce, Softmax) {
  for (const Size& s : sizes) {
    for (bool log_form : {false, true}) {
      Random random(static_cast<uint32_t>(s.n));
      std::vector<float> x = random.vector(s.outer * s.n * s.inner);
      for (float& v : x) v *= 20;
      std::vector<float> y = x;  // in place
      const ReduceArgs args{y.data(), y.data(), s.outer, s.n, s.inner};
      kernels().softmax(args, log_form, 0, reduce_tasks(kernels(), args));
      for (int64_t o = 0; o < s.outer; o++)
        for (int64_t i = 0; i < s.inner; i++) {
          const std::vector<double> v = along(x, s, o, i);
          const double high = *std::max_element(v.begin(), v.end());
          double sum = 0;
          for (double e : v) sum += std::exp(e - high);
          for (int64_t k = 0; k < s.n; k++) {
            const double want = log_form ? v[k] - high - std::log(sum) : std::exp(v[k] - high) / sum;
            ASSERT_NEAR(y[(o * s.n + k) * s.inner + i], want,
                        1e-5 * std::max(1.0, std::fabs(want)) * (log_form ? 1 : 0.1));
          }
        }
    }
  }
}

TEST_P(Reduce, LogSumExpOfInfinities) {
  const float inf = std::numeric_limits<float>::infinity();
  for (int64_t inner : {1, 3}) {
    std::vector<float> x(2 * 4 * inner, -inf), y(2 * inner);
    for (int64_t i = 0; i < inner; i++) x[4 * inner + i] = inf;
    const ReduceArgs args{x.data(), y.data(), 2, 4, inner};
    kernels().reduce(args, Reduction::log_sum_exp, 0, reduce_tasks(kernels(), args));
    for (int64_t i = 0; i < inner; i++) {
      EXPECT_EQ(y[i], -inf);
      EXPECT_EQ(y[inner + i], inf);
    }
  }
}

TEST_P(Reduce, Norms) {
  for (int64_t n : {1, 7, 16, 64, 100, 768, 1001}) {
    const int64_t rows = 3;
    Random random(static_cast<uint32_t>(n));
    std::vector<float> x = random.vector(rows * n);
    for (float& v : x) v += 3.0f;
    const std::vector<float> scale = random.vector(n), bias = random.vector(n);
    for (bool rms : {false, true}) {
      for (int with = 0; with < 4; with++) {
        std::vector<float> y(rows * n);
        const NormArgs a{x.data(), y.data(), n, with & 1 ? scale.data() : nullptr, with & 2 ? bias.data() : nullptr,
                         1e-3f};
        (rms ? kernels().rms_norm : kernels().layer_norm)(a, 0, rows);
        for (int64_t r = 0; r < rows; r++) {
          double mean = 0, squares = 0;
          for (int64_t i = 0; i < n; i++) mean += x[r * n + i] / static_cast<double>(n);
          const double centre = rms ? 0 : mean;
          for (int64_t i = 0; i < n; i++)
            squares += (x[r * n + i] - centre) * (x[r * n + i] - centre) / static_cast<double>(n);
          const double inverse = 1 / std::sqrt(squares + 1e-3);
          for (int64_t i = 0; i < n; i++) {
            const double want =
                (x[r * n + i] - centre) * inverse * (with & 1 ? scale[i] : 1.0) + (with & 2 ? bias[i] : 0.0);
            ASSERT_NEAR(y[r * n + i], want, 5e-5);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace narae::cpu
