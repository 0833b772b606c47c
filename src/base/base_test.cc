// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "base/mapped_file.h"

namespace narae {
namespace {

TEST(Error, GainsContextFromInnerToOuter) {
  try {
    with_context([] { return std::string("onnx \"a.onnx\""); },
                 [] {
                   with_context([] { return std::string("node \"x\""); },
                                [] { fail(ErrorCode::bad_file, "inner dims {} != {}", 768, 1024); });
                 });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_file);
    EXPECT_STREQ(error.what(), "onnx \"a.onnx\" > node \"x\" > inner dims 768 != 1024");
    EXPECT_EQ(error.context().size(), 2u);
  }
}

TEST(Hash, DependsOnEveryByteAndTheLength) {
  std::string text(41, 'a');
  const uint64_t first = hash_string(text);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = 'b';
    EXPECT_NE(hash_string(other), first) << i;
  }
  EXPECT_NE(hash_string(text.substr(1)), first);
  EXPECT_NE(hash_bytes("\0", 1), hash_bytes("\0\0", 2));
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  const auto folder = std::filesystem::temp_directory_path() / "narae-base-test";
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "x.bin").string();
  std::filesystem::remove(path);
  {
    AtomicFile file(path);
    file.write("abc", 3);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  {
    AtomicFile file(path);
    file.write("abc", 3);
    file.pad_to(8);
    file.commit();
  }
  auto mapped = MappedFile::open(path);
  ASSERT_EQ(mapped->bytes().size(), 8u);
  EXPECT_EQ(std::memcmp(mapped->bytes().data(), "abc\0\0\0\0\0", 8), 0);
  std::filesystem::remove_all(folder);
}

TEST(MappedFile, NamesTheMissingFile) {
  try {
    MappedFile::open("/nonexistent/model.onnx");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/nonexistent/model.onnx"), std::string::npos);
  }
}

}  // namespace
}  // namespace narae
