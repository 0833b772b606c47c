// SPDX-License-Identifier: Apache-2.0
// Safetensors files: eight bytes of length, a JSON header, tensors. Nothing in the header is trusted; names of shards
// must be plain file names beside the index. Source: the safetensors format description.
#pragma once

#include <string>

#include "import/weights/weight_table.h"

namespace narae {

// One file. Throws Error bad_file that names the file and the tensor.
WeightTable open_safetensors(const std::string& path);

// The weights of a Hugging Face folder: model.safetensors, or the shards that model.safetensors.index.json lists.
// Throws Error bad_file that names the file and the tensor; also where a shard lacks a tensor that the index names.
WeightTable open_safetensors_folder(const std::string& folder);

}  // namespace narae
