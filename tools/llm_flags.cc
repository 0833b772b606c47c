// SPDX-License-Identifier: Apache-2.0
#include "llm_flags.h"

#include "base/error.h"

namespace narae {

void add_llm(CLI::App& app, LlmFlags& flags, Console& console) {
  app.add_option("MODEL", flags.path, "a .gguf file, a Hugging Face folder or an engine file made of one")->required();
  add_model_flags(app, flags.everywhere, console);
  add_kv(app, flags);
}

void add_kv(CLI::App& app, LlmFlags& flags) {
  const char* group = "Keys and values";
  app.add_option("--kv", flags.kv, "type that keys and values are kept in; auto: that of --precision, else f32")
      ->check(CLI::IsMember({"auto", "f32", "f16", "bf16"}))
      ->group(group)
      ->capture_default_str();
  app.add_option("--page-size", flags.page_size, "tokens of a page")
      ->check(CLI::Range(int64_t{1}, int64_t{1024}))
      ->group(group)
      ->capture_default_str();
  app.add_option("--kv-pages", flags.kv_pages, "pages in all; 0: for 8192 tokens, or one context where that is less")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 30))
      ->group(group)
      ->capture_default_str();
  app.add_option("--step-tokens", flags.step_tokens, "tokens that go through the model at a time at most")
      ->check(CLI::Range(2, 65536))
      ->group(group)
      ->capture_default_str();
  app.add_option("--prefix-cache", flags.prefix_cache, "whether prompts use pages of earlier ones that begin alike")
      ->check(CLI::IsMember({"on", "off"}))
      ->group(group)
      ->capture_default_str();
}

void add_sampling(CLI::App& app, SamplingFlags& flags) {
  const char* group = "Choosing tokens";
  SamplingParams& p = flags.params;
  const auto number = [&](const char* name, float& value, double low, double high, const char* text) {
    return app.add_option(name, value, text)->check(number_between(low, high))->group(group)->capture_default_str();
  };
  CLI::Option* greedy = app.add_flag("--greedy", flags.greedy, "always the most likely token")->group(group);
  number("--temperature", p.temperature, 0, 1e3, "0: the most likely token")->excludes(greedy);
  app.add_option("--top-k", p.top_k, "only the k most likely; 0: all")
      ->check(CLI::Range(0, INT32_MAX))
      ->group(group)
      ->capture_default_str();
  number("--top-p", p.top_p, 1e-6, 1, "only the most likely whose probabilities sum up to this");
  number("--min-p", p.min_p, 0, 1, "only those of at least this share of the highest probability");
  number("--repetition-penalty", p.repetition_penalty, 1e-3, 1e3, "above 1: tokens that were there become less likely");
  number("--presence-penalty", p.presence_penalty, -100, 100, "taken once from tokens of the answer");
  number("--frequency-penalty", p.frequency_penalty, -100, 100, "taken from them as often as they are there");
  app.add_option("--stop", flags.stops, "a text that ends the answer; may be given again")->take_all()->group(group);
  app.add_flag("--ignore-eos", flags.ignore_eos, "go on behind the model's own end")->group(group);
  app.add_option("--max-tokens", p.max_tokens, "tokens of the answer at most")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
      ->group(group)
      ->capture_default_str();
}

LoadOptions llm_load_options(const LlmFlags& flags) {
  LoadOptions options = load_options(flags.everywhere);
  const std::string& precision = flags.everywhere.precision;
  const bool narrow = precision == "fp16" || precision == "bf16";
  options.model.kv = flags.kv != "auto"    ? dtype_from_name(flags.kv)
                     : !narrow             ? DType::f32
                     : precision == "fp16" ? DType::f16
                                           : DType::bf16;
  options.model.page_size = flags.page_size;
  return options;
}

ExecutorOptions executor_options(const LlmFlags& flags, int32_t max_batch) {
  ExecutorOptions options;
  options.max_batch = max_batch;
  options.step_tokens = std::max(flags.step_tokens, max_batch + 1);
  options.kv_pages = flags.kv_pages;
  options.prefix_cache = flags.prefix_cache == "on";
  return options;
}

LanguageModel load_llm(const LlmFlags& flags, Runtime& runtime) {
  note_activations(flags.everywhere, runtime);
  return watched(llm_load_options(flags),
                 [&](const LoadOptions& seen) { return load_language_model(flags.path, runtime, seen); });
}

std::unique_ptr<Executor> make_executor(const LlmFlags& flags, LanguageModel model, Runtime& runtime,
                                        int32_t max_batch) {
  return std::make_unique<Executor>(std::move(model), std::vector{runtime.device()}, &runtime.budget(),
                                    executor_options(flags, max_batch));
}

SamplingParams sampling_of(const SamplingFlags& flags, const LanguageModel& model, uint64_t seed) {
  SamplingParams params = flags.params;
  if (flags.greedy) params.temperature = 0;
  if (!flags.ignore_eos) params.stop_ids = model.stop_ids;
  params.seed = seed;
  return params;
}

}  // namespace narae
