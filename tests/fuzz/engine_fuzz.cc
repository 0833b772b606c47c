// SPDX-License-Identifier: Apache-2.0
// Any bytes as an engine file: an Error, or an engine whose constants load. An input is a directory, a NUL and the
// bytes behind the header; a header with the right sizes and hashes is put before them, so that mutations get past
// those. Inputs that begin with the magic are taken as they are.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>

#include "base/error.h"
#include "base/hash.h"
#include "engine/engine_file.h"
#include "engine/engine_format.h"

namespace {

// In each line of the directory '@' stands for the hash of the text at the offset and size before it.
std::string hashed(const std::string& directory, const std::string& body) {
  std::string out, line;
  for (std::istringstream lines(directory); std::getline(lines, line);) {
    const size_t mark = line.find('@');
    if (mark != std::string::npos) {
      uint64_t offset = 0, bytes = 0;
      std::istringstream words(line);
      for (std::string word; words >> word && word != "@";) {
        offset = bytes;
        bytes = std::strtoull(word.c_str(), nullptr, 10);
      }
      const uint64_t begin = offset - sizeof(narae::EngineHeader);
      const bool inside = begin <= body.size() && bytes <= body.size() - begin;
      const std::string_view text = inside ? std::string_view(body).substr(begin, bytes) : std::string_view();
      line.replace(mark, 1, fmt::format("{:016x}", narae::hash_string(text)));
    }
    out += line + "\n";
  }
  return out;
}

std::string with_header(const std::string& input) {
  const size_t cut = std::min(input.find('\0'), input.size());
  std::string body = input.substr(std::min(cut + 1, input.size()));
  const std::string directory = hashed(input.substr(0, cut), body);
  narae::EngineHeader header{};
  std::memcpy(header.magic, narae::engine_magic, sizeof header.magic);
  header.version = narae::engine_version;
  header.directory_offset = sizeof header + body.size();
  header.directory_bytes = directory.size();
  header.directory_hash = narae::hash_string(directory);
  header.file_bytes = header.directory_offset + directory.size();
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + body + directory;
}

void load(const std::string& path, narae::Runtime& runtime) {
  const auto engine = narae::load_engine(path, runtime);
  if (!engine->has_section()) return;
  const narae::LoweredEngine& lowered = engine->lowered();
  engine->weights().load_all(*lowered.graph, lowered.selection, *runtime.device());
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
    load(path, runtime);
  } catch (const narae::Error& error) {
    if (error.code() == narae::ErrorCode::internal) {
      std::fprintf(stderr, "%s\n", error.what());
      std::abort();
    }
  }
  std::remove(path.c_str());
  return 0;
}
