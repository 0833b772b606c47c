// SPDX-License-Identifier: Apache-2.0
#include "npy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace narae {
namespace {

class Npy : public ::testing::Test {
 protected:
  ~Npy() override { std::filesystem::remove(path_); }
  void save(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  void save_header(const std::string& header, size_t data_size) {
    save(std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0' + header +
         std::string(data_size, 'x'));
  }
  std::string error() {
    try {
      read_npy(path_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_file);
      return error.what();
    }
    return "";
  }
  std::string path_ = (std::filesystem::temp_directory_path() / fmt::format("narae_{}.npy", ::getpid())).string();
};

TEST_F(Npy, WrittenFilesReadBack) {
  const float values[6] = {1, 2, 3, 4, 5, 6};
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{2, 3}, {6}, {1, 6, 1}}) {
    write_npy(path_, {"<f4", shape, std::as_bytes(std::span(values)), nullptr});
    const NpyArray back = read_npy(path_);
    EXPECT_EQ(back.descr, "<f4");
    EXPECT_EQ(back.shape, shape);
    ASSERT_EQ(back.bytes.size(), sizeof values);
    EXPECT_EQ(std::memcmp(back.bytes.data(), values, sizeof values), 0);
  }
  write_npy(path_, {"<f4", {}, std::as_bytes(std::span(values, 1)), nullptr});
  EXPECT_TRUE(read_npy(path_).shape.empty());
  EXPECT_EQ((std::filesystem::file_size(path_) - 4) % 64, 0u);
}

TEST_F(Npy, RefusesWhatItCannotRead) {
  save("PK");
  EXPECT_NE(error().find("not a .npy file"), std::string::npos);
  save_header("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", 4);
  EXPECT_NE(error().find("Fortran"), std::string::npos);
  save_header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 4);
  EXPECT_NE(error().find("|O"), std::string::npos);
  save_header("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", 4);
  EXPECT_NE(error().find("little-endian"), std::string::npos);
  save_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4);
  EXPECT_NE(error().find("structured"), std::string::npos);
  save_header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 4);
  EXPECT_NE(error().find("bytes"), std::string::npos);
  save_header("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,16), }", 4);
  EXPECT_NE(error().find("too large"), std::string::npos);
  save_header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 4);
  EXPECT_NE(error().find("bad shape"), std::string::npos);
  save_header("{'descr': '<f4', 'fortran_order': False, 'shape'", 4);
  EXPECT_NE(error().find("header"), std::string::npos);
  save(std::string("\x93NUMPY\x01\0\xff\xff{}", 12));
  EXPECT_NE(error().find("cut off"), std::string::npos);
}

}  // namespace
}  // namespace narae
