// SPDX-License-Identifier: Apache-2.0
// mmap for reading, write + fsync + rename for saving.
#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/error.h"

namespace narae {

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path) {
  // Without O_NONBLOCK a pipe would wait for its writer before it can be refused.
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail(ErrorCode::bad_file, "cannot open \"{}\": {}", path, std::strerror(errno));
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    fail(ErrorCode::bad_file, "\"{}\" is not a regular file", path);
  }
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->path_ = path;
  file->size_ = static_cast<size_t>(info.st_size);
  if (file->size_ > 0) {
    void* data = ::mmap(nullptr, file->size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
      int error = errno;
      ::close(fd);
      file->size_ = 0;
      fail(ErrorCode::failed, "cannot map \"{}\": {}", path, std::strerror(error));
    }
    file->data_ = static_cast<const std::byte*>(data);
  }
  ::close(fd);
  return file;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(const void* data, size_t size) const {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(data) + page - 1) / page * page;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(data) + size) / page * page;
  if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  if (path_.empty()) fail(ErrorCode::failed, "cannot write a file without a name; give it a path");
  struct stat status;
  if (::stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {  // a rename would replace a device or folder
    fail(ErrorCode::failed, "cannot write \"{}\": it is there and no regular file", path_);
  }
  part_ = fmt::format("{}.part-{}", path_, ::getpid());
  fd_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) fail(ErrorCode::failed, "cannot write \"{}\": {}", path_, std::strerror(errno));
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!part_.empty()) ::unlink(part_.c_str());
}

void AtomicFile::write(const void* data, size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(fd_, bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      fail(ErrorCode::failed, "cannot write \"{}\": {}; nothing was saved", path_, std::strerror(errno));
    }
    bytes += written;
    size -= static_cast<size_t>(written);
    offset_ += static_cast<uint64_t>(written);
  }
}

void AtomicFile::overwrite(uint64_t offset, const void* data, size_t size) {
  if (::pwrite(fd_, data, size, static_cast<off_t>(offset)) != static_cast<ssize_t>(size)) {
    fail(ErrorCode::failed, "cannot write \"{}\": {}; nothing was saved", path_, std::strerror(errno));
  }
}

void AtomicFile::pad_to(size_t alignment) {
  static const char zeros[4096] = {};
  while (offset_ % alignment != 0) {
    const size_t missing = alignment - static_cast<size_t>(offset_ % alignment);
    write(zeros, missing < sizeof zeros ? missing : sizeof zeros);
  }
}

void AtomicFile::commit() {
  if (::fsync(fd_) != 0 && errno != EINVAL) {
    fail(ErrorCode::failed, "cannot write \"{}\": {}; nothing was saved", path_, std::strerror(errno));
  }
  if (::close(fd_) != 0) {
    fd_ = -1;
    fail(ErrorCode::failed, "cannot write \"{}\": {}; nothing was saved", path_, std::strerror(errno));
  }
  fd_ = -1;
  if (std::rename(part_.c_str(), path_.c_str()) != 0) {
    fail(ErrorCode::failed, "cannot rename onto \"{}\": {}; nothing was saved", path_, std::strerror(errno));
  }
  part_.clear();
}

}  // namespace narae
