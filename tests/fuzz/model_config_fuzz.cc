// SPDX-License-Identifier: Apache-2.0
// Any bytes as config.pbtxt: an Error with the line, or a configuration.
#include <string_view>

#include "base/error.h"
#include "serve/model_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    narae::parse_model_config(std::string_view(reinterpret_cast<const char*>(data), size));
  } catch (const narae::Error& error) {
    if (error.code() != narae::ErrorCode::bad_file) __builtin_trap();
  }
  return 0;
}
