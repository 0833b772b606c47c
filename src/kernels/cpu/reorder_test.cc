// SPDX-License-Identifier: Apache-2.0
// Channel blocks there and back, and strided copies of every form and element size against index loops.
#include "kernels/cpu/reorder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "kernels/cpu/isa_test.h"

namespace narae::cpu {
namespace {

class Reorder : public IsaTest {
 protected:
  const ReorderKernels& kernels() { return *reorder_kernels(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Isa, Reorder, testing::ValuesIn(known_isas()), isa_name);

std::vector<int64_t> dense_strides(const std::vector<int64_t>& dims) {
  std::vector<int64_t> strides(dims.size(), 1);
  for (size_t d = dims.size(); d-- > 1;) strides[d - 1] = strides[d] * dims[d];
  return strides;
}

TEST_P(Reorder, ChannelBlocksThereAndBack) {
  const int64_t b = kernels().block;
  for (int64_t c : {1, 3, 7, 8, 16, 17, 40})
    for (int64_t pixels : {1, 5, 16, 49, 100}) {
      for (int64_t gap : {0, 11}) {
        BlockShape s;
        s.n = 2, s.c = c, s.pixels = pixels;
        const int64_t blocks = (c + b - 1) / b;
        s.plain_channel = pixels + gap, s.plain_batch = c * s.plain_channel + gap;
        s.block_plane = pixels * b, s.block_batch = blocks * s.block_plane + 16 * gap;
        Random random(static_cast<uint32_t>(c * pixels));
        const std::vector<float> x = random.vector(2 * s.plain_batch);
        std::vector<float> y(2 * s.block_batch, 9.0f), back(2 * s.plain_batch, 8.0f);
        const int64_t tasks = s.n * blocks;
        kernels().to_blocked(s, x.data(), y.data(), tasks / 2, tasks);
        kernels().to_blocked(s, x.data(), y.data(), 0, tasks / 2);
        for (int64_t n = 0; n < 2; n++)
          for (int64_t k = 0; k < s.block_batch; k++) {
            const int64_t channel = k / s.block_plane * b + k % b, pixel = k % s.block_plane / b;
            const float want = k >= blocks * s.block_plane ? 9.0f
                               : channel < c               ? x[n * s.plain_batch + channel * s.plain_channel + pixel]
                                                           : 0.0f;
            ASSERT_EQ(y[n * s.block_batch + k], want) << c << " channels, " << pixels << " pixels, at " << k;
          }
        kernels().from_blocked(s, y.data(), back.data(), 0, tasks);
        for (int64_t n = 0; n < 2; n++)
          for (int64_t k = 0; k < s.plain_batch; k++) {
            const bool real = k < c * s.plain_channel && k % s.plain_channel < pixels;
            ASSERT_EQ(back[n * s.plain_batch + k], real ? x[n * s.plain_batch + k] : 8.0f);
          }
      }
    }
}

// `base` elements into either buffer, so that negative strides stay inside.
template <typename T>
void check_copy(const ReorderKernels& kernels, const std::vector<int64_t>& dims, const std::vector<int64_t>& in,
                const std::vector<int64_t>& out, int64_t in_base, int64_t in_size, int64_t out_size) {
  std::vector<T> x(in_size), y(out_size, static_cast<T>(77)), want = y;
  for (int64_t i = 0; i < in_size; i++) x[i] = static_cast<T>(i * 13 + 5);
  int64_t total = 1;
  for (int64_t d : dims) total *= d;
  for (int64_t k = 0; k < total; k++) {
    int64_t rest = k, from = in_base, to = 0;
    for (size_t d = dims.size(); d-- > 0; rest /= dims[d])
      from += rest % dims[d] * in[d], to += rest % dims[d] * out[d];
    want[to] = x[from];
  }
  const CopyPlan plan = make_copy_plan(dims, in, out, sizeof(T));
  ASSERT_EQ(plan.error, nullptr);
  kernels.copy(plan, x.data() + in_base, y.data(), plan.tasks / 2, plan.tasks);
  kernels.copy(plan, x.data() + in_base, y.data(), 0, plan.tasks / 2);
  ASSERT_TRUE(y == want);
}

template <typename T>
void check_sizes(const ReorderKernels& kernels) {
  // Every permutation of ranks 3 and 4.
  for (std::vector<int64_t> dims : std::vector<std::vector<int64_t>>{{5, 17, 33}, {2, 3, 40, 19}, {1, 70, 1, 90}}) {
    std::vector<int> perm(dims.size());
    for (size_t d = 0; d < perm.size(); d++) perm[d] = static_cast<int>(d);
    const auto dense = dense_strides(dims);
    int64_t total = 1;
    for (int64_t d : dims) total *= d;
    do {
      std::vector<int64_t> out_dims, in;
      for (int p : perm) out_dims.push_back(dims[p]), in.push_back(dense[p]);
      check_copy<T>(kernels, out_dims, in, dense_strides(out_dims), 0, total, total);
    } while (std::next_permutation(perm.begin(), perm.end()));
  }
  check_copy<T>(kernels, {4, 9000}, {9000, 1}, {10000, 1}, 0, 36000, 40000);    // concat along columns
  check_copy<T>(kernels, {4, 30, 7}, {900, 30, 2}, {210, 7, 1}, 3, 4000, 840);  // slice with a step
  check_copy<T>(kernels, {6, 11}, {11, -1}, {11, 1}, 10, 66, 66);               // flip
  check_copy<T>(kernels, {6, 11}, {-11, 1}, {11, 1}, 55, 66, 66);
  check_copy<T>(kernels, {3, 5, 20}, {5, 1, 0}, {100, 20, 1}, 0, 15, 300);  // expand
  check_copy<T>(kernels, {3, 5, 20}, {0, 20, 1}, {100, 20, 1}, 0, 100, 300);
  check_copy<T>(kernels, {5, 6}, {6, 1}, {3, 20}, 0, 30, 200);  // scatter
  check_copy<T>(kernels, {}, {}, {}, 0, 1, 1);
}

TEST_P(Reorder, CopiesOfAnyStrides) {
  check_sizes<uint8_t>(kernels());
  check_sizes<uint16_t>(kernels());
  check_sizes<uint32_t>(kernels());
  check_sizes<uint64_t>(kernels());
  EXPECT_EQ(make_copy_plan({3, 0, 2}, {0, 2, 1}, {0, 2, 1}, 4).tasks, 0);
  EXPECT_NE(make_copy_plan({3}, {1}, {1}, 3).error, nullptr);
}

}  // namespace
}  // namespace narae::cpu
