// SPDX-License-Identifier: Apache-2.0
// narae bench of a language model: random prompts, answers of a set length, many at a time.
#pragma once

#include "llm_flags.h"

namespace narae {

struct LlmBenchFlags {
  LlmFlags llm;
  int64_t prompt_tokens = 0, new_tokens = 0, context = 0;  // 0: not given
  int32_t concurrency = 1;
  double duration = 3;
  bool asked() const { return prompt_tokens > 0 || new_tokens > 0; }
};

void add_llm_bench(CLI::App& app, LlmBenchFlags& flags);
void bench_llm(const LlmBenchFlags& flags, Console& console);

}  // namespace narae
