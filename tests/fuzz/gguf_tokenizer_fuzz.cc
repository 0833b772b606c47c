// SPDX-License-Identifier: Apache-2.0
// Any bytes as a GGUF file with a vocabulary: a tokenizer that encodes and decodes, or narae::Error that is not our own
// bug.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "import/text/read_tokenizer.h"
#include "text/utf8.h"

namespace {

constexpr std::string_view own_text = "Hello  w\u00f6rld 123\n<s> \u4e2d\u6587 it's";

void run(const std::string& path) {
  const auto tokenizer = narae::load_tokenizer(path);
  const std::vector<int32_t> ids = tokenizer->encode(own_text, {true, true, true});
  const std::string back = tokenizer->decode(ids, true);
  if (narae::find_invalid_utf8(back) != back.npos) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const int file = memfd_create("gguf", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  try {
    run(path);
  } catch (const narae::Error& error) {
    if (error.code() == narae::ErrorCode::internal) {
      std::fprintf(stderr, "%s\n", error.what());
      std::abort();
    }
  }
  return 0;
}
