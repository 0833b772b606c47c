// SPDX-License-Identifier: Apache-2.0
// How a sentence's embedding is made of its tokens' states, as sentence-transformers folders (1_Pooling/config.json)
// and GGUF (pooling_type) have it.
#pragma once

#include "import/arch/checkpoint.h"

namespace narae {

enum class Pooling : uint8_t { mean, first };

// The mean where the checkpoint says nothing. Throws Error bad_file for another way.
Pooling read_pooling(const Checkpoint& checkpoint);

}  // namespace narae
