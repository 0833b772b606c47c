// SPDX-License-Identifier: Apache-2.0
// Hand-made safetensors files and folders, most of them hostile.
#include "import/weights/safetensors.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "import/weights/file_bytes_test.h"

namespace narae {
namespace {

struct SafetensorsTest : testing::Test {
  TestFolder folder;
  template <typename Open>
  std::string refusal_of(Open open) {
    try {
      open();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_file);
      return error.what();
    }
    return "";
  }
  std::string refusal(const std::string& bytes) {
    const std::string path = folder.write("m.safetensors", bytes);
    const std::string message = refusal_of([&] { open_safetensors(path); });
    EXPECT_TRUE(message.empty() || message.find("m.safetensors") != std::string::npos) << message;
    return message;
  }
  void says(const std::string& header, const char* part) {
    const std::string message = refusal(safetensors(header, std::string(16, 'x')));
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
};

TEST_F(SafetensorsTest, ReadsTensorsOfOneFile) {
  const std::string path = folder.write(
      "m.safetensors",
      safetensors(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
                  R"("b":{"dtype":"BF16","shape":[],"data_offsets":[8,10]},"c":{"dtype":"I64","shape":[0],)"
                  R"("data_offsets":[10,10]}})",
                  number(1.5f) + number(-2.0f) + number<uint16_t>(0x3f80)));
  const WeightTable table = open_safetensors(path);
  EXPECT_EQ(table.all().size(), 3u);
  EXPECT_EQ(table.at("a").dims, (Dims{2, 1}));
  EXPECT_EQ(element_as_double(table.at("a").data, 1), -2.0);
  EXPECT_EQ(element_as_double(table.at("b").data, 0), 1.0);
  EXPECT_EQ(table.at("c").data.count(), 0);
}

TEST_F(SafetensorsTest, RefusesByName) {
  EXPECT_NE(refusal(""), "");
  EXPECT_NE(refusal(number(~uint64_t{0}) + "{}"), "");
  EXPECT_NE(refusal(number<uint64_t>(3) + "{}"), "");
  says("[]", "object");
  says("{", "JSON");
  says(R"({"t":1})", "\"t\"");
  says(R"({"t":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}})", "F8_E4M3");
  says(R"({"t":{"dtype":5,"shape":[1],"data_offsets":[0,1]}})", "dtype");
  says(R"({"t":{"dtype":"F32","data_offsets":[0,4]}})", "shape");
  says(R"({"t":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "size");
  says(R"({"t":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", "size");
  says(R"({"t":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", "size");
  says(R"({"t":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", "too large");
  says(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "takes 8");
  says(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[16,20]}})", "outside");
  says(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}})", "outside");
  says(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", "pair");
  says(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", "pair");
  says(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       "twice");
  says(std::string(100, '[') + std::string(100, ']'), "deeper");
}

TEST_F(SafetensorsTest, ReadsShardsAndRefusesNamesThatLeaveTheFolder) {
  const auto entry = [](const char* name) {
    return fmt::format(R"({{"{}":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}})", name);
  };
  const auto index = [&](const std::string& map) {
    folder.write("model.safetensors.index.json", R"({"metadata":{},"weight_map":)" + map + "}");
    return refusal_of([&] { open_safetensors_folder(folder.path()); });
  };
  EXPECT_NE(refusal_of([&] { open_safetensors_folder(folder.path()); }).find("neither"), std::string::npos);
  folder.write("1.safetensors", safetensors(entry("a"), number(1.0f)));
  folder.write("2.safetensors", safetensors(entry("b"), number(2.0f)));
  EXPECT_EQ(index(R"({"a":"1.safetensors","b":"2.safetensors"})"), "");
  EXPECT_EQ(element_as_double(aligned(open_safetensors_folder(folder.path()).at("b").data), 0), 2.0);
  EXPECT_NE(index(R"({"a":"1.safetensors","c":"2.safetensors"})").find("\"c\""), std::string::npos);
  EXPECT_NE(index(R"({"a":"3.safetensors"})").find("3.safetensors"), std::string::npos);
  for (const char* name : {"../1.safetensors", "/etc/passwd", "", "..", "a\\\\b"}) {
    EXPECT_NE(index(fmt::format(R"({{"a":"{}"}})", name)).find("plain file name"), std::string::npos) << name;
  }
  EXPECT_NE(index(R"({"a":1})"), "");
  EXPECT_NE(index("[]"), "");
  folder.write("3.safetensors", safetensors(entry("a"), number(1.0f)));
  EXPECT_NE(index(R"({"a":"1.safetensors","b":"3.safetensors"})").find("twice"), std::string::npos);
}

}  // namespace
}  // namespace narae
