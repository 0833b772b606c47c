// SPDX-License-Identifier: Apache-2.0
// Multiply-xorshift over 8-byte words; weights of hundreds of megabytes go through it, so two lanes run side by side.
#include "base/hash.h"

#include <cstring>

namespace narae {

uint64_t hash_bytes(const void* data, size_t size, uint64_t seed) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  constexpr uint64_t k0 = 0x9e3779b97f4a7c15ULL;
  constexpr uint64_t k1 = 0xc2b2ae3d27d4eb4fULL;
  uint64_t a = seed ^ k0;
  uint64_t b = seed + k1;
  size_t left = size;
  for (; left >= 16; left -= 16, bytes += 16) {
    uint64_t x, y;
    std::memcpy(&x, bytes, 8);
    std::memcpy(&y, bytes + 8, 8);
    a = (a ^ x) * k1;
    a ^= a >> 29;
    b = (b ^ y) * k0;
    b ^= b >> 31;
  }
  uint64_t tail[2] = {0, 0};
  if (left) std::memcpy(tail, bytes, left);
  a = (a ^ tail[0]) * k1;
  b = (b ^ tail[1]) * k0;
  return hash_mix(hash_combine(a, b) ^ static_cast<uint64_t>(size));
}

}  // namespace narae
