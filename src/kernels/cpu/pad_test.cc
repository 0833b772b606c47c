// SPDX-License-Identifier: Apache-2.0
// Padding in every mode against an index loop, cropping, gathering with bad indices.
#include "kernels/cpu/pad.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace narae::cpu {
namespace {

int64_t mapped(PadMode mode, int64_t i, int64_t extent) {
  if (i >= 0 && i < extent) return i;
  if (mode == PadMode::constant) return -1;
  if (mode == PadMode::edge) return std::clamp<int64_t>(i, 0, extent - 1);
  if (mode == PadMode::wrap) return ((i % extent) + extent) % extent;
  return i < 0 ? -i : 2 * (extent - 1) - i;
}

template <typename T>
void check(const std::vector<int64_t>& dims, const std::vector<int64_t>& before, const std::vector<int64_t>& after,
           PadMode mode) {
  std::vector<int64_t> out_dims;
  int64_t in_total = 1, out_total = 1;
  for (size_t d = 0; d < dims.size(); d++) {
    out_dims.push_back(dims[d] + before[d] + after[d]);
    in_total *= dims[d], out_total *= out_dims[d];
  }
  std::vector<T> x(in_total), y(out_total, static_cast<T>(99));
  std::iota(x.begin(), x.end(), static_cast<T>(1));
  const T value = static_cast<T>(200);
  const PadPlan plan = make_pad_plan(dims, before, after, mode, sizeof(T));
  ASSERT_EQ(plan.error, nullptr);
  pad_run(plan, x.data(), y.data(), &value, plan.tasks / 2, plan.tasks);
  pad_run(plan, x.data(), y.data(), &value, 0, plan.tasks / 2);
  for (int64_t k = 0; k < out_total; k++) {
    int64_t rest = k, offset = 0, stride = 1;
    bool outside = false;
    for (size_t d = dims.size(); d-- > 0; stride *= dims[d], rest /= out_dims[d]) {
      const int64_t i = mapped(mode, rest % out_dims[d] - before[d], dims[d]);
      outside |= i < 0;
      offset += i * stride;
    }
    ASSERT_EQ(y[k], outside ? value : x[offset]) << "at " << k;
  }
}

TEST(Pad, EveryMode) {
  for (PadMode mode : {PadMode::constant, PadMode::edge, PadMode::reflect, PadMode::wrap}) {
    check<float>({5}, {2}, {3}, mode);
    check<float>({2, 3, 6, 7}, {0, 0, 1, 2}, {0, 0, 3, 1}, mode);
    check<uint8_t>({3, 4, 5}, {1, 0, 2}, {2, 0, 1}, mode);
    check<int64_t>({3, 4, 5}, {1, 2, 0}, {1, 0, 0}, mode);
    check<uint16_t>({3, 4}, {0, 0}, {0, 0}, mode);
    check<float>({6, 7}, {-1, 2}, {-2, -3}, mode);
  }
  EXPECT_NE(make_pad_plan({3}, {3}, {0}, PadMode::reflect, 4).error, nullptr);
  EXPECT_EQ(make_pad_plan({3, 2}, {-3, 0}, {0, 0}, PadMode::constant, 4).tasks, 0);
  check<float>({0, 2}, {1, 1}, {1, 0}, PadMode::constant);
}

TEST(Gather, SlicesAndBadIndices) {
  const std::vector<float> x = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};  // [2][3][2]
  std::vector<float> y(2 * 4 * 2, -1);
  const std::vector<int64_t> index = {2, -3, 0, 2};
  GatherArgs a;
  a.in = x.data(), a.out = y.data(), a.index = index.data(), a.outer = 2, a.extent = 3, a.count = 4, a.slice_bytes = 8;
  EXPECT_TRUE(gather_run(a, 3, gather_tasks(a)));
  EXPECT_TRUE(gather_run(a, 0, 3));
  EXPECT_EQ(y, (std::vector<float>{4, 5, 0, 1, 0, 1, 4, 5, 10, 11, 6, 7, 6, 7, 10, 11}));
  const std::vector<int32_t> bad = {0, 3, -4, 1};
  a.index = bad.data(), a.wide_index = false;
  EXPECT_FALSE(gather_run(a, 0, 2));
  EXPECT_FALSE(gather_run(a, 2, 3));
  EXPECT_TRUE(gather_run(a, 3, 4));
}

}  // namespace
}  // namespace narae::cpu
