// SPDX-License-Identifier: Apache-2.0
// The gguf package's own file with random blocks of every type, and the values that it finds in them
// (tests/golden/make_blocks.py): equal bit for bit.
#include <gtest/gtest.h>

#include <cstring>

#include "graph/builder.h"
#include "import/weights/gguf.h"
#include "ops/dequantize_blocks.h"
#include "ops/interpret.h"
#include "ops/ops.h"

namespace narae {
namespace {

TEST(Dequantize, EqualsTheGgufPackageBitForBit) {
  const auto gguf = Gguf::open(NARAE_SOURCE "/tests/golden/blocks.gguf");
  OpTable ops;
  add_all_ops(ops);
  for (const BlockFormatInfo& info : block_formats) {
    if (info.format == BlockFormat::none) continue;
    const Weight& blocks = gguf->weights().at(fmt::format("{}.blocks", info.name));
    const Tensor& values = gguf->weights().at(fmt::format("{}.values", info.name)).data;
    EXPECT_EQ(blocks.format, info.format);
    EXPECT_EQ(blocks.dims, values.dims);
    Graph graph(ops);
    Builder builder(graph);
    graph.add_output(
        builder.op("dequantize_blocks", {graph.add_constant(blocks.data)}, DequantizeBlocksAttributes{info.name}));
    const std::vector<Tensor> got = interpret(graph, {});
    ASSERT_EQ(got[0].dims, values.dims);
    EXPECT_EQ(std::memcmp(got[0].data, values.data, values.bytes()), 0) << info.name;
  }
}

}  // namespace
}  // namespace narae
