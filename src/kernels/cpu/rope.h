// SPDX-License-Identifier: Apache-2.0
// rope (ops/rope.h): angles are formed and reduced in double precision, so that far positions turn as exactly as near
// ones. A task is one row with all its heads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace narae::cpu {

struct RopeArgs {
  const float* x = nullptr;  // [rows][heads][width]
  float* y = nullptr;        // may be x
  const int32_t* positions = nullptr;
  const float* frequencies = nullptr;  // [pairs]
  int64_t heads = 1, width = 0, pairs = 0;
  bool interleaved = false;
  float scale = 1;
};

// Bytes of scratch for one thread.
size_t rope_scratch(const RopeArgs& args);

using RopeKernel = void (*)(const RopeArgs&, void* scratch, int64_t row_begin, int64_t row_end);
RopeKernel rope_kernel(std::string_view isa);  // null for an unknown name

// The halves of it, for kernels that put rows elsewhere.
struct RopeParts {
  // turns [rows][2][pairs]: scale * cosine, then scale * sine, of positions [begin, end).
  void (*turns)(const RopeArgs&, float* turns, int64_t row_begin, int64_t row_end);
  // One head of one row by its turns [2][pairs]; y may be x.
  void (*head)(const RopeArgs&, const float* turns, const float* x, float* y);
};
RopeParts rope_parts(std::string_view isa);  // null for an unknown name

void rope_run_portable(const RopeArgs& args, void* scratch, int64_t row_begin, int64_t row_end);
RopeParts rope_parts_portable();
void rope_run_avx2(const RopeArgs& args, void* scratch, int64_t row_begin, int64_t row_end);
RopeParts rope_parts_avx2();
void rope_run_avx512(const RopeArgs& args, void* scratch, int64_t row_begin, int64_t row_end);
RopeParts rope_parts_avx512();

}  // namespace narae::cpu
