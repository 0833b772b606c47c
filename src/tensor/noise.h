// SPDX-License-Identifier: Apache-2.0
// Random numbers of sampling without state: a pure function of what is sampled, so an answer does not depend on what
// else is in the batch, on preemption or on how far ahead steps are planned. Plain, for kernels too.
//
// The mixing function is the finalizer "Mix13" of splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014, with David Stafford's constants.
#pragma once

#include <cstdint>

namespace narae {

inline constexpr uint64_t noise_mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

// `position` is the index, in the whole sequence, of the token that is being sampled. Once per row, then noise() for
// each candidate.
inline constexpr uint64_t noise_key(uint64_t seed, int32_t branch, int64_t position) {
  const uint64_t stream = noise_mix(seed + 0x9e3779b97f4a7c15ULL * (static_cast<uint64_t>(branch) + 1));
  return noise_mix(stream + 0x9e3779b97f4a7c15ULL * (static_cast<uint64_t>(position) + 1));
}

// Uniform in (0, 1), never 0 nor 1: -log(-log(noise)) is a Gumbel variate.
inline constexpr float noise(uint64_t key, int32_t token) {
  const uint64_t bits = noise_mix(key + 0x9e3779b97f4a7c15ULL * (static_cast<uint64_t>(token) + 1));
  return (static_cast<float>(bits >> 41) + 0.5f) * 0x1p-23f;
}

}  // namespace narae
