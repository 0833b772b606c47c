// SPDX-License-Identifier: Apache-2.0
#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "tensor/dim.h"
#include "tensor/layout.h"

namespace narae {
namespace {

Dim parse_dim(const std::string& text) {
  return Dim::parse(text, [](std::string_view name) { return Dim::symbol(std::string(name), 1); });
}

TEST(Dim, EqualExpressionsHaveOneForm) {
  const Dim n = Dim::symbol("N", 1), h = Dim::symbol("H", 1);
  EXPECT_EQ((n + h) * n, n * n + h * n);
  EXPECT_EQ(n + 3 - n, Dim(3));
  EXPECT_EQ(floordiv(n * h * 6, h * 2), n * 3);
  EXPECT_EQ(floordiv(h * 4 + 7, 4), h + 1);
  EXPECT_EQ(ceildiv(h * 4 + 7, 4), h + 2);
  EXPECT_EQ(floordiv(h + 4, 2), floordiv(h, 2) + 2);
  EXPECT_NE(floordiv(h, 2), floordiv(h + 1, 2));
  EXPECT_EQ(min(n, n + 1), n);
  EXPECT_EQ(max(n, 0), n);
  EXPECT_EQ(max(n, h), max(h, n));
}

TEST(Dim, TextParsesBackAndEvaluates) {
  const Dim n = Dim::symbol("N", 1), h = Dim::symbol("H", 1);
  const Dim dims[] = {n, n * h + 2, floordiv(h - 1, 2) + 1, ceildiv(n * h, 3), min(n, h) * max(h, 7) - 4 * n - 9};
  for (const Dim& dim : dims) {
    EXPECT_EQ(parse_dim(dim.text()), dim) << dim.text();
    EXPECT_EQ(parse_dim(dim.text()).text(), dim.text());
  }
  auto value_of = [](const std::string& name) { return name == "N" ? int64_t{5} : int64_t{12}; };
  EXPECT_EQ(dims[1].evaluate(value_of), 62);
  EXPECT_EQ(dims[2].evaluate(value_of), 6);
  EXPECT_EQ(dims[3].evaluate(value_of), 20);
  EXPECT_EQ(dims[4].evaluate(value_of), 5 * 12 - 20 - 9);
  EXPECT_THROW(parse_dim("N+"), Error);
  EXPECT_EQ(parse_dim("9223372036854775807"), Dim(9223372036854775807));
  EXPECT_EQ(parse_dim("-9223372036854775808").text(), "-9223372036854775808");
  EXPECT_EQ(parse_dim("2-N-3").text(), "-1*N-1");
  EXPECT_THROW(parse_dim("9223372036854775808"), Error);
  EXPECT_THROW(parse_dim("--1"), Error);
  EXPECT_THROW(parse_dim("foo(N,2)"), Error);
}

TEST(Dim, BoundsHoldForRandomExpressions) {
  uint64_t state = 7;
  auto next = [&state](int n) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<int>((state >> 33) % static_cast<uint64_t>(n));
  };
  for (int round = 0; round < 500; ++round) {
    const Dim a = Dim::symbol("a", 1, 9), b = Dim::symbol("b", 2, 5);
    Dim dim = a;
    for (int step = 0; step < 5; ++step) {
      const Dim other = next(2) ? b : Dim(next(7) + 1);
      switch (next(7)) {
        case 0: dim = dim + other; break;
        case 1: dim = dim - other; break;
        case 2: dim = dim * other; break;
        case 3: dim = floordiv(dim, other); break;
        case 4: dim = ceildiv(dim, other); break;
        case 5: dim = min(dim, other); break;
        default: dim = max(dim, other); break;
      }
    }
    for (int64_t x = 1; x <= 9; ++x) {
      for (int64_t y = 2; y <= 5; ++y) {
        const int64_t value = dim.evaluate([&](const std::string& name) { return name == "a" ? x : y; });
        EXPECT_GE(value, dim.low()) << dim.text();
        EXPECT_LE(value, dim.high()) << dim.text();
      }
    }
  }
}

// Each is undefined or endless in plain arithmetic; files can hold them all.
TEST(Dim, ArithmeticThatLeaves64BitsIsRefused) {
  const int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();
  const Dim n = Dim::symbol("N", 1);
  EXPECT_THROW(Dim(most) + Dim(1), Error);
  EXPECT_THROW((n + most) + Dim(1), Error);
  EXPECT_THROW((n * most) + n, Error);
  EXPECT_THROW((n * most) * Dim(2), Error);
  EXPECT_THROW((n + most) * Dim(3), Error);
  EXPECT_THROW(floordiv(Dim(least), Dim(-1)), Error);
  EXPECT_THROW(ceildiv(Dim(least), Dim(-1)), Error);
  EXPECT_THROW(floordiv(n + least, Dim(-1)), Error);
  EXPECT_EQ(floordiv(n * 6 + 3, Dim(-1)), n * Dim(-6) - 3);
  EXPECT_THROW((n * n * n).evaluate([](const std::string&) { return int64_t{1} << 40; }), Error);
  EXPECT_THROW((n + most).evaluate([](const std::string&) { return 1; }), Error);
  EXPECT_THROW(parse_dim("99999999999999999999"), Error);
  EXPECT_THROW(parse_dim("floordiv(-9223372036854775808,-1)"), Error);
}

TEST(Dim, ExpressionsThatGrowWithoutEndAreRefused) {
  Dim sum = 0, nested = Dim::symbol("N", 1);
  for (int i = 0; i < 80; ++i) sum = sum + Dim::symbol("s" + std::to_string(i), 1);
  EXPECT_THROW(sum * sum, Error);
  EXPECT_THROW(
      {
        for (int i = 0; i < 100; ++i) nested = floordiv(nested, 3) * min(nested, 100000 + i);
      },
      Error);
}

TEST(DType, HalfRoundTripsEveryBitPattern) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = half_to_float(static_cast<uint16_t>(bits));
    if (std::isnan(value)) continue;
    EXPECT_EQ(float_to_half(value), bits);
  }
  EXPECT_EQ(float_to_half(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_bfloat(1.00390625f), 0x3f80);  // tie to even
}

