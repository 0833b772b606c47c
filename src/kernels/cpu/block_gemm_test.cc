// SPDX-License-Identifier: Apache-2.0
// Products with blocks against double precision: of the rows as quantised (what remains is the rounding of sums), of
// the rows as given (the error of 8 bits), and bit for bit between heights of tiles.
#include "kernels/cpu/block_gemm.h"

#include <cmath>
#include <cstring>

#include "kernels/cpu/dequantize_blocks.h"
#include "kernels/cpu/isa_test.h"
#include "tensor/dtype.h"

namespace narae::cpu {
namespace {

// Random blocks with scales as models have them.
std::vector<uint8_t> random_blocks(BlockFormat format, int64_t n, int64_t k, uint32_t seed) {
  const BlockFormatInfo& info = block_format_info(format);
  const int64_t blocks = n * k / info.values;
  std::mt19937 engine(seed);
  std::vector<uint8_t> bytes(static_cast<size_t>(blocks * info.bytes));
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(engine());
  const auto half = [&](uint8_t* at, bool positive) {
    // Exponents from 2^-6 to 2^-3.
    const auto bits =
        static_cast<uint16_t>((9 + engine() % 4) << 10 | engine() % 1024 | (positive ? 0 : engine() % 2 << 15));
    std::memcpy(at, &bits, 2);
  };
  for (int64_t i = 0; i < blocks; ++i) {
    uint8_t* block = bytes.data() + i * info.bytes;
    half(block + (format == BlockFormat::q6_k ? info.bytes - 2 : 0), false);
    const bool two = format == BlockFormat::q4_1 || format == BlockFormat::q5_1 || format == BlockFormat::q4_k ||
                     format == BlockFormat::q5_k;
    if (two) half(block + 2, false);
  }
  return bytes;
}

struct Problem {
  BlockGemmShape shape;
  std::vector<float> a, weights;
  std::vector<uint8_t> packed, rows;
};

Problem make_problem(const BlockGemmKernels& kernels, BlockFormat format, int64_t m, int64_t n, int64_t k, bool int8) {
  Problem p;
  p.shape = {m, n, k, block_form(format), int8};
  p.a = Random(7).vector(m * k);
  const std::vector<uint8_t> blocks = random_blocks(format, n, k, 11);
  p.weights.resize(static_cast<size_t>(n * k));
  dequantize_kernels("portable")
      ->decode(format, blocks.data(), p.weights.data(), n * k / block_format_info(format).values);
  p.packed.assign(static_cast<size_t>(packed_blocks_bytes(p.shape.form, n, k)), 0xff);
  pack_blocks(p.shape.form, blocks.data(), n, k, p.packed.data());
  p.rows.assign(static_cast<size_t>(quantised_bytes(p.shape.form, m, k)), 0xff);
  kernels.quantise(p.shape.form, p.a.data(), k, m, k, p.rows.data());
  return p;
}

std::vector<float> run(const BlockGemmKernels& kernels, const Problem& p, const GemmEpilogue& epilogue = {}) {
  const BlockGemmPlan plan = block_gemm_plan(p.shape, {}, 2);
  std::vector<float> c(static_cast<size_t>(p.shape.m * p.shape.n), NAN);
  std::vector<float> scratch(static_cast<size_t>(block_gemm_scratch(p.shape)), NAN);
  const void* a = p.shape.int8 ? static_cast<const void*>(p.rows.data()) : p.a.data();
  block_gemm_run(kernels, p.shape, plan, a, p.packed.data(), c.data(), epilogue, scratch.data(), 0,
                 block_gemm_tasks(p.shape, plan));
  return c;
}

// The rows as their bytes and scales say.
std::vector<double> rows_of(const Problem& p) {
  const BlockGemmShape& s = p.shape;
  const int64_t groups = s.k / block_group, step = quantised_group_bytes(s.form);
  const int64_t four_rows = quantised_bytes(s.form, 4, s.k), outliers = outliers_of(groups);
  std::vector<double> rows(static_cast<size_t>(s.m * s.k));
  for (int64_t row = 0; row < s.m; ++row) {
    for (int64_t i = 0; i < s.k; ++i) {
      const uint8_t* group = p.rows.data() + row / 4 * four_rows + i / block_group * step;
      float scale;
      std::memcpy(&scale, group + 128 + row % 4 * 4, 4);
      rows[row * s.k + i] = static_cast<double>(scale) * static_cast<int8_t>(group[row % 4 * 32 + i % block_group]);
    }
    const uint8_t* own = p.rows.data() + row / 4 * four_rows + groups * step + row % 4 * outliers * 8;
    for (int64_t i = 0; i < outliers; ++i) {
      Outlier outlier;
      std::memcpy(&outlier, own + i * 8, sizeof outlier);
      rows[row * s.k + outlier.place] += static_cast<double>(outlier.value);
    }
  }
  return rows;
}

// Largest error over the largest sum of magnitudes.
double error(const Problem& p, const std::vector<double>& rows, const std::vector<float>& c) {
  const BlockGemmShape& s = p.shape;
  double worst = 0, most = 0;
  for (int64_t i = 0; i < s.m; ++i) {
    for (int64_t j = 0; j < s.n; ++j) {
      double sum = 0, magnitude = 0;
      for (int64_t l = 0; l < s.k; ++l) {
        const double product = rows[i * s.k + l] * static_cast<double>(p.weights[j * s.k + l]);
        sum += product, magnitude += std::abs(product);
      }
      if (std::isnan(c[i * s.n + j])) return INFINITY;
      worst = std::max(worst, std::abs(sum - static_cast<double>(c[i * s.n + j])));
      most = std::max(most, magnitude);
    }
  }
  return most > 0 ? worst / most : worst;
}

std::vector<double> doubles(const std::vector<float>& values) { return {values.begin(), values.end()}; }

class BlockGemm : public IsaTest {};

void check_format(const BlockGemmKernels& kernels, BlockFormat format) {
  const int64_t unit = std::max(block_format_info(format).values, 32);
  for (const int64_t m : {1, 2, 3, 8, 17, 64}) {
    for (const int64_t n : {1, 16, 37, 300}) {
      if (m > 17 && n > 37) continue;
      const int64_t k = unit * (n == 16 ? 9 : 3);
      SCOPED_TRACE(testing::Message() << block_format_info(format).name << " m " << m << " n " << n << " k " << k);
      const Problem p = make_problem(kernels, format, m, n, k, true);
      const std::vector<float> c = run(kernels, p);
      // Mins cancel against quants, so sums of magnitudes are the measure of rounding; q * d + m alone is smaller.
      EXPECT_LT(error(p, rows_of(p), c), 2e-6);
      EXPECT_LT(error(p, doubles(p.a), c), 4e-3);
      Problem f32 = p;
      f32.shape.int8 = false;
      EXPECT_LT(error(f32, doubles(p.a), run(kernels, f32)), 1e-6);
    }
  }
}

TEST_P(BlockGemm, every_format) {
  const BlockGemmKernels& kernels = *block_gemm_kernels(GetParam());
  for (const BlockFormatInfo& info : block_formats) {
    if (info.format != BlockFormat::none) check_format(kernels, info.format);
  }
}

TEST_P(BlockGemm, rows_do_not_see_each_other) {
  const BlockGemmKernels& kernels = *block_gemm_kernels(GetParam());
  for (const BlockFormatInfo& info : block_formats) {
    if (info.format == BlockFormat::none) continue;
    for (const bool int8 : {true, false}) {
      const int64_t n = 37, k = 512, m = 31;
      const Problem all = make_problem(kernels, info.format, m, n, k, int8);
      const std::vector<float> expected = run(kernels, all);
      for (const int64_t rows : {1, 2, 3, 5, 8, 13, 24}) {
        for (int64_t first = 0; first + rows <= m; first += 7) {
          Problem some = make_problem(kernels, info.format, rows, n, k, int8);
          some.a.assign(all.a.begin() + first * k, all.a.begin() + (first + rows) * k);
          kernels.quantise(some.shape.form, some.a.data(), k, rows, k, some.rows.data());
          const std::vector<float> c = run(kernels, some);
          ASSERT_EQ(std::memcmp(c.data(), expected.data() + first * n, c.size() * sizeof(float)), 0)
              << info.name << " int8 " << int8 << " rows " << rows << " from " << first;
        }
      }
    }
  }
}

TEST_P(BlockGemm, extremes_stay_exact) {
  // The largest quants against the largest bytes, of one sign: where a pair of 16 bits would saturate.
  const BlockGemmKernels& kernels = *block_gemm_kernels(GetParam());
  for (const BlockFormatInfo& info : block_formats) {
    if (info.format == BlockFormat::none) continue;
    for (const uint8_t fill : {0x00, 0x80, 0x7f, 0xff}) {
      const int64_t m = 5, n = 17, k = 256;
      Problem p = make_problem(kernels, info.format, m, n, k, true);
      std::vector<uint8_t> blocks = random_blocks(info.format, n, k, 3);
      const int header = info.format == BlockFormat::q6_k
                             ? 0
                             : info.bytes - info.values * (info.bytes > 30 && info.values == 32 ? 8 : 4) / 8;
      const int64_t count = n * k / info.values;
      for (int64_t b = 0; b < count; ++b) {
        uint8_t* block = blocks.data() + b * info.bytes;
        if (info.format == BlockFormat::q6_k) {
          std::memset(block, fill, 192);
        } else {
          std::memset(block + header, fill, static_cast<size_t>(info.bytes - header));
        }
      }
      dequantize_kernels("portable")->decode(info.format, blocks.data(), p.weights.data(), count);
      pack_blocks(p.shape.form, blocks.data(), n, k, p.packed.data());
      for (int64_t i = 0; i < m * k; ++i) p.a[i] = i / k == 2 && i % 2 ? -1.f : i / k == 1 ? -1.f : 1.f;
      kernels.quantise(p.shape.form, p.a.data(), k, m, k, p.rows.data());
      EXPECT_LT(error(p, rows_of(p), run(kernels, p)), 2e-6) << info.name << " " << int(fill);
    }
  }
}

TEST_P(BlockGemm, epilogue) {
  const BlockGemmKernels& kernels = *block_gemm_kernels(GetParam());
  const int64_t m = 9, n = 53, k = 64;
  const Problem p = make_problem(kernels, BlockFormat::q4_1, m, n, k, true);
  const std::vector<float> bias = Random(1).vector(n), residual = Random(2).vector(m * n), plain = run(kernels, p);
  GemmEpilogue e;
  e.bias = bias.data(), e.residual = residual.data(), e.ldr = n, e.act = Act::relu;
  const std::vector<float> c = run(kernels, p, e);
  for (int64_t i = 0; i < m * n; ++i) ASSERT_EQ(c[i], std::max(0.f, plain[i] + bias[i % n] + residual[i])) << i;
}

TEST_P(BlockGemm, zeros_and_no_numbers) {
  const BlockGemmKernels& kernels = *block_gemm_kernels(GetParam());
  Problem p = make_problem(kernels, BlockFormat::q8_0, 3, 17, 64, true);
  std::fill(p.a.begin(), p.a.begin() + 64, 0.f);
  p.a[70] = NAN;
  kernels.quantise(p.shape.form, p.a.data(), 64, 3, 64, p.rows.data());
  const std::vector<float> c = run(kernels, p);
  const Problem clean = make_problem(kernels, BlockFormat::q8_0, 3, 17, 64, true);
  const std::vector<float> expected = run(kernels, clean);
  for (int j = 0; j < 17; ++j) {
    EXPECT_EQ(c[j], 0.f);
    EXPECT_EQ(c[34 + j], expected[34 + j]);  // the row after the one without numbers
  }
}

INSTANTIATE_TEST_SUITE_P(, BlockGemm, testing::Values("avx2", "avx512", "avx512_vnni"), isa_name);

}  // namespace
}  // namespace narae::cpu
