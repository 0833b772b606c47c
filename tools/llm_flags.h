// SPDX-License-Identifier: Apache-2.0
// The flags that generate, chat and others have in common: how a language model is held and how tokens are chosen.
#pragma once

#include "llm/executor.h"
#include "load/load_language_model.h"
#include "model_flags.h"

namespace narae {

struct LlmFlags {
  ModelFlags everywhere;
  std::string path, kv = "auto", prefix_cache = "on";
  int64_t page_size = 16, kv_pages = 0;
  int32_t step_tokens = 512;
};

struct SamplingFlags {
  SamplingParams params;
  bool greedy = false, ignore_eos = false;
  std::vector<std::string> stops;
};

void add_llm(CLI::App& app, LlmFlags& flags, Console& console);
// Of these the ones that say how keys and values are kept; part of add_llm().
void add_kv(CLI::App& app, LlmFlags& flags);
void add_sampling(CLI::App& app, SamplingFlags& flags);

LoadOptions llm_load_options(const LlmFlags& flags);
ExecutorOptions executor_options(const LlmFlags& flags, int32_t max_batch);
// The model behind a progress bar that is gone when it returns.
LanguageModel load_llm(const LlmFlags& flags, Runtime& runtime);
std::unique_ptr<Executor> make_executor(const LlmFlags& flags, LanguageModel model, Runtime& runtime,
                                        int32_t max_batch);
// What was asked for, for this model: its stop ids, the seed.
SamplingParams sampling_of(const SamplingFlags& flags, const LanguageModel& model, uint64_t seed);

}  // namespace narae
