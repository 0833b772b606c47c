// SPDX-License-Identifier: Apache-2.0
// Rope, state writes, gathers and gated units against loops on the host.
#include "kernels/cuda/tokens.h"

#include "kernels/cuda/device_test.h"
#include "kernels/cuda/rope.h"

namespace narae::cuda {
namespace {

std::vector<double> turned(const std::vector<float>& x, const std::vector<int32_t>& positions,
                           const std::vector<float>& frequencies, int heads, int width, bool interleaved,
                           double scale) {
  std::vector<double> y(x.begin(), x.end());
  const size_t pairs = frequencies.size();
  for (size_t row = 0; row < x.size() / static_cast<size_t>(width); ++row) {
    for (size_t i = 0; i < pairs; ++i) {
      const double angle = static_cast<double>(positions[row / static_cast<size_t>(heads)]) * frequencies[i];
      const size_t a = row * static_cast<size_t>(width) + (interleaved ? 2 * i : i), b = a + (interleaved ? 1 : pairs);
      y[a] = scale * (x[a] * std::cos(angle) - x[b] * std::sin(angle));
      y[b] = scale * (x[b] * std::cos(angle) + x[a] * std::sin(angle));
    }
  }
  return y;
}

std::vector<float> frequencies_of(int pairs) {
  std::vector<float> result;
  for (int i = 0; i < pairs; ++i)
    result.push_back(static_cast<float>(std::pow(10000.0, -static_cast<double>(i) / pairs)));
  return result;
}

TEST(CudaTokens, Rope) {
  NARAE_NEEDS_GPU();
  for (const bool interleaved : {false, true}) {
    for (const auto& [width, pairs] : {std::pair{128, 64}, {80, 16}, {6, 3}}) {
      const int rows = 5, heads = 3;
      const std::vector<int32_t> positions = {0, 1, 17, 131071, 5000};
      const std::vector<float> x = normals(rows * heads * width, 1), frequencies = frequencies_of(pairs);
      DeviceArray in(x), out(x.size() * 4), at(positions), turns(frequencies);
      RopeArgs a;
      a.x = in.get(), a.y = out.get(), a.positions = at.as<int32_t>(), a.frequencies = turns.as<float>();
      a.rows = rows, a.heads = heads, a.width = width, a.pairs = pairs, a.interleaved = interleaved, a.scale = 1.25f;
      ASSERT_EQ(rope(a, nullptr), cudaSuccess);
      const auto expected = turned(x, positions, frequencies, heads, width, interleaved, 1.25);
      EXPECT_LT(relative_error(out.floats(DType::f32), expected), 5e-7) << width << " " << interleaved;
      a.y = in.get();
      ASSERT_EQ(rope(a, nullptr), cudaSuccess);
      EXPECT_LT(relative_error(in.floats(DType::f32), expected), 5e-7) << "in place";
    }
  }
}

TEST(CudaTokens, RopeKv) {
  NARAE_NEEDS_GPU();
  const int rows = 5, heads = 6, kv_heads = 2, width = 64, places = 9, all = (heads + 2 * kv_heads) * width;
  const std::vector<float> x = rounded(normals(rows * all, 2), DType::bf16), frequencies = frequencies_of(32);
  const std::vector<int32_t> positions = {3, 4, 900, 0, 17}, at = {7, 2, places, 0, 7};
  DeviceArray in(x, DType::bf16), q_out(rows * heads * width * 2), k(places * kv_heads * width * 2),
      v(places * kv_heads * width * 2), where(positions), to(at), turns(frequencies), flag(std::vector<int32_t>{0});
  RopeKvArgs a;
  a.q = in.get(), a.k = in.as<uint16_t>() + heads * width, a.v = in.as<uint16_t>() + (heads + kv_heads) * width;
  a.q_out = q_out.get(), a.k_state = k.get(), a.v_state = v.get(), a.positions = where.as<int32_t>();
  a.places = to.as<int32_t>(), a.frequencies = turns.as<float>(), a.outside = flag.as<int32_t>();
  a.type = a.q_type = a.kv_type = DType::bf16, a.q_row = a.k_row = a.v_row = all;
  a.rows = rows, a.heads = heads, a.kv_heads = kv_heads, a.width = width, a.pairs = 32, a.place_count = places;
  ASSERT_EQ(rope_kv(a, nullptr), cudaSuccess);
  EXPECT_EQ(flag.values<int32_t>()[0], 1);  // row 2
  const auto part = [&](int row, int first, int count) {
    const auto begin = x.begin() + row * all + first * width;
    return std::vector<float>(begin, begin + count * width);
  };
  const auto qs = q_out.floats(DType::bf16), ks = k.floats(DType::bf16), vs = v.floats(DType::bf16);
  for (int row = 0; row < rows; ++row) {
    const std::vector<int32_t> position = {positions[static_cast<size_t>(row)]};
    const auto got = std::vector<float>(qs.begin() + row * heads * width, qs.begin() + (row + 1) * heads * width);
    EXPECT_LT(relative_error(got, turned(part(row, 0, heads), position, frequencies, heads, width, false, 1)), 5e-3);
    if (row == 2 || row == 0) continue;  // outside; the last row has its place
    const auto slice = [&](const std::vector<float>& state) {
      const auto begin = state.begin() + at[static_cast<size_t>(row)] * kv_heads * width;
      return std::vector<float>(begin, begin + kv_heads * width);
    };
    EXPECT_LT(
        relative_error(slice(ks), turned(part(row, heads, kv_heads), position, frequencies, kv_heads, width, false, 1)),
        5e-3);
    EXPECT_EQ(slice(vs), part(row, heads + kv_heads, kv_heads));
  }
  EXPECT_TRUE(std::isnan(ks[1 * kv_heads * width])) << "a place nobody writes";
}

TEST(CudaTokens, SourceWriteGather) {
  NARAE_NEEDS_GPU();
  DeviceArray ids(std::vector<int32_t>{5, -1, -1, 9}), slots(std::vector<int32_t>{0, 2, 7, 99});
  DeviceArray last(std::vector<int32_t>{10, 11, 12}), out(16), flag(std::vector<int32_t>{0});
  ASSERT_EQ(token_source({ids.as<int32_t>(), slots.as<int32_t>(), last.as<int32_t>(), out.as<int32_t>(),
                          flag.as<int32_t>(), 4, 3},
                         nullptr),
            cudaSuccess);
  EXPECT_EQ(out.values<int32_t>(), (std::vector<int32_t>{5, 12, 0, 9}));
  EXPECT_EQ(flag.values<int32_t>()[0], 1);

  const std::vector<int32_t> places = {3, 1, 3, 0, 3};
  for (const DType to : real_types) {
    for (const int width : {1, 30, 512}) {
      const std::vector<float> x = normals(5 * width, 3);
      DeviceArray in(x), state(static_cast<size_t>(4 * width * bytes_of(to))), at(places);
      KvWriteArgs a;
      a.x = in.get(), a.state = state.get(), a.places = at.as<int32_t>();
      a.state_type = to, a.rows = 5, a.width = width, a.place_count = 4;
      ASSERT_EQ(kv_write(a, nullptr), cudaSuccess);
      const std::vector<float> got = state.floats(to), stored = rounded(x, to);
      for (int i = 0; i < width; ++i) {
        const auto at_row = [&](int row) { return stored[static_cast<size_t>(row * width + i)]; };
        ASSERT_EQ(got[static_cast<size_t>(0 * width + i)], at_row(3));
        ASSERT_EQ(got[static_cast<size_t>(1 * width + i)], at_row(1));
        ASSERT_EQ(got[static_cast<size_t>(3 * width + i)], at_row(4)) << "the last stays";
        ASSERT_TRUE(std::isnan(got[static_cast<size_t>(2 * width + i)]));
      }
    }
  }

  for (const int slice : {4, 6, 48, 768 * 4, 8192}) {
    std::vector<uint8_t> bytes(static_cast<size_t>(2 * 7 * slice));
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 31 + i / 251);
    const std::vector<int64_t> index = {6, -7, 3, -1, 7};
    DeviceArray in(bytes), at(index), to(static_cast<size_t>(2 * 5 * slice)), outside(std::vector<int32_t>{0});
    ASSERT_EQ(gather({in.get(), to.get(), at.get(), outside.as<int32_t>(), true, 2, 7, 5, slice}, nullptr),
              cudaSuccess);
    const auto got = to.values<uint8_t>();
    EXPECT_EQ(outside.values<int32_t>()[0], 1);
    for (int o = 0; o < 2; ++o) {
      for (int i = 0; i < 5; ++i) {
        for (int b = 0; b < slice; ++b) {
          const int64_t from =
              index[static_cast<size_t>(i)] < 0 ? index[static_cast<size_t>(i)] + 7 : index[static_cast<size_t>(i)];
          const uint8_t expected = i == 4 ? 0xff : bytes[static_cast<size_t>((o * 7 + from) * slice + b)];
          ASSERT_EQ(got[static_cast<size_t>((o * 5 + i) * slice + b)], expected);
        }
      }
    }
  }
}

TEST(CudaTokens, Gated) {
  NARAE_NEEDS_GPU();
  for (const DType type : real_types) {
    for (const auto& [rows, n] : {std::pair{3, 64}, {2, 37}}) {
      for (int gate = 0; gate < 4; ++gate) {
        const std::vector<float> x = rounded(normals(rows * 2 * n, 5, 2), type);
        DeviceArray in(x, type), out(static_cast<size_t>(rows * n * bytes_of(type)));
        GatedArgs a;
        a.a = in.get(), a.b = in.as<char>() + n * bytes_of(type), a.y = out.get(), a.type = a.y_type = type;
        a.gate = static_cast<Gate>(gate), a.rows = rows, a.n = n, a.a_row = a.b_row = 2 * n;
        ASSERT_EQ(gated(a, nullptr), cudaSuccess);
        std::vector<double> expected;
        for (int row = 0; row < rows; ++row) {
          for (int i = 0; i < n; ++i) {
            const double g = x[static_cast<size_t>(row * 2 * n + i)], u = x[static_cast<size_t>(row * 2 * n + n + i)];
            const double gates[] = {g / (1 + std::exp(-g)), 0.5 * g * (1 + std::erf(g / std::sqrt(2.0))),
                                    0.5 * g * (1 + std::tanh(0.7978845608028654 * (g + 0.044715 * g * g * g))),
                                    std::max(g, 0.0)};
            expected.push_back(gates[gate] * u);
          }
        }
        EXPECT_LT(relative_error(out.floats(type), expected), tolerance(type)) << n << " gate " << gate;
      }
    }
  }
}

}  // namespace
}  // namespace narae::cuda
