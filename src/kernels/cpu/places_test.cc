// SPDX-License-Identifier: Apache-2.0
// What the cases of the ops do not reach: indices that are wrong, and lines beyond one block. The rest is compared with
// the references by the tests of tactics.
#include "kernels/cpu/places.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/cpu/arg.h"

namespace narae::cpu {
namespace {

TEST(Places, WrongIndicesAreReportedAndNotFollowed) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6};
  std::vector<float> y(6, -1);
  GatherElementsArgs args;
  args.in = x.data(), args.out = y.data();
  args.rank = 2, args.axis = 1, args.extent = 3;
  args.dims[0] = 2, args.dims[1] = 3, args.in_strides[0] = 3, args.in_strides[1] = 1;
  std::vector<int64_t> index{2, -3, 1, 0, 3, -4};
  args.index = index.data();
  EXPECT_TRUE(gather_elements_run(args, 0, 1));
  EXPECT_FALSE(gather_elements_run(args, 1, 2));
  EXPECT_EQ(y, (std::vector<float>{3, 1, 2, 4, -1, -1}));

  GatherNdArgs nd;
  std::vector<float> slices(6, -1);
  const std::vector<int32_t> rows{1, -3, -2};
  nd.in = x.data(), nd.out = slices.data(), nd.index = rows.data(), nd.wide_index = false;
  nd.depth = 1, nd.extents[0] = 2, nd.strides[0] = 12, nd.slice_bytes = 8, nd.rows = 3, nd.rows_per_batch = 3;
  EXPECT_FALSE(gather_nd_run(nd, 0, 3));
  EXPECT_EQ(slices, (std::vector<float>{4, 5, -1, -1, 1, 2}));

  std::vector<float> z(6, -1);
  args.out = z.data();
  index = {2, -3, 2, 0, 3, 1};
  EXPECT_FALSE(scatter_elements_run(args, 0, 2));
  EXPECT_EQ(z, (std::vector<float>{2, -1, 3, 4, 6, -1}));
  nd.out = slices.data();
  EXPECT_FALSE(scatter_nd_run(nd, 0, 3));
  EXPECT_EQ(slices, (std::vector<float>{5, 6, -1, 1, 2, 2}));
}

TEST(Places, ArgOverManyLinesWithTiesAndNan) {
  constexpr int64_t size = 5, inner = 150;
  std::vector<float> x(2 * size * inner);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 7 % 4);
  x[2 * inner + 100] = std::numeric_limits<float>::quiet_NaN();
  for (const bool largest : {false, true}) {
    for (const bool last : {false, true}) {
      const ArgShape shape{DType::f32, 2, size, inner, largest, last, 1};
      std::vector<int64_t> y(2 * inner, -1);
      ASSERT_EQ(arg_tasks(shape), 6);
      arg_run(shape, x.data(), y.data(), 3, 6);
      arg_run(shape, x.data(), y.data(), 0, 3);
      for (int64_t line = 0; line < 2 * inner; ++line) {
        int64_t want = -1;
        float best = 0;
        for (int64_t i = 0; i < size; ++i) {
          const float value = x[static_cast<size_t>(line / inner * size * inner + i * inner + line % inner)];
          const float key = std::isnan(value) ? std::numeric_limits<float>::infinity() : value;
          const bool better = largest ? key > best : key < best;
          if (want < 0 || better || (last && key == best)) want = i, best = key;
        }
        EXPECT_EQ(y[static_cast<size_t>(line)], want) << line << " largest " << largest << " last " << last;
      }
    }
  }
}

}  // namespace
}  // namespace narae::cpu
