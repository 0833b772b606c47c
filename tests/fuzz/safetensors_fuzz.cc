// SPDX-License-Identifier: Apache-2.0
// Any bytes as a Hugging Face folder: config.json up to the first NUL, the rest the front of a model.safetensors that
// goes on with zeros. The model, where it is one, becomes a graph that verifies.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/error.h"
#include "import/arch/import_model.h"
#include "import/weights/safetensors.h"
#include "ops/ops.h"

namespace {

using namespace narae;

struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "narae_fuzz_XXXXXX").string();
    if (!mkdtemp(name.data())) std::abort();
    path = name;
    add_all_ops(ops);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
  OpTable ops;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Folder folder;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t cut = std::min(bytes.find('\0'), size);
  const std::string weights = folder.path + "/model.safetensors";
  std::ofstream(folder.path + "/config.json", std::ios::binary) << bytes.substr(0, cut);
  std::ofstream(weights, std::ios::binary) << bytes.substr(std::min(cut + 1, size));
  std::filesystem::resize_file(weights, size - std::min(cut + 1, size) + (1 << 18));
  try {
    open_safetensors(weights);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) std::abort();
  }
  try {
    import_model(folder.path, folder.ops)->verify();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) {
      std::fprintf(stderr, "%s\n", error.what());
      std::abort();
    }
  }
  return 0;
}
