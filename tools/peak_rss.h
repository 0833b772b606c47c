// SPDX-License-Identifier: Apache-2.0
// What a measurement says of memory.
#pragma once

#include <cstdint>

namespace narae {

// The most memory this process ever had, from the kernel's account of it; 0 where there is none.
int64_t peak_rss_bytes();

}  // namespace narae
