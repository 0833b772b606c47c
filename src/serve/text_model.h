// SPDX-License-Identifier: Apache-2.0
// A Model that continues text: an Executor, and what a front needs to know of the language model behind it.
#pragma once

#include "engine/runtime.h"
#include "llm/answer_reader.h"
#include "llm/executor.h"
#include "llm/sampling_params.h"
#include "serve/model.h"

namespace narae {

// What is counted of answers beside ModelStatistics.
struct TextStatistics {
  Histogram first_token_ms;  // from the arrival in the Queue
  Histogram inter_token_ms;  // the mean of each answer of two tokens and more
  std::atomic<uint64_t> prompt_tokens{0}, cached_tokens{0}, new_tokens{0};
};

struct TextCall {
  std::string id;
  std::vector<int32_t> prompt;
  SamplingParams params;  // the model's own stop ids are added unless they are to be ignored
  bool ignore_eos = false;
  int priority = 0;
  Time timeout = 0;  // us from the push; 0: none
  Salt salt = 0;
};

class TextModel final : public Model {
 public:
  // Takes the first `instances` core sets of the runtime, which must outlive it. Throws Error usage for options that
  // cannot be, does_not_fit when the states do not.
  TextModel(std::string name, std::string version, LanguageModel model, Runtime& runtime, int instances,
            const ExecutorOptions& options);
  ~TextModel() override { stop(); }
  const char* kind() const override { return "text"; }
  TextModel* text() override { return this; }
  size_t pending() const override { return executor_.queued(); }
  uint64_t executions() const override { return static_cast<uint64_t>(executor_.stats().steps); }
  void close() override { executor_.drain(); }
  void stop() override { executor_.stop(); }

  const LanguageModel& model() const { return executor_.model(); }
  int64_t context() const { return executor_.context(); }
  ExecutorStats stats() const { return executor_.stats(); }
  size_t max_queue() const { return max_queue_; }
  int64_t kv_bytes() const { return executor_.kv_bytes(); }

  // Throws Error: usage naming the parameter, does_not_fit for a prompt beyond the context.
  RequestPtr make_request(TextCall call) const;
  // `on_news` is called by the Worker, once a step: it must not block.
  Refusal submit(const RequestPtr& request, std::function<void()> on_news);
  void cancel(const RequestPtr& request) { executor_.cancel(request); }
  void stop_branch(const RequestPtr& request, int32_t branch) { executor_.stop_branch(request, branch); }
  // Counts an ended request; reading it took `parse_ns`.
  void account(const Request& request, int64_t parse_ns);
  const TextStatistics& text_statistics() const { return text_statistics_; }

 private:
  Executor executor_;
  size_t max_queue_;
  TextStatistics text_statistics_;
};

}  // namespace narae
