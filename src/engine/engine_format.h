// SPDX-License-Identifier: Apache-2.0
// What writer and reader of engine files share: the header and the words of the directory.
#pragma once

#include <cstdint>

namespace narae {

inline constexpr char engine_magic[8] = {'N', 'A', 'R', 'A', 'E', 'E', 'N', 'G'};
inline constexpr uint32_t engine_version = 1;
inline constexpr uint64_t engine_directory_limit = uint64_t{64} << 20;

struct EngineHeader {
  char magic[8];
  uint32_t version;
  uint32_t reserved;
  uint64_t file_bytes;
  uint64_t directory_offset, directory_bytes, directory_hash;
  uint64_t padding[2];
};
static_assert(sizeof(EngineHeader) == 64);

}  // namespace narae
