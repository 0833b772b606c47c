// SPDX-License-Identifier: Apache-2.0
// The CPU's reformats on every instruction set against `relayout`, there and back, with channel tails and batches. The
// result's memory holds garbage before, so a padding lane or element that is not written shows.
#include <gtest/gtest.h>

#include <cstring>

#include "backend/cpu/cpu_device.h"
#include "backend/relayout.h"
#include "kernels/cpu/cpu_features.h"

namespace narae {
namespace {

class Reformat : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!cpu::supports_isa(cpu::detect_cpu_features(), GetParam())) {
      GTEST_SKIP() << "hardware: this machine has no " << GetParam();
    }
    cpu::CpuOptions options;
    options.isa = GetParam();
    options.threads = 2;
    device_ = std::make_unique<cpu::CpuDevice>(options);
  }
  // `stored`: the value in `from`; returns it in `to`.
  Tensor reformat(const Tensor& stored, const Dims& dims, const Layout& from, const Layout& to) {
    Tensor result = Tensor::allocate(stored.dtype, {to.stored_count(dims)});
    if (result.bytes()) std::memset(result.data, 0xA5, result.bytes());
    void* operands[] = {stored.data, result.data};
    const std::unique_ptr<Kernel> kernel = device_->make_reformat(stored.dtype, dims, from, to);
    const std::unique_ptr<Stream> stream = device_->make_stream();
    const DeviceTurn turn(*device_);
    EXPECT_EQ(kernel->workspace_bytes(), 0u);
    kernel->launch(*stream, operands, nullptr);
    stream->synchronize();
    return result;
  }
  void check(DType dtype, const Dims& dims, const Layout& from, const Layout& to) {
    Tensor plain = Tensor::allocate(dtype, {element_count(dims)});
    for (size_t i = 0; i < plain.bytes(); ++i) plain.as<uint8_t>()[i] = static_cast<uint8_t>(1 + i * 7 % 251);
    Tensor stored = Tensor::allocate(dtype, {from.stored_count(dims)});
    Tensor want = Tensor::allocate(dtype, {to.stored_count(dims)});
    relayout(dtype, dims, plain.data, Layout::plain(), stored.data, from);
    relayout(dtype, dims, plain.data, Layout::plain(), want.data, to);
    const Tensor got = reformat(stored, dims, from, to);
    EXPECT_EQ(std::memcmp(got.data, want.data, want.bytes()), 0)
        << dtype_name(dtype) << " " << testing::PrintToString(dims) << ": " << from.text() << " to " << to.text();
  }

  std::unique_ptr<cpu::CpuDevice> device_;
};
INSTANTIATE_TEST_SUITE_P(Isa, Reformat, testing::ValuesIn(cpu::known_isas()),
                         [](const auto& info) { return info.param; });

TEST_P(Reformat, OwnBlocksThereAndBack) {
  const Layout own = Layout::blocked(1, device_->target().channel_block);
  for (int64_t batch : {1, 3}) {
    for (int64_t channels : {1, 3, 15, 16, 40}) {
      for (const Dims& image : {Dims{1, 1}, Dims{3, 5}, Dims{7, 16}, Dims{45, 47}}) {
        for (DType dtype : {DType::f32, DType::i32, DType::u8, DType::i64}) {
          const Dims dims{batch, channels, image[0], image[1]};
          check(dtype, dims, Layout::plain(), own);
          check(dtype, dims, own, Layout::plain());
        }
      }
    }
  }
}

TEST_P(Reformat, OtherBlocksAndAxes) {
  for (const Dims& dims : {Dims{2, 5, 19, 3}, Dims{20, 33}, Dims{2, 3, 0, 4}}) {
    for (int axis : {0, 1}) {
      for (int block : {4, 8, 16}) {
        check(DType::f32, dims, Layout::plain(), Layout::blocked(axis, block));
        check(DType::f32, dims, Layout::blocked(axis, block), Layout::plain());
        check(DType::f32, dims, Layout::blocked(axis, block), Layout::blocked(axis, 24 - block));
      }
    }
  }
}

}  // namespace
}  // namespace narae