TEST(Layout, CountsPaddingLanes) {
  EXPECT_EQ(Layout::blocked(1, 16).stored_count({2, 17, 3, 3}), 2 * 32 * 9);
  EXPECT_EQ(Layout::parse("block1x16"), Layout::blocked(1, 16));
  EXPECT_EQ(Layout::parse(Layout::plain().text()), Layout::plain());
  EXPECT_THROW(Layout::parse("block-1x0"), Error);
}

TEST(Tensor, ElementsThatDoNotFit) {
  const double values[] = {1e30, -1e30, std::nan(""), -3.7};
  const Tensor i64 = Tensor::allocate(DType::i64, {4}), u8 = Tensor::allocate(DType::u8, {4});
  const Tensor f32 = Tensor::allocate(DType::f32, {4});
  for (int64_t i = 0; i < 4; ++i) {
    for (const Tensor* tensor : {&i64, &u8, &f32}) set_element(*tensor, i, values[i]);
  }
  const int64_t most = std::numeric_limits<int64_t>::max(), least = std::numeric_limits<int64_t>::min();
  const int64_t wide[] = {most, least, 0, -3}, narrow[] = {255, 0, 0, 253};
  for (int64_t i = 0; i < 4; ++i) {
    EXPECT_EQ(i64.as<int64_t>()[i], wide[i]);
    EXPECT_EQ(element_as_int(f32, i), wide[i]);
    EXPECT_EQ(u8.as<uint8_t>()[i], narrow[i]);
  }
  const Tensor i8 = Tensor::allocate(DType::i8, {1}), i32 = Tensor::allocate(DType::i32, {1});
  set_element(i8, 0, 128), set_element(i32, 0, 2147483659.0);  // as integers wrap
  EXPECT_EQ(i8.as<int8_t>()[0], -128);
  EXPECT_EQ(i32.as<int32_t>()[0], -2147483637);
}

TEST(Tensor, CountsSaturate) {
  const int64_t big = int64_t{1} << 40;
  EXPECT_EQ(element_count(Dims{big, big}), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(element_count(Dims{big, big, 0}), 0);
  EXPECT_EQ(element_count(Dims{}), 1);
}

TEST(Tensor, RefusesImpossibleSizes) {
  EXPECT_THROW(Tensor::allocate(DType::f32, {int64_t{1} << 40, int64_t{1} << 40}), Error);
  EXPECT_THROW(Tensor::allocate(DType::f32, {-1}), Error);
}

}  // namespace
}  // namespace narae
