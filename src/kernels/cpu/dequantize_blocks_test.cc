// SPDX-License-Identifier: Apache-2.0
// Every instruction set gives the same bits as the portable loops, at odd addresses too; what the bits must be is
// tested by the op's cases and tests/golden.
#include "kernels/cpu/dequantize_blocks.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "kernels/cpu/isa_test.h"

namespace narae::cpu {
namespace {

class DequantizeBlocks : public IsaTest {};
INSTANTIATE_TEST_SUITE_P(Isa, DequantizeBlocks, testing::ValuesIn(known_isas()), isa_name);

TEST_P(DequantizeBlocks, GivesTheBitsOfThePortableLoops) {
  std::mt19937 random(3);
  ASSERT_NE(dequantize_kernels(GetParam()), nullptr);
  for (const BlockFormatInfo& info : block_formats) {
    if (info.format == BlockFormat::none) continue;
    constexpr int64_t blocks = 9;
    std::vector<uint8_t> bytes(static_cast<size_t>(blocks * info.bytes) + 1);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    const auto count = static_cast<size_t>(blocks * info.values);
    std::vector<float> wanted(count), got(count);
    dequantize_kernels_portable.decode(info.format, bytes.data() + 1, wanted.data(), blocks);
    dequantize_kernels(GetParam())->decode(info.format, bytes.data() + 1, got.data(), blocks);
    for (size_t i = 0; i < count; ++i) {
      // Which NaN comes out of an operation is not said.
      if (wanted[i] != wanted[i] && got[i] != got[i]) continue;
      ASSERT_EQ(std::memcmp(&got[i], &wanted[i], sizeof(float)), 0) << info.name << " " << i;
    }
  }
}

}  // namespace
}  // namespace narae::cpu
