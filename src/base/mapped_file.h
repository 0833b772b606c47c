// SPDX-License-Identifier: Apache-2.0
// A whole file mapped read-only. Views into it stay valid while the MappedFile lives; hand out shared_ptrs to it as
// owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace narae {

class MappedFile {
 public:
  // Throws Error bad_file ("no such file", "is a folder", ...).
  static std::shared_ptr<const MappedFile> open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  // Gives the pages of [data, data + size) back to the system; they are read again from the file when touched.
  void release(const void* data, size_t size) const;

 private:
  MappedFile() = default;
  std::string path_;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// Writes a file atomically: all bytes go to PATH.part-PID, which is renamed over PATH by commit(). Without commit()
// nothing is left behind. Throws Error failed when the disk is full or the folder cannot be written.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t size);
  void overwrite(uint64_t offset, const void* data, size_t size);  // bytes written before
  void pad_to(size_t alignment);                                   // zero bytes up to a multiple of `alignment`
  uint64_t offset() const { return offset_; }
  void commit();

 private:
  std::string path_;
  std::string part_;
  int fd_ = -1;
  uint64_t offset_ = 0;
};

}  // namespace narae
