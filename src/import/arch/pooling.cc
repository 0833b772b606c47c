// SPDX-License-Identifier: Apache-2.0
#include "import/arch/pooling.h"

#include <filesystem>

#include "base/error.h"
#include "import/weights/json_file.h"

namespace narae {

Pooling read_pooling(const Checkpoint& checkpoint) {
  if (checkpoint.is_gguf()) {
    const int64_t type = checkpoint.integer({"", "pooling_type"}, 1, 0, 100);  // none, mean, cls, last, rank
    if (type == 1 || type == 2) return type == 1 ? Pooling::mean : Pooling::first;
    fail(ErrorCode::bad_file, "pooling_type is {}; Narae knows 1 (mean) and 2 (first token)", type);
  }
  const std::string path = (std::filesystem::path(checkpoint.path()) / "1_Pooling" / "config.json").string();
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return Pooling::mean;
  const Json config = read_json(path);
  if (!config.is_object()) fail(ErrorCode::bad_file, "\"{}\" is no object", path);
  Pooling pooling = Pooling::mean;
  int chosen = 0;
  for (const auto& [key, value] : config.items()) {
    if (key.rfind("pooling_mode_", 0) != 0 || !value.is_boolean() || !value.get<bool>()) continue;
    ++chosen;
    if (key == "pooling_mode_cls_token") {
      pooling = Pooling::first;
    } else if (key != "pooling_mode_mean_tokens") {
      fail(ErrorCode::bad_file, "\"{}\" asks for {}; Narae knows pooling_mode_mean_tokens and pooling_mode_cls_token",
           path, key);
    }
  }
  if (chosen > 1) fail(ErrorCode::bad_file, "\"{}\" asks for {} ways of pooling at once", path, chosen);
  return pooling;
}

}  // namespace narae
