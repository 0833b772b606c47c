// SPDX-License-Identifier: Apache-2.0
// Any bytes as the front of a GGUF file that goes on with zeros, so that a header alone names tensors that are there:
// every key is read in every way, and the model, where it is one, becomes a graph that verifies.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "import/arch/import_model.h"
#include "import/weights/gguf.h"
#include "ops/ops.h"

namespace {

using namespace narae;

template <typename Use>
void no_bug(Use use) {
  try {
    use();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) {
      std::fprintf(stderr, "%s\n", error.what());
      std::abort();
    }
  }
}

void read_all(const Gguf& gguf) {
  for (const char* key : {"general.architecture", "general.alignment", "tokenizer.ggml.tokens", "llama.block_count",
                          "tokenizer.ggml.scores", "tokenizer.ggml.token_type", "llama.rope.freq_base", "k"}) {
    no_bug([&] { gguf.text(key); });
    no_bug([&] { gguf.integer(key); });
    no_bug([&] { gguf.number(key); });
    no_bug([&] { gguf.flag(key); });
    no_bug([&] { gguf.texts(key); });
    no_bug([&] { gguf.integers(key); });
    no_bug([&] { gguf.numbers(key); });
  }
  volatile unsigned sum = 0;
  for (const auto& [name, weight] : gguf.weights().all()) {
    const auto* bytes = static_cast<const uint8_t*>(weight.data.data);
    const size_t size = weight.data.bytes();
    if (size > 0) sum = sum + bytes[0] + bytes[size - 1];
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const OpTable ops = [] {
    OpTable made;
    add_all_ops(made);
    return made;
  }();
  static const int file = memfd_create("gguf", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  constexpr off_t zeros = 1 << 18;
  if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != static_cast<ssize_t>(size) ||
      ftruncate(file, static_cast<off_t>(size) + zeros) != 0) {
    std::abort();
  }
  no_bug([&] { read_all(*Gguf::open(path)); });
  no_bug([&] { import_model(path, ops)->verify(); });
  return 0;
}
