// SPDX-License-Identifier: Apache-2.0
// Tile programs, pointwise plans and epilogues against the reference evaluation: broadcasts, strides, types, in place,
// several outputs, rows that reduce, random programs.
#include "kernels/cpu/pointwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/cpu/epilogue.h"
#include "kernels/cpu/isa_test.h"

namespace narae::cpu {
namespace {

using Strides = std::vector<std::vector<int64_t>>;

class Pointwise : public IsaTest {
 protected:
  const ScalarSteps& steps() { return *scalar_steps(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Isa, Pointwise, testing::ValuesIn(known_isas()), isa_name);

std::vector<int64_t> packed(const std::vector<int64_t>& dims) {
  std::vector<int64_t> strides(dims.size(), 1);
  for (size_t d = dims.size(); d-- > 1;) strides[d - 1] = strides[d] * dims[d];
  return strides;
}

// Elements that strides can reach.
int64_t extent(const std::vector<int64_t>& dims, const std::vector<int64_t>& strides) {
  int64_t last = 0;
  for (size_t d = 0; d < dims.size(); d++) last += (dims[d] - 1) * strides[d];
  return last + 1;
}

// The program one row at a time; row_dims 0: one element at a time.
void reference(const ScalarProgram& p, const std::vector<int64_t>& dims, const std::vector<const float*>& in,
               const Strides& is, const std::vector<float*>& out, const Strides& os, int row_dims) {
  const size_t outer_rank = dims.size() - static_cast<size_t>(row_dims);
  int64_t outer = 1, row = 1;
  for (size_t d = 0; d < dims.size(); d++) (d < outer_rank ? outer : row) *= dims[d];
  std::vector<std::vector<float>> x(in.size(), std::vector<float>(row)), y(out.size(), std::vector<float>(row));
  auto offset = [&](const std::vector<int64_t>& strides, int64_t o, int64_t r) {
    int64_t sum = 0;
    for (size_t d = dims.size(); d-- > 0;) {
      int64_t& rest = d < outer_rank ? o : r;
      sum += rest % dims[d] * strides[d];
      rest /= dims[d];
    }
    return sum;
  };
  for (int64_t o = 0; o < outer; o++) {
    std::vector<ScalarOperand> operands;
    std::vector<float*> results;
    for (size_t i = 0; i < in.size(); i++) {
      for (int64_t r = 0; r < row; r++) x[i][r] = in[i][offset(is[i], o, r)];
      operands.push_back({x[i].data(), 1});
    }
    for (auto& v : y) results.push_back(v.data());
    evaluate_row(p, row, operands.data(), results.data());
    for (size_t k = 0; k < out.size(); k++)
      for (int64_t r = 0; r < row; r++) out[k][offset(os[k], o, r)] = y[k][r];
  }
}

void run_all(const PointwisePlan& plan, const std::vector<const void*>& in, const std::vector<void*>& out) {
  ASSERT_EQ(plan.error, nullptr);
  std::vector<float> scratch(plan.scratch_bytes / sizeof(float) + 1);
  // Two ranges, the later one first: tasks do not depend on each other.
  const int64_t middle = plan.tasks / 2;
  pointwise_run(plan, in.data(), out.data(), scratch.data(), middle, plan.tasks);
  pointwise_run(plan, in.data(), out.data(), scratch.data(), 0, middle);
}

void check(const ScalarSteps& steps, const ScalarProgram& p, const std::vector<int64_t>& dims, const Strides& is,
           const Strides& os, int row_dims = 0, double tolerance = 1e-5) {
  ASSERT_EQ(scalar_program_error(p), "");
  Random random(static_cast<uint32_t>(dims.size() * 7 + is.size()));
  std::vector<std::vector<float>> x, y, want;
  std::vector<const float*> in;
  std::vector<const void*> in_raw;
  std::vector<float*> expected;
  std::vector<void*> out_raw;
  for (const auto& s : is) x.push_back(random.vector(extent(dims, s)));
  for (const auto& s : os) {
    y.emplace_back(extent(dims, s) + 1, 77.0f);
    want.push_back(y.back());
  }
  for (auto& v : x) in.push_back(v.data()), in_raw.push_back(v.data());
  for (size_t k = 0; k < y.size(); k++) out_raw.push_back(y[k].data()), expected.push_back(want[k].data());
  const PointwisePlan plan = make_pointwise_plan(p, steps, dims, is, os, std::max(row_dims, 1));
  run_all(plan, in_raw, out_raw);
  reference(p, dims, in, is, expected, os, row_dims);
  for (size_t k = 0; k < y.size(); k++)
    for (size_t i = 0; i < y[k].size(); i++)
      ASSERT_NEAR(y[k][i], want[k][i], tolerance * std::max(1.0f, std::fabs(want[k][i])))
          << "output " << k << " at " << i << "\n"
          << print(p);
}

ScalarProgram bias_relu_scale() {
  ScalarProgram p;
  const auto x = p.input(), bias = p.input(), scale = p.input();
  const auto sum = p.emit(ScalarOp::relu, p.emit(ScalarOp::add, x, bias));
  p.output(p.emit(ScalarOp::add, p.emit(ScalarOp::mul, sum, scale), p.constant(0.5f)));
  return p;
}

TEST_P(Pointwise, BroadcastsOfEveryKind) {
  const ScalarProgram p = bias_relu_scale();
  for (const std::vector<int64_t>& dims :
       std::vector<std::vector<int64_t>>{{5}, {1000}, {3000}, {4, 7}, {3, 40, 16}, {2, 3, 5, 17}, {2, 3, 1100}}) {
    const auto full = packed(dims);
    const std::vector<int64_t> none(dims.size(), 0);
    auto only = [&](size_t d, int64_t stride) {
      auto s = none;
      s[d] = stride;
      return s;
    };
    for (size_t d = 0; d < dims.size(); d++) {
      check(steps(), p, dims, {full, only(d, 1), none}, {full});
      check(steps(), p, dims, {full, full, only(d, 1)}, {full});
      check(steps(), p, dims, {only(d, 1), only(dims.size() - 1 - d, 1), full}, {full});
      check(steps(), p, dims, {full, only(d, 3), only(d, 2)}, {full});
    }
    check(steps(), p, dims, {none, none, none}, {full});
  }
}

TEST_P(Pointwise, StridedAndTransposed) {
  const ScalarProgram p = bias_relu_scale();
  const std::vector<int64_t> dims = {3, 20, 30};
  const std::vector<int64_t> full = packed(dims);
  check(steps(), p, dims, {{600, 1, 20}, full, {0, 0, 0}}, {full});        // transposed input
  check(steps(), p, dims, {full, full, {0, 1, 0}}, {{600, 1, 20}});        // transposed output
  check(steps(), p, dims, {{1200, 60, 2}, full, full}, {{2000, 100, 3}});  // gaps
  check(steps(), p, dims, {{1, 3, 60}, {1, 3, 60}, full}, {{1, 3, 60}});   // all in another order
  check(steps(), p, {3, 0, 30}, {full, full, full}, {full});               // nothing to do
  check(steps(), p, {}, Strides(3), Strides(1));                           // rank 0
}

TEST_P(Pointwise, InPlaceKeepsInputsUntilTheirLastRead) {
  // The first output is ready before the last read of x, on whose memory it lies.
  ScalarProgram p;
  const auto x = p.input(), y = p.input();
  const auto first = p.emit(ScalarOp::exp, x);
  const auto second = p.emit(ScalarOp::sub, p.emit(ScalarOp::mul, first, y), x);
  p.output(first);
  p.output(second);
  for (int64_t n : {40, 2500}) {
    Random random(3);
    std::vector<float> a = random.vector(n), b = random.vector(n);
    const std::vector<float> a0 = a, b0 = b;
    const PointwisePlan plan = make_pointwise_plan(p, steps(), {n}, {{1}, {1}}, {{1}, {1}});
    run_all(plan, {a.data(), b.data()}, {a.data(), b.data()});
    for (int64_t i = 0; i < n; i++) {
      ASSERT_NEAR(a[i], std::exp(a0[i]), 1e-5);
      ASSERT_NEAR(b[i], std::exp(a0[i]) * b0[i] - a0[i], 1e-5);
    }
  }
}

TEST_P(Pointwise, OtherTypesAreConverted) {
  // where(mask, x * 0.5 + h, y) to u8
  ScalarProgram p;
  const auto mask = p.input(ScalarClass::full, ScalarType::boolean), x = p.input(ScalarClass::full, ScalarType::i8);
  const auto h = p.input(ScalarClass::full, ScalarType::bf16), y = p.input(ScalarClass::full, ScalarType::i64);
  const auto sum = p.emit(ScalarOp::add, p.emit(ScalarOp::mul, x, p.constant(0.5f)), h);
  p.output(p.emit(ScalarOp::select, mask, sum, y), ScalarType::u8);
  const int64_t rows = 37, columns = 41;
  std::vector<uint8_t> m(rows * columns), out(2 * rows * columns, 7);
  std::vector<int8_t> xs(rows * columns);
  std::vector<uint16_t> hs(rows);
  std::vector<int64_t> ys(columns);
  for (int64_t i = 0; i < rows * columns; i++) m[i] = i % 3 == 0, xs[i] = static_cast<int8_t>(i * 7 % 251 - 125);
  for (int64_t r = 0; r < rows; r++) hs[r] = static_cast<uint16_t>(0x4200 + r);  // 32 and more
  for (int64_t c = 0; c < columns; c++) ys[c] = c;
  const PointwisePlan plan =
      make_pointwise_plan(p, steps(), {rows, columns}, {{columns, 1}, {1, rows}, {1, 0}, {0, 1}}, {{2 * columns, 2}});
  run_all(plan, {m.data(), xs.data(), hs.data(), ys.data()}, {out.data()});
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t c = 0; c < columns; c++) {
      const uint32_t u = static_cast<uint32_t>(hs[r]) << 16;
      float wide;
      std::memcpy(&wide, &u, 4);
      const double v = m[r * columns + c] ? xs[c * rows + r] * 0.5 + wide : static_cast<double>(ys[c]);
      ASSERT_EQ(out[2 * (r * columns + c)], std::nearbyint(std::clamp(v, 0.0, 255.0)));
      ASSERT_EQ(out[2 * (r * columns + c) + 1], 7);
    }
  }
}

ScalarProgram softmax() {
  ScalarProgram p;
  const auto x = p.input();
  const auto e = p.emit(ScalarOp::exp, p.emit(ScalarOp::sub, x, p.emit(ScalarOp::row_max, x)));
  p.output(p.emit(ScalarOp::div, e, p.emit(ScalarOp::row_sum, e)));
  return p;
}

TEST_P(Pointwise, RowsReduce) {
  for (int64_t columns : {1, 3, 16, 50, 900, 3000}) {
    const std::vector<int64_t> dims = {2, 9, columns};
    check(steps(), softmax(), dims, {packed(dims)}, {packed(dims)}, 1);
    // Along an inner axis, by strides.
    check(steps(), softmax(), dims, {{9 * columns, 1, 9}}, {packed(dims)}, 1);
    // Layer norm with scale; mean as a second output, one value a row.
    ScalarProgram p;
    const auto x = p.input(), scale = p.input();
    const auto mean = p.emit(ScalarOp::row_mean, x);
    const auto centred = p.emit(ScalarOp::sub, x, mean);
    const auto variance = p.emit(ScalarOp::row_mean, p.emit(ScalarOp::square, centred));
    const auto r = p.emit(ScalarOp::rsqrt, p.emit(ScalarOp::add, variance, p.constant(1e-3f)));
    p.output(p.emit(ScalarOp::mul, p.emit(ScalarOp::mul, centred, r), scale));
    p.output(mean);
    check(steps(), p, dims, {packed(dims), {0, 0, 1}}, {packed(dims), {9, 1, 0}}, 1);
    check(steps(), p, dims, {packed(dims), {0, 0, 0}}, {packed(dims), {9, 1, 0}}, 1);
    check(steps(), p, dims, {{1, 0, 0}, {0, 0, 1}}, {packed(dims), {9, 1, 0}}, 1, 1e-4);
  }
  check(steps(), softmax(), {4, 6, 10}, {{60, 10, 1}}, {{60, 10, 1}}, 2);
  const PointwisePlan plan = make_pointwise_plan(softmax(), steps(), {4, 6, 10}, {{60, 1, 6}}, {{60, 10, 1}}, 2);
  EXPECT_STREQ(plan.error, "the row dims of an operand do not collapse into one");
}

TEST_P(Pointwise, RandomProgramsAgree) {
  const ScalarOp binary[] = {ScalarOp::add, ScalarOp::sub, ScalarOp::mul, ScalarOp::min, ScalarOp::max, ScalarOp::lt};
  const ScalarOp unary[] = {ScalarOp::relu,    ScalarOp::tanh, ScalarOp::abs,
                            ScalarOp::sigmoid, ScalarOp::neg,  ScalarOp::hard_swish};
  std::mt19937 engine(17);
  auto pick = [&](int n) { return static_cast<int>(engine() % static_cast<uint32_t>(n)); };
  for (int round = 0; round < 300; round++) {
    ScalarProgram p;
    const std::vector<int64_t> dims = {1 + pick(3), 1 + pick(40), 1 + pick(70)};
    Strides is;
    const int inputs = 1 + pick(4);
    for (int i = 0; i < inputs; i++) {
      p.input();
      auto s = packed(dims);
      for (auto& stride : s)
        if (pick(3) == 0) stride = 0;
      is.push_back(s);
    }
    const bool rows = pick(3) == 0;
    const int body = 1 + pick(12);
    for (int i = 0; i < body; i++) {
      const auto reg = [&] { return static_cast<uint16_t>(pick(p.register_count())); };
      const int kind = pick(rows ? 10 : 8);
      if (kind < 4)
        p.emit(binary[pick(6)], reg(), reg());
      else if (kind < 6)
        p.emit(unary[pick(6)], reg());
      else if (kind == 6)
        p.emit(ScalarOp::clip, reg(), 0, 0, -0.5f, 0.25f);
      else if (kind == 7)
        p.emit(ScalarOp::fma, reg(), reg(), reg());
      else
        p.emit(kind == 8 ? ScalarOp::row_mean : ScalarOp::row_max, reg());
    }
    Strides os;
    const int outputs = 1 + pick(2);
    for (int k = 0; k < outputs; k++) {
      p.output(static_cast<uint16_t>(pick(k == 0 ? 1 : p.register_count()) + (k == 0 ? p.register_count() - 1 : 0)));
      os.push_back(packed(dims));
    }
    check(steps(), p, dims, is, os, has_row_reduction(p) ? 1 : 0, 2e-3);
    if (HasFatalFailure()) return;
  }
}

TEST_P(Pointwise, EpilogueOnATile) {
  ScalarProgram p;
  const auto x = p.input(), bias = p.input(ScalarClass::column), residual = p.input(),
             scale = p.input(ScalarClass::row);
  const auto sum = p.emit(ScalarOp::add, p.emit(ScalarOp::add, x, bias), residual);
  p.output(p.emit(ScalarOp::silu, p.emit(ScalarOp::mul, sum, scale)));
  const EpiloguePlan plan = make_epilogue_plan(p, steps(), 14, 64);
  ASSERT_EQ(plan.error, nullptr);
  std::vector<float> scratch(plan.scratch_bytes / sizeof(float) + 1);
  for (int64_t rows : {1, 6, 14}) {
    for (int64_t columns : {8, 16, 48, 61, 64}) {
      Random random(23);
      const int64_t stride = 70, residual_stride = 80;
      std::vector<float> tile = random.vector(rows * stride);
      const std::vector<float> tile0 = tile, b = random.vector(columns), r = random.vector(rows * residual_stride),
                               s = random.vector(rows);
      const StepOperand operands[] = {{b.data(), 0, false}, {r.data(), residual_stride, false}, {s.data(), 1, false}};
      epilogue_run(plan, tile.data(), stride, tile.data(), stride, operands, rows, columns, scratch.data());
      for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < stride; j++) {
          const double v =
              (static_cast<double>(tile0[i * stride + j]) + (j < columns ? b[j] : 0) + r[i * residual_stride + j]) *
              s[i];
          const double want = j < columns ? v / (1 + std::exp(-v)) : tile0[i * stride + j];
          ASSERT_NEAR(tile[i * stride + j], want, 1e-6);
        }
      }
    }
  }
  ScalarProgram wrong;
  wrong.output(wrong.emit(ScalarOp::row_sum, wrong.input()));
  EXPECT_NE(make_epilogue_plan(wrong, steps(), 4, 4).error, nullptr);
}

}  // namespace
}  // namespace narae::cpu
