// SPDX-License-Identifier: Apache-2.0
// Every text that the tests' pointwise nodes come to compiles: needs the run-time compiler, but no GPU.
#include "backend/cuda/scalar_text.h"

#include <gtest/gtest.h>

#include "backend/cuda/text_kernels.h"
#include "backend/operand_placement.h"
#include "base/error.h"

namespace narae::cuda {
namespace {

class ScalarTextTest : public testing::Test {
 protected:
  void SetUp() override {
    texts_ = std::make_unique<TextKernels>("", "", 0, "sm_90");
    if (!texts_->available()) GTEST_SKIP() << "hardware: " << texts_->reason();
  }
  void compiles(const ScalarSpace& space) {
    const ScalarText text = scalar_text(space);
    ASSERT_FALSE(text.text.empty());
    try {
      EXPECT_GT(texts_->compile(text.text).size(), 100u);
    } catch (const Error& error) {
      ADD_FAILURE() << error.what() << text.text.substr(text.text.find("extern"));
    }
  }
  std::unique_ptr<TextKernels> texts_;
};

// One program of all pointwise ops and all types.
TEST_F(ScalarTextTest, EveryOpAndTypeCompiles) {
  ScalarSpace space;
  ScalarProgram& program = space.program;
  const ScalarType types[] = {ScalarType::f32, ScalarType::f16, ScalarType::bf16, ScalarType::i32,
                              ScalarType::i64, ScalarType::i8,  ScalarType::u8,   ScalarType::boolean};
  for (const ScalarType type : types) program.input(ScalarClass::full, type);
  uint16_t last = 0;
  for (int op = 0; op < scalar_op_count; ++op) {
    const auto which = static_cast<ScalarOp>(op);
    if (is_row_reduction(which)) continue;
    const int operands = scalar_op_operands(which);
    last = program.emit(which, operands > 0 ? last : 0, operands > 1 ? 1 : 0, operands > 2 ? 2 : 0, 0.5f, 1.5f);
  }
  for (const ScalarType type : types) program.output(last, type);
  for (const Dims& dims : {Dims{3, 5, 16}, Dims{7}, Dims{}}) {
    space.dims = dims;
    const std::vector<int64_t> own = operand_strides(dims, dims, Layout::plain());
    space.inputs.assign(program.inputs.size(), own);
    space.outputs.assign(program.outputs.size(), own);
    compiles(space);
  }
}

TEST_F(ScalarTextTest, RowsOfEveryLengthCompile) {
  for (const int64_t n : {1, 7, 49, 64, 768, 1000, 4096, 32768}) {
    ScalarSpace space;
    const uint16_t x = space.program.input(ScalarClass::full, ScalarType::f16);
    const uint16_t most = space.program.emit(ScalarOp::row_max, x);
    const uint16_t e = space.program.emit(ScalarOp::exp, space.program.emit(ScalarOp::sub, x, most));
    const uint16_t sum = space.program.emit(ScalarOp::row_sum, e);
    space.program.output(space.program.emit(ScalarOp::div, e, sum), ScalarType::f16);
    space.program.output(space.program.emit(ScalarOp::row_mean, x));
    space.program.output(space.program.emit(ScalarOp::row_min, x));
    space.dims = {6, n};
    space.row_axes = 1;
    space.inputs = {{n, 1}};
    space.outputs = {{n, 1}, {1, 0}, {1, 0}};
    compiles(space);
    space.dims = {2, 3, n};  // channels last: neighbours are rows
    space.inputs = {{3 * n, 1, 3}};
    space.outputs = {{3 * n, 1, 3}, {3, 1, 0}, {3, 1, 0}};
    compiles(space);
  }
}

}  // namespace
}  // namespace narae::cuda
