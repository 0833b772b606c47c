// SPDX-License-Identifier: Apache-2.0
// Hand-made GGUF files, most of them hostile.
#include "import/weights/gguf.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "import/weights/file_bytes_test.h"

namespace narae {
namespace {

struct GgufTest : testing::Test {
  TestFolder folder;
  std::shared_ptr<const Gguf> open(const std::string& bytes) { return Gguf::open(folder.write("m.gguf", bytes)); }
  // What the refusal says; empty when the file is taken.
  std::string refusal(const std::string& bytes) {
    try {
      open(bytes);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_file);
      EXPECT_NE(std::string(error.what()).find("m.gguf"), std::string::npos);
      return error.what();
    }
    return "";
  }
};

TEST_F(GgufTest, ReadsKeysOfEveryType) {
  const auto gguf =
      open(gguf_header(0, 9) + gguf_key("text", 8, gguf_text("hello")) + gguf_key("u32", 4, number<uint32_t>(7)) +
           gguf_key("i8", 1, number<int8_t>(-3)) + gguf_key("f32", 6, number(0.5f)) + gguf_key("flag", 7, "\x01") +
           gguf_list("texts", 8, 3, gguf_text("a") + gguf_text("") + gguf_text("\xff")) +
           gguf_list("numbers", 6, 2, number(1.0f) + number(-2.0f)) +
           gguf_list("integers", 5, 2, number<int32_t>(5) + number<int32_t>(-6)) +
           gguf_key("huge", 10, number(~uint64_t{0})));
  EXPECT_EQ(gguf->text("text"), "hello");
  EXPECT_EQ(gguf->integer("u32"), 7);
  EXPECT_EQ(gguf->integer("i8"), -3);
  EXPECT_EQ(gguf->number("f32"), 0.5);
  EXPECT_EQ(gguf->number("u32"), 7.0);
  EXPECT_TRUE(gguf->flag("flag"));
  EXPECT_EQ(gguf->texts("texts"), (std::vector<std::string_view>{"a", "", "\xff"}));
  EXPECT_EQ(gguf->numbers("numbers"), (std::vector<float>{1, -2}));
  EXPECT_EQ(gguf->integers("integers"), (std::vector<int64_t>{5, -6}));
  EXPECT_TRUE(gguf->is_list("texts"));
  EXPECT_FALSE(gguf->find_text("nothing"));
  for (const auto& use : std::initializer_list<std::function<void()>>{
           [&] { gguf->text("nothing"); }, [&] { gguf->text("u32"); }, [&] { gguf->integer("text"); },
           [&] { gguf->integer("f32"); }, [&] { gguf->integer("huge"); }, [&] { gguf->texts("numbers"); },
           [&] { gguf->integers("texts"); }, [&] { gguf->integers("u32"); }, [&] { gguf->text("texts"); }}) {
    EXPECT_THROW(use(), Error);
  }
}

TEST_F(GgufTest, MapsTensorsOfPlainAndBlockTypes) {
  const std::string head =
      padded(gguf_header(2, 0) + gguf_tensor("f", {3, 2}, 0, 0) + gguf_tensor("q", {64, 5}, 8, 32));
  std::string data = padded(number(1.0f) + number(2.0f) + number(3.0f) + number(4.0f) + number(5.0f) + number(6.0f));
  data += std::string(5 * 2 * 34, 'q');
  const auto gguf = open(head + data);
  const Weight& f = gguf->weights().at("f");
  EXPECT_EQ(f.dims, (Dims{2, 3}));
  EXPECT_EQ(f.data.as<float>()[5], 6.0f);
  EXPECT_NE(f.data.file, nullptr);
  const Weight& q = gguf->weights().at("q");
  EXPECT_EQ(q.format, BlockFormat::q8_0);
  EXPECT_EQ(q.dims, (Dims{5, 64}));
  EXPECT_EQ(q.data.dims, (Dims{5, 68}));
  EXPECT_EQ(q.data.as<char>()[0], 'q');
  EXPECT_THROW(gguf->weights().at("g"), Error);
  EXPECT_NE(refusal(head + data.substr(0, data.size() - 1)).find("\"q\""), std::string::npos);
}

TEST_F(GgufTest, EveryCutIsRefused) {
  const std::string whole =
      padded(gguf_header(1, 2) + gguf_key("general.alignment", 4, number<uint32_t>(64)) +
                 gguf_list("texts", 8, 2, gguf_text("ab") + gguf_text("c")) + gguf_tensor("t", {32}, 2, 0),
             64) +
      std::string(18, 'x');
  EXPECT_EQ(refusal(whole), "");
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_NE(refusal(whole.substr(0, size)), "") << size;
}

TEST_F(GgufTest, RefusesByName) {
  const auto says = [&](const std::string& bytes, const char* part) {
    const std::string message = refusal(bytes);
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  const uint64_t huge = ~uint64_t{0};
  says("GGML" + std::string(40, '\0'), "begin with");
  says(gguf_header(0, 0, 1), "version 1");
  says(gguf_header(0, 0, 0x03000000), "big-endian");
  says(gguf_header(huge, 0), "entries");
  says(gguf_header(0, huge), "entries");
  says(gguf_header(0, 1) + number(huge) + std::string(32, 'k'), "key 0");
  says(gguf_header(0, 1) + gguf_key("k", 8, number(huge)), "\"k\"");
  says(gguf_header(0, 1) + gguf_key("k", 77, number(huge)), "unknown type 77");
  says(gguf_header(0, 1) + gguf_list("k", 10, huge / 8 + 2, number(huge)), "more than the file can hold");
  says(gguf_header(0, 1) + gguf_list("k", 9, 1, number(huge)), "list of lists");
  says(gguf_header(0, 2) + gguf_key("k", 7, "1") + gguf_key("k", 7, "1"), "twice");
  says(gguf_header(0, 1) + gguf_key("general.alignment", 4, number<uint32_t>(0)), "power of two");
  says(gguf_header(0, 1) + gguf_key("general.alignment", 4, number<uint32_t>(48)), "power of two");
  says(gguf_header(0, 1) + gguf_key("general.alignment", 8, gguf_text("x")), "general.alignment");
  says(gguf_header(1, 0) + gguf_tensor("t", {1, 1, 1, 1, 1}, 0, 0), "5 dimensions");
  const std::string zeros(64, '\0');
  says(padded(gguf_header(1, 0) + gguf_tensor("t", {4}, 10, 0)) + zeros, "Q2_K");
  says(padded(gguf_header(1, 0) + gguf_tensor("t", {4}, 999, 0)) + zeros, "type 999");
  says(padded(gguf_header(1, 0) + gguf_tensor("t", {33}, 2, 0)) + zeros, "rows of 33");
  says(padded(gguf_header(1, 0) + gguf_tensor("t", {0, 4}, 2, 0)) + zeros, "rows of 0");
  says(padded(gguf_header(1, 0) + gguf_tensor("t", {uint64_t{1} << 40, uint64_t{1} << 40}, 0, 0)) + zeros, "too large");
  says(padded(gguf_header(1, 0) + gguf_tensor("t", {huge}, 0, 0)) + zeros, "too large");
  says(padded(gguf_header(1, 0) + gguf_tensor("t", {4}, 0, huge)) + zeros, "outside");
  says(padded(gguf_header(1, 0) + gguf_tensor("t", {4}, 0, huge - 3)) + zeros, "outside");
  says(padded(gguf_header(1, 0) + gguf_tensor("t", {17}, 0, 0)) + zeros, "outside");
  says(padded(gguf_header(2, 0) + gguf_tensor("t", {4}, 0, 0) + gguf_tensor("t", {4}, 0, 0)) + zeros, "twice");
}

}  // namespace
}  // namespace narae
