// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/tensor_data.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "import/onnx/wire_bytes_test.h"

namespace narae::onnx {
namespace {

template <typename T>
std::vector<T> values(const TensorData& data) {
  std::vector<T> out(data.bytes.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), data.bytes.data(), data.bytes.size());
  return out;
}

std::string tensor_head(int type, const std::vector<int64_t>& dims) {
  std::string out;
  for (const int64_t dim : dims) out += integer_field(1, static_cast<uint64_t>(dim));
  return out + integer_field(2, static_cast<uint64_t>(type));
}

std::string error_of(const std::string& bytes, const std::string& folder = ".") {
  try {
    TensorSource source(nullptr, folder);
    source.read(read_tensor(as_bytes(bytes)));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_file);
    return error.what();
  }
  return "";
}

TEST(TensorData, RawDataIsAView) {
  const std::string bytes = tensor_head(1, {2}) + field(9, std::string("\0\0\x80\x3f\0\0\0\x40", 8));
  TensorSource source(nullptr, ".");
  const TensorProto tensor = read_tensor(as_bytes(bytes));
  const TensorData data = source.read(tensor);
  EXPECT_EQ(values<float>(data), (std::vector<float>{1, 2}));
  EXPECT_EQ(reinterpret_cast<const char*>(data.bytes.data()), bytes.data() + bytes.size() - 8);
}

TEST(TensorData, TypedFields) {
  TensorSource source(nullptr, ".");
  const std::string longs = tensor_head(7, {3}) + field(7, varint(5) + varint(~uint64_t{0}) + varint(1 << 20));
  EXPECT_EQ(values<int64_t>(source.read(read_tensor(as_bytes(longs)))), (std::vector<int64_t>{5, -1, 1 << 20}));
  const std::string bytes = tensor_head(3, {2}) + field(5, varint(~uint64_t{0}) + varint(7));
  EXPECT_EQ(values<int8_t>(source.read(read_tensor(as_bytes(bytes)))), (std::vector<int8_t>{-1, 7}));
  const std::string unpacked =
      tensor_head(1, {2}) + key(4, 5) + std::string("\0\0\x80\x3f", 4) + key(4, 5) + std::string("\0\0\0\x40", 4);
  EXPECT_EQ(values<float>(source.read(read_tensor(as_bytes(unpacked)))), (std::vector<float>{1, 2}));
  const std::string nibbles = tensor_head(22, {3}) + field(5, varint(0x21) + varint(0x03));
  EXPECT_EQ(values<uint8_t>(source.read(read_tensor(as_bytes(nibbles)))), (std::vector<uint8_t>{0x21, 0x03}));
  const std::string none = tensor_head(1, {0, 4});
  EXPECT_TRUE(source.read(read_tensor(as_bytes(none))).bytes.empty());
}

TEST(TensorData, SizesMustMatchDims) {
  EXPECT_NE(error_of(tensor_head(1, {3}) + field(9, "12345678")).find("needs 12 bytes but 8"), std::string::npos);
  EXPECT_NE(error_of(tensor_head(7, {1 << 30})).find("numbers"), std::string::npos);  // nothing that large is allocated
  EXPECT_NE(error_of(tensor_head(7, {1}) + field(7, varint(1) + varint(2))).find("but 2"), std::string::npos);
  EXPECT_NE(error_of(tensor_head(1, {-1}) + field(9, "")).find("negative"), std::string::npos);
  const int64_t big = int64_t{1} << 32;
  EXPECT_NE(error_of(tensor_head(1, {big, big}) + field(9, "")).find("too large"), std::string::npos);
  EXPECT_NE(error_of(tensor_head(1, {int64_t{1} << 60}) + field(9, "")).find("too large"), std::string::npos);
  EXPECT_NE(error_of(tensor_head(99, {1}) + field(9, "1")).find("(99)"), std::string::npos);
  EXPECT_NE(error_of(tensor_head(8, {1}) + field(6, "1")).find("string"), std::string::npos);
}

std::string external(const std::string& location, const std::string& extra = "") {
  return tensor_head(2, {4}) + field(13, field(1, "location") + field(2, location)) + extra + integer_field(14, 1);
}

TEST(TensorData, ExternalFilesStayInTheFolder) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / fmt::format("narae_external_{}", ::getpid());
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "weights.bin") << "abcdefgh";
  const auto offset = [](const char* value) { return field(13, field(1, "offset") + field(2, value)); };
  TensorSource source(nullptr, folder.string());
  const std::string good = external("weights.bin", offset("3"));
  const TensorData data = source.read(read_tensor(as_bytes(good)));
  EXPECT_EQ(std::memcmp(data.bytes.data(), "defg", 4), 0);
  EXPECT_NE(error_of(external("gone.bin"), folder.string()).find("missing"), std::string::npos);
  EXPECT_NE(error_of(external("../weights.bin"), folder.string()).find("leaves"), std::string::npos);
  EXPECT_NE(error_of(external("a/../../weights.bin"), folder.string()).find("leaves"), std::string::npos);
  EXPECT_NE(error_of(external("/etc/passwd"), folder.string()).find("leaves"), std::string::npos);
  EXPECT_NE(error_of(external(""), folder.string()).find("leaves"), std::string::npos);
  EXPECT_NE(error_of(external("weights.bin", offset("5")), folder.string()).find("too short"), std::string::npos);
  EXPECT_NE(error_of(external("weights.bin", offset("18446744073709551615")), folder.string()).find("too short"),
            std::string::npos);
  EXPECT_NE(error_of(external("weights.bin", offset("-1")), folder.string()).find("not a size"), std::string::npos);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace narae::onnx
