// SPDX-License-Identifier: Apache-2.0
// What config.pbtxt may say of a model (protobuf text format, the field names of Triton's model configuration). A field
// that Narae has no use for is refused by name: whoever wrote it expects something of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace narae {

struct ModelConfig {
  std::optional<std::string> name;
  std::optional<int64_t> max_batch;  // max_batch_size; 0: no batching
  std::optional<int64_t> max_delay;  // dynamic_batching.max_queue_delay_microseconds
  std::vector<int64_t> preferred;    // dynamic_batching.preferred_batch_size
  std::optional<int64_t> max_queue;  // dynamic_batching.default_queue_policy.max_queue_size
  std::optional<int64_t> instances;  // instance_group.count
};

// Throws Error bad_file with the line.
ModelConfig parse_model_config(std::string_view text);

}  // namespace narae
