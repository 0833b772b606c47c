// SPDX-License-Identifier: Apache-2.0
// Hand-made bytes, most of them hostile.
#include "import/onnx/wire.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "import/onnx/model_proto.h"
#include "import/onnx/wire_bytes_test.h"

namespace narae::onnx {
namespace {

std::string message_of(const std::string& bytes) {
  try {
    read_model(as_bytes(bytes));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_file);
    return error.what();
  }
  return "";
}

TEST(Wire, ReadsEveryWireType) {
  const std::string bytes = key(1, 0) + varint(300) + key(2, 1) + std::string("\x01\0\0\0\0\0\0\0", 8) +
                            field(3, "abc") + key(4, 5) + std::string("\0\0\x80\x3f", 4) + key(5, 0) +
                            varint(~uint64_t{0});
  WireReader in(as_bytes(bytes), "Test");
  ASSERT_TRUE(in.next());
  EXPECT_EQ(in.integer(), 300);
  ASSERT_TRUE(in.next());
  EXPECT_EQ(in.field(), 2u);
  Chunks words;
  in.append_words(words, 8);
  EXPECT_EQ(words.size(), 1u);
  ASSERT_TRUE(in.next());
  EXPECT_EQ(in.text(), "abc");
  EXPECT_THROW(in.integer(), Error);
  ASSERT_TRUE(in.next());
  EXPECT_EQ(in.f32(), 1.0f);
  ASSERT_TRUE(in.next());
  EXPECT_EQ(in.integer(), -1);
  EXPECT_EQ(in.integer32(), -1);
  EXPECT_FALSE(in.next());
}

TEST(Wire, PackedAndUnpackedNumbersAreOne) {
  const std::string bytes = key(1, 0) + varint(7) + field(1, varint(8) + varint(300)) + key(1, 0) + varint(9);
  WireReader in(as_bytes(bytes), "Test");
  std::vector<int64_t> got;
  while (in.next()) in.append(got);
  EXPECT_EQ(got, (std::vector<int64_t>{7, 8, 300, 9}));
}

TEST(Wire, RefusesDamage) {
  EXPECT_NE(message_of("").find("empty"), std::string::npos);
  EXPECT_NE(message_of("\x08").find("varint"), std::string::npos);                            // no value
  EXPECT_NE(message_of("\x08" + std::string(11, '\xff')).find("varint"), std::string::npos);  // beyond 64 bits
  EXPECT_NE(message_of(key(7, 2) + varint(5) + "ab").find("length beyond the end at byte 2"), std::string::npos);
  EXPECT_NE(message_of(key(7, 2) + varint(~uint64_t{0})).find("length beyond"), std::string::npos);
  EXPECT_NE(message_of(std::string(1, '\0')).find("field number"), std::string::npos);
  EXPECT_NE(message_of(key(1, 3)).find("wire type"), std::string::npos);
  EXPECT_NE(message_of(key(7, 0) + varint(1)).find("wrong wire type"), std::string::npos);
  EXPECT_NE(message_of(key(1, 5) + "abc").find("beyond the end"), std::string::npos);
  EXPECT_NE(message_of(field(2, "\xff")).find("UTF-8"), std::string::npos);
  EXPECT_NE(message_of(field(2, "x")).find("no graph"), std::string::npos);
  EXPECT_NE(message_of(field(7, "") + field(7, "")).find("more than one graph"), std::string::npos);
  EXPECT_NE(message_of("version https://git-lfs.github.com/spec/v1").find("git lfs pull"), std::string::npos);
}

TEST(Wire, NestingIsBounded) {
  std::string graph;
  for (int i = 0; i < 60; ++i) graph = field(1, field(5, field(6, graph)));  // graph > node > attribute > graph
  EXPECT_NE(message_of(field(7, graph)).find("nested too deeply"), std::string::npos);
  std::string shallow;
  for (int i = 0; i < 30; ++i) shallow = field(1, field(5, field(6, shallow)));
  EXPECT_EQ(message_of(field(7, shallow)), "");
}

TEST(Wire, EveryTruncationIsRefusedOrRead) {
  const std::string node = field(1, "x") + field(2, "y") + field(4, "Relu");
  const std::string whole = field(8, key(2, 0) + varint(13)) + field(7, field(1, node) + field(2, "g"));
  EXPECT_EQ(message_of(whole), "");
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_NE(message_of(whole.substr(0, size)), "") << size;
}

TEST(Wire, Utf8) {
  EXPECT_TRUE(valid_utf8("plain"));
  EXPECT_TRUE(valid_utf8("\xeb\x82\x98\xeb\x9e\x98 \xf0\x9f\xaa\xbd"));
  EXPECT_FALSE(valid_utf8("\xc0\xaf"));          // overlong
  EXPECT_FALSE(valid_utf8("\xed\xa0\x80"));      // surrogate
  EXPECT_FALSE(valid_utf8("\xf4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_FALSE(valid_utf8("\xe2\x82"));          // cut
}

TEST(ModelProto, ReadsAGraph) {
  const std::string dims = field(1, field(1, key(1, 0) + varint(3)) + field(1, field(2, "batch")) + field(1, ""));
  const std::string type = field(1, key(1, 0) + varint(1) + field(2, dims.substr(2)));
  const std::string attribute =
      field(1, "axes") + key(8, 0) + varint(1) + key(8, 0) + varint(~uint64_t{0}) + key(20, 0) + varint(7);
  const std::string node =
      field(1, "x") + field(1, "") + field(2, "y") + field(3, "n") + field(4, "ReduceSum") + field(5, attribute);
  const std::string bytes = key(1, 0) + varint(8) + field(8, key(2, 0) + varint(13)) +
                            field(7, field(1, node) + field(11, field(1, "x") + field(2, type)));
  const ModelProto model = read_model(as_bytes(bytes));
  EXPECT_EQ(model.ir_version, 8);
  ASSERT_EQ(model.opset_imports.size(), 1u);
  EXPECT_EQ(model.opset_imports[0].version, 13);
  ASSERT_EQ(model.graph.nodes.size(), 1u);
  const NodeProto& read = model.graph.nodes[0];
  EXPECT_EQ(read.op_type, "ReduceSum");
  EXPECT_EQ(read.inputs, (std::vector<std::string_view>{"x", ""}));
  ASSERT_NE(read.attribute("axes"), nullptr);
  EXPECT_EQ(read.attribute("axes")->ints, (std::vector<int64_t>{1, -1}));
  EXPECT_EQ(read.attribute("keepdims"), nullptr);
  const TypeProto& got = model.graph.inputs.at(0).type;
  EXPECT_EQ(got.kind, TypeProto::Kind::tensor);
  EXPECT_EQ(got.elem_type, ElementType::float32);
  ASSERT_EQ(got.shape.size(), 3u);
  EXPECT_TRUE(got.shape[0].has_value);
  EXPECT_EQ(got.shape[0].value, 3);
  EXPECT_EQ(got.shape[1].param, "batch");
  EXPECT_FALSE(got.shape[2].has_value);
}

}  // namespace
}  // namespace narae::onnx
