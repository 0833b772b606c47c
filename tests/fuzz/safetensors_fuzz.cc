// SPDX-License-Identifier: Apache-2.0
// Any bytes as a Hugging Face folder: config.json up to the first NUL, the rest the front of a model.safetensors that
// goes on with zeros. The model, where it is one, becomes a graph that verifies.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
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
    std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(config), path + "/config.json");
    std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(weights), path + "/model.safetensors");
    add_all_ops(ops);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  const int config = memfd_create("config", 0), weights = memfd_create("weights", 0);
  std::string path;
  OpTable ops;
};

void write(int file, std::string_view bytes, size_t zeros) {
  const auto size = static_cast<off_t>(bytes.size());
  if (ftruncate(file, 0) != 0 || pwrite(file, bytes.data(), bytes.size(), 0) != size ||
      ftruncate(file, size + static_cast<off_t>(zeros)) != 0) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Folder folder;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t cut = std::min(bytes.find('\0'), size);
  write(folder.config, bytes.substr(0, cut), 0);
  write(folder.weights, bytes.substr(std::min(cut + 1, size)), 1 << 18);
  try {
    open_safetensors(folder.path + "/model.safetensors");
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
