// SPDX-License-Identifier: Apache-2.0
// Stable hashes: equal on every machine and in every run, because they are stored in files (engine, timing cache).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace narae {

// 64-bit hash of bytes, 8 bytes a step; not cryptographic.
uint64_t hash_bytes(const void* data, size_t size, uint64_t seed = 0);
inline uint64_t hash_string(std::string_view text, uint64_t seed = 0) {
  return hash_bytes(text.data(), text.size(), seed);
}
inline uint64_t hash_mix(uint64_t value) {
  value ^= value >> 32;
  value *= 0xd6e8feb86659fd93ULL;
  value ^= value >> 32;
  value *= 0xd6e8feb86659fd93ULL;
  return value ^ (value >> 32);
}
inline uint64_t hash_combine(uint64_t a, uint64_t b) { return hash_mix(a * 0x9e3779b97f4a7c15ULL + b + 1); }

}  // namespace narae
