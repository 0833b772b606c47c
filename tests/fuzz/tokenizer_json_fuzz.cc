// SPDX-License-Identifier: Apache-2.0
// Any bytes as a tokenizer.json: a tokenizer that encodes and decodes, or narae::Error that is not our own bug. What
// follows a NUL is the text to encode.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "import/text/json_tokenizer.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

namespace {

constexpr std::string_view own_text = "Hello  w\u00f6rld 123\n<s> \u4e2d\u6587 it's";

void run(std::string_view file, std::string_view text) {
  const narae::Tokenizer tokenizer(narae::json_tokenizer(file));
  for (const std::string_view one : {own_text, text}) {
    const std::vector<int32_t> ids = tokenizer.encode(one, {true, true, true});
    const std::string back = tokenizer.decode(ids, true);
    if (narae::find_invalid_utf8(back) != back.npos) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = input.find('\0');
  try {
    run(input.substr(0, cut), cut == input.npos ? std::string_view() : input.substr(cut + 1));
  } catch (const narae::Error& error) {
    if (error.code() == narae::ErrorCode::internal) {
      std::fprintf(stderr, "%s\n", error.what());
      std::abort();
    }
  }
  return 0;
}
