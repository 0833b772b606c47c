// SPDX-License-Identifier: Apache-2.0
// Any bytes as an ONNX model: the importer makes a graph that verifies, or throws narae::Error that is not our own bug.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "base/error.h"
#include "import/onnx/import_onnx.h"
#include "ops/ops.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace narae;
  static const OpTable ops = [] {
    OpTable made;
    add_all_ops(made);
    return made;
  }();
  try {
    import_onnx(std::as_bytes(std::span(data, size)), nullptr, "/nonexistent", ops)->verify();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) {
      std::fprintf(stderr, "%s\n", error.what());
      std::abort();
    }
  }
  return 0;
}
