// SPDX-License-Identifier: Apache-2.0
// Random blocks; their half-precision scales may be anything, infinities and NaN too. The gguf package's results are in
// tests/golden/blocks.
#include "ops/dequantize_blocks.h"
#include "ops/op_case.h"
#include "tensor/formats.h"

namespace narae {

void add_dequantize_blocks_cases(std::vector<OpCase>& cases) {
  auto add = [&](const BlockFormatInfo& info, const std::string& name, Dims rows, int64_t blocks) {
    rows.push_back(blocks * info.bytes);
    cases.push_back({"dequantize_blocks",
                     std::string(info.name) + name,
                     make_attributes(DequantizeBlocksAttributes{info.name}),
                     {integers(DType::u8, rows, 0, 255)},
                     1,
                     0});
  };
  for (const BlockFormatInfo& info : block_formats) {
    if (info.format == BlockFormat::none) continue;
    add(info, "", {3}, 2);
    add(info, "_many", {70}, 5);
    add(info, "_row", {}, 1);
    add(info, "_three_axes", {2, 3}, 1);
    add(info, "_empty", {0}, 1);
  }
  // d = 2, q - 8 from the nibbles 0, 1 .. 15 (low) and 15, 14 .. 0 (high)
  std::vector<double> bytes = {0, 0x40}, expected;
  for (int i = 0; i < 16; ++i) bytes.push_back(i | (15 - i) << 4), expected.push_back(2 * (i - 8));
  for (int i = 0; i < 16; ++i) expected.push_back(2 * (7 - i));
  cases.push_back({"dequantize_blocks",
                   "q4_0_values",
                   make_attributes(DequantizeBlocksAttributes{"q4_0"}),
                   {given(DType::u8, {1, 18}, bytes)},
                   1,
                   0,
                   {expected}});
}

}  // namespace narae
