// SPDX-License-Identifier: Apache-2.0
// The chains that exporters write around shapes stay Dims from end to end.
#include "ops/contents.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "graph/builder.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/dims.h"
#include "ops/fill.h"
#include "ops/gather.h"
#include "ops/ops.h"
#include "ops/reshape.h"
#include "ops/slice.h"

namespace narae {
namespace {

struct ContentsTest : ::testing::Test {
  ContentsTest() : graph((add_all_ops(table), table)), builder(graph), n(graph.new_symbol("N", 1)) {}
  // What an importer makes of Shape.
  Value* shape_of(std::vector<Dim> sizes) {
    return builder.op("dims", {}, DimsAttributes{std::move(sizes), false, DType::i64});
  }
  Value* scalar(int64_t value) { return builder.scalar(static_cast<double>(value), DType::i64); }
  Value* list(std::vector<int64_t> values) { return builder.constant_i64(values); }
  std::string text(const Value* value) {
    if (!value->contents()) return "unknown";
    return shape_text(*value->contents());
  }
  OpTable table;
  Graph graph;
  Builder builder;
  Dim n;
};

TEST_F(ContentsTest, FlattenByGatherAndConcat) {
  Value* shape = shape_of({n, 3, 7});
  Value* batch = builder.op("gather", {shape, scalar(0)}, GatherAttributes{0});
  EXPECT_EQ(batch->rank(), 0);
  batch = builder.op("reshape", {batch}, ReshapeAttributes{{Dim(1)}});
  EXPECT_EQ(text(builder.op("concat", {batch, list({-1})}, ConcatAttributes{0})), "[N,-1]");
}

TEST_F(ContentsTest, ExpandWithMinusOnes) {
  // Where(Equal(wanted, -1 * ones), sizes, wanted)
  Value* sizes = shape_of({n, 4, 1});
  Value* wanted = builder.op("concat", {shape_of({n}), list({-1, 5})}, ConcatAttributes{0});
  Value* ones = builder.op("fill", {}, FillAttributes{{Dim(3)}, 1.0, DType::i64});
  Value* equal = builder.op("eq", {wanted, builder.op("mul", {ones, scalar(-1)})});
  EXPECT_EQ(text(equal), "[0,1,0]");
  EXPECT_EQ(text(builder.op("select", {equal, sizes, wanted})), "[N,4,5]");
}

TEST_F(ContentsTest, ScaledByFloats) {
  Value* sizes = builder.op("cast", {shape_of({n, 12})}, CastAttributes{DType::f32});
  Value* scaled = builder.op("floor", {builder.op("mul", {sizes, builder.scalar(2.0)})});
  EXPECT_EQ(text(builder.op("cast", {scaled}, CastAttributes{DType::i64})), "[2*N,24]");
  EXPECT_EQ(text(builder.op("div", {scaled, builder.scalar(2.0)})), "[N,12]");
  EXPECT_EQ(text(builder.op("div", {scaled, builder.scalar(5.0)})), "unknown");
  EXPECT_EQ(text(builder.op("mul", {sizes, builder.scalar(0.3)})), "unknown");
  EXPECT_EQ(text(builder.op("cast", {sizes}, CastAttributes{DType::f16})), "unknown");
}

TEST_F(ContentsTest, IntegerArithmetic) {
  Value* sizes = shape_of({n, 12});
  EXPECT_EQ(text(builder.op("div", {sizes, scalar(4)})), "[floordiv(N,4),3]");
  EXPECT_EQ(text(builder.op("mod", {builder.op("mul", {sizes, scalar(4)}), scalar(4)})), "[0,0]");
  EXPECT_EQ(text(builder.op("sub", {sizes, sizes})), "[0,0]");
  EXPECT_EQ(text(builder.op("div", {builder.op("neg", {sizes}), scalar(5)})), "unknown");  // rounds the other way
  EXPECT_EQ(text(builder.op("mul", {list({int64_t{1} << 39}), list({int64_t{1} << 39})})), "unknown");
  EXPECT_EQ(text(builder.op("cast", {list({-1})}, CastAttributes{DType::u8})), "unknown");
  EXPECT_EQ(text(builder.op("slice", {sizes}, SliceAttributes{{Dim(1)}, {Dim(9)}, {0}, {}})), "[12]");
}

TEST_F(ContentsTest, ComparesOnlyWhatIsDecided) {
  Value* sizes = shape_of({n, 12});
  EXPECT_EQ(text(builder.op("gt", {sizes, scalar(0)})), "[1,1]");
  EXPECT_EQ(text(builder.op("lt", {sizes, scalar(0)})), "[0,0]");
  EXPECT_EQ(text(builder.op("gt", {sizes, scalar(1)})), "unknown");
  EXPECT_EQ(text(builder.op("eq", {sizes, scalar(12)})), "unknown");
  EXPECT_EQ(text(builder.op("logical_not", {builder.op("ge", {sizes, scalar(1)})})), "[0,0]");
}

TEST_F(ContentsTest, SlicesOfSymbolicAxesAreExact) {
  const Dim m = graph.new_symbol("M", 0);
  auto count = [&](const Dim& size, const Dim& start, const Dim& end, int64_t step) {
    return slice_range(size, start, end, step).count.text();
  };
  EXPECT_EQ(count(n, 0, int64_t{1} << 62, 1), "N");
  EXPECT_EQ(count(n, 1, int64_t{1} << 62, 1), "N-1");
  EXPECT_EQ(count(n, 0, -1, 1), "N-1");
  EXPECT_EQ(count(n, -1, -(int64_t{1} << 62), -1), "N");
  EXPECT_EQ(count(n, 0, n, 2), "ceildiv(N,2)");
  // Against the definition, for every small size, start and end, whether its sign is known or not.
  for (int64_t size = 0; size < 5; ++size) {
    for (int64_t start = -6; start < 7; ++start) {
      for (int64_t end = -6; end < 7; ++end) {
        for (const int64_t step : {1, 2, -1, -3}) {
          const Dim s = Dim::symbol("s", -9, 9), e = Dim::symbol("e", -9, 9);
          const SliceRange range = slice_range(m, s, e, step);
          auto value_of = [&](const std::string& name) { return name == "s" ? start : name == "e" ? end : size; };
          // ONNX: a start is clamped to [0, size], or [0, size - 1] going back; an end to [0, size] or [-1, size - 1].
          const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
          const int64_t first = std::min(std::max<int64_t>(start < 0 ? start + size : start, 0), high);
          const int64_t last = std::min(std::max(end < 0 ? end + size : end, low), high);
          int64_t wanted = 0;
          for (int64_t at = first; step > 0 ? at < last : at > last; at += step) ++wanted;
          EXPECT_EQ(range.count.evaluate(value_of), wanted) << size << " " << start << " " << end << " " << step;
        }
      }
    }
  }
}

TEST_F(ContentsTest, WrongOperandsAreRefused) {
  Value* x = graph.add_input("x", DType::f32, {2, 3});
  EXPECT_THROW(builder.op("gather", {x, x}, GatherAttributes{0}), Error);
  EXPECT_THROW(builder.op("gather", {x, list({0})}, GatherAttributes{2}), Error);
  EXPECT_THROW(builder.op("gather", {shape_of({n, 2}), list({2})}, GatherAttributes{0}), Error);
  EXPECT_THROW(builder.op("concat", {x, graph.add_input("y", DType::f32, {3, 3})}, ConcatAttributes{1}), Error);
  EXPECT_THROW(builder.op("slice", {x}, SliceAttributes{{0}, {1}, {0}, {0}}), Error);
  EXPECT_THROW(builder.op("slice", {x}, SliceAttributes{{0, 0}, {1, 1}, {0, -2}, {}}), Error);
  EXPECT_THROW(builder.op("select", {x, x, x}), Error);
  EXPECT_THROW(builder.op("bitwise_and", {x, x}), Error);
}

}  // namespace
}  // namespace narae
