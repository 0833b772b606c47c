// SPDX-License-Identifier: Apache-2.0
// C++20 over the executors and requests of the C ABI (narae.h says what each call means): a language model that answers
// many requests at once. Header-only. The one thing not to get wrong: a Piece is a view, gone when the next one comes.
#pragma once

#include <optional>

#include "narae/narae.hpp"

namespace narae {
inline namespace v1 {

struct ExecutorOptions {
  std::string passes = "all";
  int opt_level = 2;
  Progress progress = {};
  std::int64_t kv_pages = 0;  // 0 = for 8192 tokens, or one context where that is less
  std::int64_t max_queue = 1024;
  int max_batch = 8;
  int step_tokens = 512;
  int page_size = 16;
  narae_dtype kv = NARAE_F32;
  bool prefix_cache = true;
  int core_set = 0;
};

struct Sampling {
  std::int64_t max_tokens = 128, min_tokens = 0;
  std::uint64_t seed = 0;
  float temperature = 1;  // 0: always the most likely token
  float top_p = 1, min_p = 0, repetition_penalty = 1, presence_penalty = 0, frequency_penalty = 0;
  int top_k = 0;
  int n = 1;
  int top_logprobs = 0;  // that many likeliest tokens are told for each place, 0 to 20
  bool ignore_eos = false;
  std::vector<std::string> stops = {};
  std::vector<std::int32_t> stop_ids = {};
  std::vector<narae_logit_bias> logit_bias = {};
};

// What is asked: make one by Prompt::text("..") and the like.
struct Prompt {
  static Prompt tokens(std::vector<std::int32_t> ids) { return {std::move(ids), std::nullopt, std::nullopt}; }
  static Prompt text(std::string text) { return {{}, std::move(text), std::nullopt}; }
  // A JSON list of {"role", "content"}.
  static Prompt messages(std::string json) { return {{}, std::nullopt, std::move(json)}; }

  std::vector<std::int32_t> ids;
  std::optional<std::string> plain, chat;
};

// A token of an answer, the end of a branch, or both.
struct Piece {
  explicit Piece(const narae_piece& c)
      : text(c.text, c.text_bytes),
        branch(c.branch),
        token(c.token),
        logprob(c.logprob),
        finish(c.finish),
        top(c.top),
        top_count(c.top_count) {}
  std::string_view text;
  int branch;
  std::int32_t token;  // -1: none
  float logprob;
  narae_finish finish;             // NARAE_FINISH_NONE: the branch goes on
  const narae_token_logprob* top;  // [top_count], likeliest first
  std::size_t top_count;
};

// Returns false to cancel. What it throws cancels, too, and comes out of Request::wait().
using OnPiece = std::function<bool(const Piece&)>;

class Request {
 public:
  // The next piece, or nothing when all branches have ended; only without a callback.
  std::optional<Piece> next() {
    narae_piece c = NARAE_PIECE_INIT;
    std::int32_t got = 0;
    check([&](narae_error** error) { return narae_request_next(get(), &c, &got, error); });
    if (!got) return std::nullopt;
    return Piece(c);
  }
  // Throws what the request failed with.
  void wait() {
    narae_error* error = nullptr;
    const narae_status status = narae_request_wait(get(), &error);
    if (call_ && call_->thrown) {
      narae_error_free(error);
      std::rethrow_exception(call_->thrown);
    }
    if (status != NARAE_OK) throw Error(status, error);
  }
  void cancel() { narae_request_cancel(get()); }

  // Once it has ended.
  std::string text(int branch = 0) const {
    const narae_answer c = answer(branch);
    return {c.text, c.text_bytes};
  }
  std::vector<std::int32_t> tokens(int branch = 0) const {
    const narae_answer c = answer(branch);
    return {c.tokens, c.tokens + c.token_count};
  }
  narae_finish finish(int branch = 0) const { return answer(branch).finish; }
  narae_request_stats stats() const {
    narae_request_stats stats = NARAE_REQUEST_STATS_INIT;
    check([&](narae_error** error) { return narae_request_get_stats(get(), &stats, error); });
    return stats;
  }
  narae_request* get() const { return handle_.get(); }

 private:
  friend class Executor;
  struct Call {
    OnPiece on_piece;
    std::exception_ptr thrown;
    static int call(void* user, const narae_piece* piece) noexcept {
      auto* self = static_cast<Call*>(user);
      if (self->thrown) return 1;
      try {
        return self->on_piece(Piece(*piece)) ? 0 : 1;
      } catch (...) {
        self->thrown = std::current_exception();
        return 1;
      }
    }
  };
  Request() = default;
  narae_answer answer(int branch) const {
    narae_answer c = NARAE_ANSWER_INIT;
    check([&](narae_error** error) { return narae_request_answer(get(), branch, &c, error); });
    return c;
  }

  std::unique_ptr<Call> call_;  // outlives the handle, whose freeing ends the callbacks
  std::unique_ptr<narae_request, detail::Deleter<narae_request_free>> handle_;
};

// A language model that serves requests; any number of threads may use it.
class Executor {
 public:
  Executor(Runtime& runtime, const std::string& path, const ExecutorOptions& options = {}) {
    detail::ProgressCall progress{options.progress, nullptr};
    narae_executor_options c = NARAE_EXECUTOR_OPTIONS_INIT;
    c.passes = detail::text_or_null(options.passes);
    c.opt_level = options.opt_level;
    if (options.progress) {
      c.progress = detail::ProgressCall::call;
      c.progress_user = &progress;
    }
    c.kv_pages = options.kv_pages;
    c.max_queue = options.max_queue;
    c.max_batch = options.max_batch;
    c.step_tokens = options.step_tokens;
    c.page_size = options.page_size;
    c.kv = options.kv;
    c.prefix_cache = options.prefix_cache;
    c.core_set = options.core_set;
    narae_executor* handle = nullptr;
    narae_error* error = nullptr;
    const narae_status status = narae_executor_create(runtime.get(), path.c_str(), &c, &handle, &error);
    handle_.reset(handle);
    if (progress.thrown) {
      narae_error_free(error);
      std::rethrow_exception(progress.thrown);
    }
    if (status != NARAE_OK) throw Error(status, error);
  }

  // Without `on_piece` the answer is fetched by Request::next() or wait().
  Request enqueue(const Prompt& prompt, const Sampling& sampling = {}, OnPiece on_piece = {}) {
    narae_sampling s = NARAE_SAMPLING_INIT;
    const std::vector<const char*> stops = fill(s, sampling);
    s.stops = stops.data();
    narae_request_options c = NARAE_REQUEST_OPTIONS_INIT;
    c.sampling = &s;
    c.text = prompt.plain ? prompt.plain->c_str() : nullptr;
    c.messages = prompt.chat ? prompt.chat->c_str() : nullptr;
    static constexpr std::int32_t none = 0;
    if (!c.text && !c.messages) c.tokens = prompt.ids.empty() ? &none : prompt.ids.data();
    c.token_count = prompt.ids.size();
    Request request;
    if (on_piece) {
      request.call_ = std::make_unique<Request::Call>(Request::Call{std::move(on_piece), nullptr});
      c.on_piece = Request::Call::call;
      c.user = request.call_.get();
    }
    narae_request* handle = nullptr;
    check([&](narae_error** error) { return narae_executor_enqueue(get(), &c, &handle, error); });
    request.handle_.reset(handle);
    return request;
  }

  std::vector<std::int32_t> tokenize(const std::string& text) const { return ids(text, narae_executor_tokenize); }
  // `messages`: a JSON list of {"role", "content"}.
  std::vector<std::int32_t> tokenize_chat(const std::string& messages) const {
    return ids(messages, narae_executor_tokenize_chat);
  }
  std::string detokenize(std::span<const std::int32_t> ids) const {
    std::string text(8 * ids.size() + 8, '\0');
    for (;;) {
      std::size_t bytes = 0;
      check([&](narae_error** error) {
        return narae_executor_detokenize(get(), ids.data(), ids.size(), text.data(), text.size(), &bytes, error);
      });
      const bool whole = bytes <= text.size();
      text.resize(bytes);
      if (whole) return text;
    }
  }
  narae_executor_info info() const {
    narae_executor_info info = NARAE_EXECUTOR_INFO_INIT;
    check([&](narae_error** error) { return narae_executor_get_info(get(), &info, error); });
    return info;
  }
  narae_executor_stats stats() const {
    narae_executor_stats stats = NARAE_EXECUTOR_STATS_INIT;
    check([&](narae_error** error) { return narae_executor_get_stats(get(), &stats, error); });
    return stats;
  }
  narae_executor* get() const { return handle_.get(); }

 private:
  static std::vector<const char*> fill(narae_sampling& c, const Sampling& sampling) {
    c.max_tokens = sampling.max_tokens;
    c.min_tokens = sampling.min_tokens;
    c.seed = sampling.seed;
    c.temperature = sampling.temperature;
    c.top_p = sampling.top_p;
    c.min_p = sampling.min_p;
    c.repetition_penalty = sampling.repetition_penalty;
    c.presence_penalty = sampling.presence_penalty;
    c.frequency_penalty = sampling.frequency_penalty;
    c.top_k = sampling.top_k;
    c.n = sampling.n;
    c.top_logprobs = sampling.top_logprobs;
    c.ignore_eos = sampling.ignore_eos;
    c.stop_ids = sampling.stop_ids.data();
    c.stop_id_count = sampling.stop_ids.size();
    c.logit_bias = sampling.logit_bias.data();
    c.logit_bias_count = sampling.logit_bias.size();
    c.stop_count = sampling.stops.size();
    std::vector<const char*> stops;
    for (const std::string& stop : sampling.stops) stops.push_back(stop.c_str());
    return stops;
  }

  template <typename Call>
  std::vector<std::int32_t> ids(const std::string& text, Call call) const {
    std::vector<std::int32_t> found(text.size() + 8);
    for (;;) {
      std::size_t count = 0;
      check([&](narae_error** error) { return call(get(), text.c_str(), found.data(), found.size(), &count, error); });
      const bool whole = count <= found.size();
      found.resize(count);
      if (whole) return found;
    }
  }

  std::unique_ptr<narae_executor, detail::Deleter<narae_executor_free>> handle_;
};

}  // namespace v1
}  // namespace narae
