// SPDX-License-Identifier: Apache-2.0
// Bytes of GGUF and safetensors files for tests, correct or hostile, and a file that goes away.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace narae {

template <typename T>
std::string number(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}
inline std::string gguf_text(const std::string& text) { return number<uint64_t>(text.size()) + text; }
inline std::string gguf_header(uint64_t tensors, uint64_t keys, uint32_t version = 3) {
  return "GGUF" + number(version) + number(tensors) + number(keys);
}
inline std::string gguf_key(const std::string& key, uint32_t type, const std::string& value) {
  return gguf_text(key) + number(type) + value;
}
inline std::string gguf_list(const std::string& key, uint32_t type, uint64_t count, const std::string& values) {
  return gguf_key(key, 9, number(type) + number(count) + values);
}
inline std::string gguf_tensor(const std::string& name, const std::vector<uint64_t>& dims, uint32_t type,
                               uint64_t offset) {
  std::string bytes = gguf_text(name) + number(static_cast<uint32_t>(dims.size()));
  for (uint64_t dim : dims) bytes += number(dim);
  return bytes + number(type) + number(offset);
}
inline std::string padded(std::string bytes, size_t alignment = 32) {
  bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
  return bytes;
}
inline std::string safetensors(const std::string& header, const std::string& data) {
  return number<uint64_t>(header.size()) + header + data;
}

// A folder of its own below the system's place for such, removed with all it holds.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "narae_weights_XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  std::string path(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }
  std::string write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
    return path(name);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace narae
