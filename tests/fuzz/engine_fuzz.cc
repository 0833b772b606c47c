// SPDX-License-Identifier: Apache-2.0
// Any bytes as an engine file: an Error or an engine. A header with right sizes and hashes is put before the input, so
// that the directory behind it is reached; inputs that begin with the magic are taken as they are.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "engine/engine_file.h"
#include "engine/engine_format.h"

namespace {

// Each line of a directory that refers to a text ends in its hash; '@' stands for the right one.
std::string with_header(const std::string& input) {
  const size_t cut = input.find('\0');
  const std::string text = cut == std::string::npos ? input : input.substr(0, cut);
  std::string directory = cut == std::string::npos ? std::string() : input.substr(cut + 1);
  if (directory.empty()) {
    directory = fmt::format("portable 64 {} @\n", text.size());
  }
  const std::string hash = fmt::format("{:016x}", narae::hash_string(text));
  for (size_t at = directory.find('@'); at != std::string::npos; at = directory.find('@', at + hash.size())) {
    directory.replace(at, 1, hash);
  }
  narae::EngineHeader header{};
  std::memcpy(header.magic, narae::engine_magic, sizeof header.magic);
  header.version = narae::engine_version;
  header.directory_offset = sizeof header + text.size();
  header.directory_bytes = directory.size();
  header.directory_hash = narae::hash_string(directory);
  header.file_bytes = header.directory_offset + directory.size();
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + text + directory;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static narae::Runtime runtime([] {
    narae::RuntimeOptions options;
    options.threads = 1;
    return options;
  }());
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (!narae::is_engine_file(std::as_bytes(std::span(data, size)))) bytes = with_header(bytes);
  const std::string path = fmt::format("/dev/shm/narae-engine-fuzz-{}", getpid());
  if (std::FILE* file = std::fopen(path.c_str(), "wb")) {
    std::fwrite(bytes.data(), 1, bytes.size(), file);
    std::fclose(file);
  }
  try {
    narae::load_engine(path, runtime);
  } catch (const narae::Error& error) {
    if (error.code() == narae::ErrorCode::internal) std::abort();
  }
  std::remove(path.c_str());
  return 0;
}
