// SPDX-License-Identifier: Apache-2.0
// Rounds of two halves: all prompts with one token each, for prompts/s and the first token; then whole answers, whose
// tokens count while all of them are being written. No two prompts are alike, so no page is reused.
#include "bench_llm.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <random>

#include "base/clock.h"
#include "base/error.h"
#include "peak_rss.h"
#include "progress_bar.h"
#include "quantiles.h"

namespace narae {
namespace {

constexpr int64_t usual_prompt = 128, usual_new = 128;

struct Sizes {
  int64_t prompt, fresh;
  int32_t count;
};

// A request and when its tokens came (us).
struct Timed {
  RequestPtr request;
  std::vector<Time> at;
  bool ended = false;
};

// Reads on the Worker's thread, once a step: there a time is that of the step, however late this thread wakes.
class Asker {
 public:
  Asker(Executor& executor, uint64_t seed) : executor_(executor), random_(seed) {}

  // `count` random prompts at once, each answered by `fresh` tokens; returns when all are answered.
  std::vector<Timed> ask(const Sizes& sizes) {
    std::vector<Timed> asked(static_cast<size_t>(sizes.count));
    for (Timed& one : asked) one.request = make_request(sizes, one);
    open_ = asked.size();
    begin_ = executor_.now();
    for (Timed& one : asked) {
      if (executor_.enqueue(one.request) != Refusal::none) fail(ErrorCode::failed, "the queue is full");
    }
    {
      std::unique_lock<std::mutex> lock(mutex_);
      bell_.wait(lock, [&] { return open_ == 0; });
    }
    for (const Timed& one : asked) {
      const Ending& ending = one.request->out->ending();
      if (ending.error) throw *ending.error;
      NARAE_CHECK(static_cast<int64_t>(one.at.size()) == sizes.fresh);
    }
    return asked;
  }
  Time begin() const { return begin_; }

 private:
  RequestPtr make_request(const Sizes& sizes, Timed& one) {
    auto request = std::make_shared<Request>();
    auto params = std::make_shared<SamplingParams>();  // no stop ids
    params->temperature = 0;
    params->max_tokens = sizes.fresh;
    request->params = std::move(params);
    std::uniform_int_distribution<int32_t> token(0, static_cast<int32_t>(executor_.model().vocabulary) - 1);
    for (int64_t i = 0; i < sizes.prompt; ++i) request->in.tokens.push_back(token(random_));
    request->out->on_news([this, &one, &out = *request->out] { read(out, one); });
    return request;
  }

  void read(Sink& out, Timed& one) {
    const Time now = executor_.now();
    Piece pieces[64];
    while (const size_t count = out.read(pieces)) {
      for (size_t i = 0; i < count; ++i) {
        if (pieces[i].token >= 0) one.at.push_back(now);
      }
    }
    if (one.ended || !out.finished()) return;
    one.ended = true;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--open_ == 0) bell_.notify_one();
  }

  Executor& executor_;
  std::mt19937_64 random_;
  Time begin_ = 0;
  std::mutex mutex_;
  std::condition_variable bell_;
  size_t open_ = 0;  // requests without an end
};

struct Measured {
  int64_t rounds = 0, prompt_tokens = 0, decode_tokens = 0;
  Time prompt_us = 0, decode_us = 0;
  std::vector<double> step_ms, first_ms;

  void add_prompts(const std::vector<Timed>& asked, Time begin, const Sizes& sizes) {
    Time end = begin;
    for (const Timed& one : asked) {
      end = std::max(end, one.at.front());
      first_ms.push_back(static_cast<double>(one.at.front() - begin) * 1e-3);
    }
    prompt_tokens += sizes.prompt * sizes.count;
    prompt_us += end - begin;
  }

