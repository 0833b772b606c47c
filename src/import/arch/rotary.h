// SPDX-License-Identifier: Apache-2.0
// The rotary embedding that a checkpoint asks for, every scaling of long contexts turned into frequencies.
#pragma once

#include "import/arch/checkpoint.h"
#include "nn/paged_attention.h"

namespace narae {

// Knows no scaling, linear, llama3 and yarn; throws Error bad_file for another, such as dynamic.
nn::Rotary read_rotary(const Checkpoint& checkpoint, int64_t head_size);

}  // namespace narae
