// SPDX-License-Identifier: Apache-2.0
// One language model answers the same requests four ways, in turns: in static batches, each of which ends with its
// longest answer, prompts padded to its longest prompt or each as long as it is; joined in flight, as many sequences as
// a batch has; and in flight, as many as the pages hold. stdin: a line per request, `prompt-tokens answer-tokens`. A
// JSON line per round and way.
//   trace_batching MODEL KV_TOKENS BATCH ROUNDS THREADS
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <narae/executor.hpp>
#include <random>

namespace {

constexpr int page = 16;

struct Ask {
  std::int64_t prompt, fresh;
};

// Every prompt as long as the longest of its batch.
std::vector<Ask> padded(std::vector<Ask> asks, std::size_t batch) {
  for (std::size_t first = 0; first < asks.size(); first += batch) {
    const auto begin = asks.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(batch, asks.size() - first));
    std::int64_t longest = 0;
    for (auto ask = begin; ask != end; ++ask) longest = std::max(longest, ask->prompt);
    for (auto ask = begin; ask != end; ++ask) ask->prompt = longest;
  }
  return asks;
}

struct Result {
  double seconds = 0;
  std::int64_t steps = 0, preemptions = 0;
};

std::vector<Ask> read_asks() {
  std::vector<Ask> asks;
  long long prompt = 0, fresh = 0;
  while (std::scanf("%lld %lld", &prompt, &fresh) == 2) asks.push_back({prompt, fresh});
  return asks;
}

class Trial {
 public:
  Trial(narae::Runtime& runtime, const std::string& model, std::int64_t kv_tokens, int batch)
      : executor_(runtime, model,
                  {.kv_pages = kv_tokens / page + 1,
                   .max_queue = 1 << 20,
                   .max_batch = batch,
                   .page_size = page,
                   .prefix_cache = false}) {}

  // At most `at_a_time` requests are known to the executor; 0: all of them at once.
  Result run(const std::vector<Ask>& asks, std::size_t at_a_time) {
    const narae_executor_stats before = executor_.stats();
    const auto begin = std::chrono::steady_clock::now();
    const std::size_t group = at_a_time ? at_a_time : asks.size();
    for (std::size_t first = 0; first < asks.size(); first += group) {
      std::vector<narae::Request> running;
      for (std::size_t i = first; i < std::min(asks.size(), first + group); ++i) running.push_back(enqueue(asks[i], i));
      for (narae::Request& request : running) request.wait();
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const narae_executor_stats after = executor_.stats();
    return {took.count(), after.steps - before.steps, after.preemptions - before.preemptions};
  }

 private:
  narae::Request enqueue(const Ask& ask, std::size_t seed) {
    std::mt19937_64 random(seed);
    std::uniform_int_distribution<std::int32_t> token(3, static_cast<std::int32_t>(executor_.info().vocabulary) - 1);
    std::vector<std::int32_t> ids(static_cast<std::size_t>(ask.prompt));
    for (std::int32_t& id : ids) id = token(random);
    narae::Sampling sampling;
    sampling.temperature = 0;
    sampling.ignore_eos = true;
    sampling.max_tokens = ask.fresh;
    return executor_.enqueue(narae::Prompt::tokens(std::move(ids)), sampling);
  }

  narae::Executor executor_;
};

void print(int round, const char* way, const Result& result, std::int64_t fresh) {
  std::printf(R"({"round":%d,"way":"%s","seconds":%.3f,"answer_tokens_per_s":%.1f,"steps":%lld,"preemptions":%lld})"
              "\n",
              round, way, result.seconds, static_cast<double>(fresh) / result.seconds,
              static_cast<long long>(result.steps), static_cast<long long>(result.preemptions));
  std::fflush(stdout);
}

void measure(const std::string& model, std::int64_t kv_tokens, int batch, int rounds, int threads) {
  const std::vector<Ask> asks = read_asks();
  std::int64_t fresh = 0;
  for (const Ask& ask : asks) fresh += ask.fresh;
  narae::Runtime runtime({.threads = threads});
  Trial few(runtime, model, kv_tokens, batch), many(runtime, model, kv_tokens, 64);
  few.run({asks.begin(), asks.begin() + 4}, 2);  // plans
  many.run({asks.begin(), asks.begin() + 4}, 0);
  for (int round = 0; round < rounds; ++round) {
    const auto group = static_cast<std::size_t>(batch);
    print(round, "static, padded", few.run(padded(asks, group), group), fresh);
    print(round, "static", few.run(asks, group), fresh);
    print(round, "in flight, same sequences", few.run(asks, 0), fresh);
    print(round, "in flight, same pages", many.run(asks, 0), fresh);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: %s MODEL KV_TOKENS BATCH ROUNDS THREADS < lengths\n", argv[0]);
    return 2;
  }
  try {
    measure(argv[1], std::atoll(argv[2]), std::atoi(argv[3]), std::atoi(argv[4]), std::atoi(argv[5]));
    return 0;
  } catch (const narae::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.status();
  }
}