  // From when the last answer has begun until the first is complete.
  void add_answers(const std::vector<Timed>& asked) {
    Time from = 0, until = never;
    for (const Timed& one : asked) {
      from = std::max(from, one.at.front());
      until = std::min(until, one.at.back());
    }
    if (until <= from) return;
    decode_us += until - from;
    for (const Timed& one : asked) {
      for (size_t i = 1; i < one.at.size(); ++i) {
        if (one.at[i] <= from || one.at[i] > until) continue;
        ++decode_tokens;
        if (one.at[i - 1] >= from) step_ms.push_back(static_cast<double>(one.at[i] - one.at[i - 1]) * 1e-3);
      }
    }
  }
};

double rate(int64_t tokens, Time us) {
  return us > 0 ? static_cast<double>(tokens) / (static_cast<double>(us) * 1e-6) : 0;
}

// What was asked for, and room for it: every answer under way has its context.
Sizes sizes_of(const LlmBenchFlags& flags, const LanguageModel& model, LlmFlags& llm) {
  const Sizes sizes{flags.prompt_tokens > 0 ? flags.prompt_tokens : usual_prompt,
                    flags.new_tokens > 0 ? flags.new_tokens : usual_new, flags.concurrency};
  const int64_t needed = sizes.prompt + sizes.fresh;
  const int64_t context = flags.context > 0 ? flags.context : needed;
  if (context < needed) {
    fail(ErrorCode::usage, "--context {} has no room for {} + {} tokens", context, sizes.prompt, sizes.fresh);
  }
  if (context > model.context) {
    fail(ErrorCode::does_not_fit, "{} tokens of a sequence; the model takes {}", context, model.context);
  }
  if (llm.kv_pages == 0) {
    llm.kv_pages = sizes.count * ((context + llm.page_size - 1) / llm.page_size + 1) + 1;
  }
  return sizes;
}

void measure(Asker& asker, const Sizes& sizes, double duration, Measured& measured) {
  ProgressBar bar;
  const double start = now_seconds();
  do {
    bar.report("measuring", static_cast<long>(10 * (now_seconds() - start)), static_cast<long>(10 * duration) + 1);
    const std::vector<Timed> prompts = asker.ask({sizes.prompt, 1, sizes.count});
    measured.add_prompts(prompts, asker.begin(), sizes);
    measured.add_answers(asker.ask(sizes));
    ++measured.rounds;
  } while (now_seconds() - start < duration);
  if (measured.step_ms.empty()) {
    fail(ErrorCode::usage,
         "answers of {} tokens are complete before {} of them are under way; ask for more --new-tokens", sizes.fresh,
         sizes.count);
  }
}

}  // namespace

void add_llm_bench(CLI::App& app, LlmBenchFlags& flags) {
  const char* group = "Language models";
  const auto tokens = [&](const char* name, int64_t& value, const char* text) {
    app.add_option(name, value, text)->check(CLI::Range(int64_t{1}, int64_t{1} << 30))->group(group);
  };
  tokens("--prompt-tokens", flags.prompt_tokens, "random tokens of each prompt (128)");
  tokens("--new-tokens", flags.new_tokens, "tokens of each answer (128)");
  tokens("--context", flags.context, "tokens that there is room for in each sequence; else those of prompt and answer");
  app.add_option("--concurrency", flags.concurrency, "requests at a time")
      ->check(CLI::Range(1, 1024))
      ->group(group)
      ->capture_default_str();
  add_kv(app, flags.llm);
}

void bench_llm(const LlmBenchFlags& flags, Console& console) {
  LlmFlags llm = flags.llm;
  Runtime runtime(runtime_options(llm.everywhere));
  runtime.calibrate();
  const double start = now_seconds();
  LanguageModel model = load_llm(llm, runtime);
  const Sizes sizes = sizes_of(flags, model, llm);
  const double build_seconds = model.forward->build_seconds();
  const int64_t weights = model.forward->weights().bytes();
  const auto executor = make_executor(llm, std::move(model), runtime, sizes.count);
  const double load_ms = (now_seconds() - start) * 1e3;
  Asker asker(*executor, llm.everywhere.seed);
  asker.ask({sizes.prompt, std::min<int64_t>(sizes.fresh, 8), sizes.count});  // plans for these shapes
  Measured measured;
  measure(asker, sizes, flags.duration, measured);
  nlohmann::ordered_json object;
  object["prompt_tokens_per_s"] = rate(measured.prompt_tokens, measured.prompt_us);
  object["decode_tokens_per_s"] = rate(measured.decode_tokens, measured.decode_us);
  object["step_ms"] = quantiles(std::move(measured.step_ms));
  object["ttft_ms"] = quantiles(std::move(measured.first_ms));
  object["kv_bytes"] = executor->kv_bytes();
  object["peak_rss_bytes"] = peak_rss_bytes();
  object["weights_bytes"] = weights;
  object["load_ms"] = load_ms;
  object["build_ms"] = build_seconds * 1e3;
  object["rounds"] = measured.rounds;
  const auto number = [&](const char* key) { return object[key].get<double>(); };
  console.say("prompts {:.1f} tokens/s, answers {:.1f} tokens/s ({} at a time)", number("prompt_tokens_per_s"),
              number("decode_tokens_per_s"), sizes.count);
  console.say("ms: a step p50 {:.3f}  p99 {:.3f}; the first token p50 {:.1f}  p99 {:.1f}",
              object["step_ms"]["p50"].get<double>(), object["step_ms"]["p99"].get<double>(),
              object["ttft_ms"]["p50"].get<double>(), object["ttft_ms"]["p99"].get<double>());
  console.say("loaded in {:.1f} ms (build {:.1f}); weights {:.1f} MB, states {:.1f} MB, peak RSS {:.1f} MB", load_ms,
              build_seconds * 1e3, number("weights_bytes") / 1e6, number("kv_bytes") / 1e6,
              number("peak_rss_bytes") / 1e6);
  console.result(object);
}

}  // namespace narae
