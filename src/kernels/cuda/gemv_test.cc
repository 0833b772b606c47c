// SPDX-License-Identifier: Apache-2.0
// Skinny products against float64 sums over the weights as stored; blocks against the host's decoding of them.
#include "kernels/cuda/gemv.h"

#include <deque>

#include "kernels/cpu/dequantize_blocks.h"
#include "kernels/cuda/dequantize_blocks.h"
#include "kernels/cuda/device_test.h"

namespace narae::cuda {
namespace {

struct Product {
  std::vector<float> x, w, bias, residual;
  int m, n, k;
  std::vector<double> expected() const {
    std::vector<double> y;
    for (int row = 0; row < m; ++row) {
      for (int column = 0; column < n; ++column) {
        double sum =
            static_cast<double>(bias[static_cast<size_t>(column)]) + residual[static_cast<size_t>(row * n + column)];
        for (int i = 0; i < k; ++i) {
          sum += static_cast<double>(x[static_cast<size_t>(row * k + i)]) * w[static_cast<size_t>(column * k + i)];
        }
        y.push_back(sum);
      }
    }
    return y;
  }
};

void fill(GemvArgs& a, const Product& p, const DeviceArray& x, const DeviceArray& w, const DeviceArray& y,
          const DeviceArray& bias, const DeviceArray& residual) {
  a.x = x.get(), a.w = w.get(), a.y = y.get(), a.bias = bias.get(), a.residual = residual.get();
  a.m = p.m, a.n = p.n, a.k = p.k;
}

TEST(CudaGemv, Dense) {
  NARAE_NEEDS_GPU();
  struct Size {
    int m, n, k;
  };
  for (const Size& s : {Size{1, 100, 4096}, {3, 64, 1000}, {8, 33, 136}, {9, 48, 2048}, {16, 17, 8}, {2, 40, 77}}) {
    for (const DType w_type : real_types) {
      for (const DType x_type : {DType::f32, DType::f16, DType::bf16}) {
        Product p{rounded(normals(s.m * s.k, 1), x_type),
                  rounded(normals(s.n * s.k, 2), w_type),
                  normals(s.n, 3),
                  normals(s.m * s.n, 4),
                  s.m,
                  s.n,
                  s.k};
        DeviceArray x(p.x, x_type), w(p.w, w_type), bias(p.bias), residual(p.residual),
            y(static_cast<size_t>(s.m * s.n) * 4);
        GemvArgs a;
        fill(a, p, x, w, y, bias, residual);
        a.x_type = x_type, a.w_type = w_type, a.y_type = DType::f32, a.fixed_weights = s.m % 2 == 1;
        ASSERT_EQ(gemv(a, nullptr), cudaSuccess);
        EXPECT_LT(relative_error(y.floats(DType::f32), p.expected()), 1e-5)
            << s.m << "x" << s.n << "x" << s.k << " x " << static_cast<int>(x_type) << " w "
            << static_cast<int>(w_type);
        // A row's bits do not depend on how many there are.
        const std::vector<float> together = y.floats(DType::f32);
        y.poison();
        a.m = 1;
        ASSERT_EQ(gemv(a, nullptr), cudaSuccess);
        const std::vector<float> alone = y.floats(DType::f32);
        for (int i = 0; i < s.n; ++i) ASSERT_EQ(alone[static_cast<size_t>(i)], together[static_cast<size_t>(i)]) << i;
      }
    }
  }
}

// Several matrices at once give the bits that each gives alone; a gated unit what its products and its gate give.
TEST(CudaGemv, SeveralMatricesAndGatedUnits) {
  NARAE_NEEDS_GPU();
  for (const int k : {264, 77}) {  // the quick way, and one where rows lie crooked
    for (const int m : {1, 5, 13}) {
      for (const DType type : {DType::f16, DType::bf16}) {
        const int n[] = {40, 8, 24};
        const Product p{rounded(normals(m * k, 1), type), {}, {}, {}, m, 0, k};
        DeviceArray x(p.x, type);
        std::deque<DeviceArray> w, bias, y, alone;
        for (const int rows : n) {
          w.emplace_back(normals(rows * k, static_cast<uint32_t>(rows)), type);
          bias.emplace_back(normals(rows, 3));
          y.emplace_back(static_cast<size_t>(m * rows) * 4);
          alone.emplace_back(static_cast<size_t>(m * rows) * 4);
        }
        GemvPartsArgs a;
        a.x = x.get(), a.m = m, a.k = k, a.x_type = a.w_type = type, a.y_type = DType::f32, a.count = 3,
        a.fixed_weights = true;
        for (size_t i = 0; i < 3; ++i) a.parts[i] = {w[i].get(), bias[i].get(), y[i].get(), n[i]};
        ASSERT_EQ(gemv_parts(a, nullptr), cudaSuccess);
        for (size_t i = 0; i < 3; ++i) {
          GemvArgs one = a;
          one.w = w[i].get(), one.bias = bias[i].get(), one.y = alone[i].get(), one.n = n[i];
          ASSERT_EQ(gemv(one, nullptr), cudaSuccess);
          EXPECT_EQ(y[i].floats(DType::f32), alone[i].floats(DType::f32)) << k << " " << m << " " << i;
        }
        GatedGemvArgs gated;
        static_cast<GemvArgs&>(gated) = a;
        DeviceArray up(normals(n[0] * k, 9), type), ups(static_cast<size_t>(m * n[0]) * 4);
        gated.w = w[0].get(), gated.up = up.get(), gated.n = n[0], gated.y = y[0].get();
        if (k % 8 != 0) {
          EXPECT_EQ(gated_gemv(gated, nullptr), cudaErrorNotSupported);
          continue;
        }
        ASSERT_EQ(gated_gemv(gated, nullptr), cudaSuccess);
        GemvArgs one = gated;
        one.y = alone[0].get();
        ASSERT_EQ(gemv(one, nullptr), cudaSuccess);
        one.w = up.get(), one.y = ups.get();
        ASSERT_EQ(gemv(one, nullptr), cudaSuccess);
        const std::vector<float> gates = alone[0].floats(DType::f32), factors = ups.floats(DType::f32);
        std::vector<double> expected;
        for (size_t i = 0; i < gates.size(); ++i) {
          expected.push_back(static_cast<double>(gates[i]) / (1 + std::exp(-static_cast<double>(gates[i]))) *
                             factors[i]);
        }
        EXPECT_LT(relative_error(y[0].floats(DType::f32), expected), 1e-5) << m;
      }
    }
  }
}

// Random bytes with factors of a sensible size.
std::vector<uint8_t> random_blocks(BlockFormat format, int64_t blocks, uint32_t seed) {
  const BlockFormatInfo& info = block_format_info(format);
  std::mt19937 random(seed);
  std::vector<uint8_t> bytes(static_cast<size_t>(blocks * info.bytes));
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  for (int64_t b = 0; b < blocks; ++b) {
    const bool two = format == BlockFormat::q4_1 || format == BlockFormat::q5_1 || format == BlockFormat::q4_k ||
                     format == BlockFormat::q5_k;
    const size_t at = static_cast<size_t>(b * info.bytes) + (format == BlockFormat::q6_k ? 208 : 0);
    for (size_t i = 0; i < (two ? 2 : 1); ++i) {
      const uint16_t half = float_to_half((static_cast<float>(random() % 2001) - 1000) * 1e-5f);
      std::memcpy(bytes.data() + at + 2 * i, &half, 2);
    }
  }
  return bytes;
}

std::vector<float> decoded_blocks(BlockFormat format, const std::vector<uint8_t>& bytes) {
  const BlockFormatInfo& info = block_format_info(format);
  const auto blocks = static_cast<int64_t>(bytes.size()) / info.bytes;
  std::vector<float> values(static_cast<size_t>(blocks * info.values));
  cpu::dequantize_kernels("portable")->decode(format, bytes.data(), values.data(), blocks);
  return values;
}

TEST(CudaGemv, Dequantize) {
  NARAE_NEEDS_GPU();
  for (int format = 1; format < block_format_count; ++format) {
    const auto f = static_cast<BlockFormat>(format);
    const std::vector<uint8_t> bytes = random_blocks(f, 77, 5);
    const std::vector<float> expected = decoded_blocks(f, bytes);
    for (const DType type : real_types) {
      DeviceArray in(bytes), out(expected.size() * static_cast<size_t>(bytes_of(type)));
      ASSERT_EQ(dequantize_blocks({in.get(), out.get(), f, type, 77}, nullptr), cudaSuccess);
      EXPECT_EQ(out.floats(type), rounded(expected, type)) << block_format_info(f).name;
    }
  }
}

TEST(CudaGemv, Blocks) {
  NARAE_NEEDS_GPU();
  struct Size {
    int m, n, k;
  };
  for (int format = 1; format < block_format_count; ++format) {
    const auto f = static_cast<BlockFormat>(format);
    const BlockFormatInfo& info = block_format_info(f);
    for (const Size& s : {Size{1, 50, 2048}, {8, 33, 256}, {13, 17, 512}, {2, 16, 8448}, {3, 20, 352}}) {
      if (s.k % info.values != 0) continue;
      const std::vector<uint8_t> bytes = random_blocks(f, s.n * (s.k / info.values), 6);
      for (const DType x_type : real_types) {
        Product p{rounded(normals(s.m * s.k, 1), x_type),
                  decoded_blocks(f, bytes),
                  normals(s.n, 3),
                  normals(s.m * s.n, 4),
                  s.m,
                  s.n,
                  s.k};
        DeviceArray x(p.x, x_type), w(bytes), bias(p.bias), residual(p.residual), y(static_cast<size_t>(s.m * s.n) * 4);
        BlockGemvArgs a;
        fill(a, p, x, w, y, bias, residual);
        a.x_type = x_type, a.y_type = DType::f32, a.format = f;
        ASSERT_EQ(block_gemv(a, nullptr), cudaSuccess);
        EXPECT_LT(relative_error(y.floats(DType::f32), p.expected()), 2e-5)
            << info.name << " " << s.m << "x" << s.n << "x" << s.k << " x " << static_cast<int>(x_type);
      }
    }
  }
}

}  // namespace
}  // namespace narae::cuda
