// SPDX-License-Identifier: Apache-2.0
// narae perplexity: how well a language model foretells a text.
#include <cmath>

#include "base/error.h"
#include "llm/score.h"
#include "llm_flags.h"
#include "progress_bar.h"
#include "text_file.h"

namespace narae {
namespace {

struct PerplexityFlags {
  LlmFlags llm;
  std::string text, bos = "none";
  int64_t window = 512, stride = 0, max_windows = 0;
};

struct Sum {
  double nll = 0;
  int64_t predictions = 0;
};

double log_sum_exp(std::span<const float> logits) {
  const double high = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - high);
  return high + std::log(sum);
}

// Windows of W tokens, the next one S further on; what an earlier window has predicted is not counted again.
void perplexity(const PerplexityFlags& flags, Console& console) {
  require_text(flags.text, "--text");
  Runtime runtime(runtime_options(flags.llm.everywhere));
  const LanguageModel model = load_llm(flags.llm, runtime);
  std::vector<int32_t> ids = model.tokenizer->encode(TextFile(flags.text).text());
  if (flags.bos == "once") {
    if (model.tokenizer->begin() < 0) fail(ErrorCode::usage, "--bos once: the tokenizer has no token to begin with");
    ids.insert(ids.begin(), model.tokenizer->begin());
  }
  const int64_t stride = flags.stride ? flags.stride : flags.window;
  if (stride > flags.window)
    fail(ErrorCode::usage, "--stride {} leaves out tokens: --window is {}", stride, flags.window);
  const auto count = static_cast<int64_t>(ids.size());
  if (count < 2) fail(ErrorCode::usage, "\"{}\" has {} tokens; at least 2 are needed", flags.text, count);
  int64_t windows = count <= flags.window ? 1 : 1 + (count - flags.window) / stride;
  if (flags.max_windows) windows = std::min(windows, flags.max_windows);
  Sum sum;
  ProgressBar bar;
  int64_t done = 0;  // tokens below are predicted
  for (int64_t w = 0; w < windows; ++w) {
    bar.report("windows", static_cast<long>(w), static_cast<long>(windows));
    const int64_t begin = w * stride, end = std::min(count, begin + flags.window);
    const std::span<const int32_t> part(ids.data() + begin, static_cast<size_t>(end - begin));
    score(model, runtime.device(), &runtime.budget(), part, flags.llm.step_tokens,
          [&](int64_t position, std::span<const float> logits) {
            const int64_t next = begin + position + 1;
            if (next >= end || next < done) return;
            sum.nll += log_sum_exp(logits) - logits[static_cast<size_t>(ids[static_cast<size_t>(next)])];
            ++sum.predictions;
          });
    done = end;
  }
  bar.report("windows", static_cast<long>(windows), static_cast<long>(windows));
  const double nll = sum.nll / static_cast<double>(sum.predictions);
  console.say("perplexity {:.4f} over {} predictions", std::exp(nll), sum.predictions);
  console.result({{"nll", nll},
                  {"perplexity", std::exp(nll)},
                  {"predictions", sum.predictions},
                  {"tokens", count},
                  {"window", flags.window},
                  {"stride", stride}});
}

}  // namespace

void add_perplexity(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("perplexity", "how well a language model foretells a text");
  auto flags = std::make_shared<PerplexityFlags>();
  add_llm(*command, flags->llm, console);
  command->add_option("--text", flags->text, "file with the text, in UTF-8")->required();
  command->add_option("--window", flags->window, "tokens that the model sees at a time")
      ->check(CLI::Range(int64_t{2}, int64_t{1} << 30))
      ->capture_default_str();
  command->add_option("--stride", flags->stride, "how far the next window lies; 0: a whole window")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 30))
      ->capture_default_str();
  command->add_option("--bos", flags->bos, "the token to begin with: before the text or not at all")
      ->check(CLI::IsMember({"once", "none"}))
      ->capture_default_str();
  command->add_option("--max-windows", flags->max_windows, "windows at most; 0: all")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40))
      ->capture_default_str();
  command->footer("Example:\n  narae perplexity smollm2.gguf --text wiki.test.raw --max-windows 1");
  command->callback([flags, &console] { perplexity(*flags, console); });
}

}  // namespace narae
