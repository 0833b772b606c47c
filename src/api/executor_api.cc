// SPDX-License-Identifier: Apache-2.0
// Executors: created, asked about; text to tokens and back.
#include <nlohmann/json.hpp>

#include "api/boundary.h"
#include "api/callback_progress.h"
#include "api/executor_state.h"
#include "api/handles.h"
#include "api/prompts.h"
#include "base/clock.h"
#include "llm/prompt.h"
#include "load/load_language_model.h"

namespace narae::api {

std::vector<int32_t> chat_tokens(const LanguageModel& model, const char* messages) {
  nlohmann::ordered_json parsed;
  try {
    parsed = nlohmann::ordered_json::parse(messages);
  } catch (const nlohmann::ordered_json::exception& error) {
    fail(ErrorCode::usage, "messages are not JSON: {}", error.what());
  }
  return chat_prompt(model, parsed);
}

namespace {

LoadOptions load_options(const narae_executor_options& c, Progress& progress) {
  if (c.opt_level < 0 || c.opt_level > 5) fail(ErrorCode::usage, "there is no opt_level {}: 0 to 5", c.opt_level);
  if (c.page_size < 1 || c.page_size > 1024) {
    fail(ErrorCode::usage, "page_size is {}; it must be between 1 and 1024", c.page_size);
  }
  if (c.kv != NARAE_F32 && c.kv != NARAE_F16 && c.kv != NARAE_BF16) {
    fail(ErrorCode::usage, "kv is dtype {}; it must be NARAE_F32, NARAE_F16 or NARAE_BF16", static_cast<int>(c.kv));
  }
  LoadOptions options;
  options.compile.opt_level = c.opt_level;
  options.compile.passes.selection = PassSelection::parse(c.passes ? c.passes : "all");
  options.compile.progress = &progress;
  options.model.kv = from_c(c.kv);
  options.model.page_size = c.page_size;
  return options;
}

ExecutorOptions executor_options(const narae_executor_options& c) {
  if (c.kv_pages < 0) fail(ErrorCode::usage, "kv_pages is {}; give 0 for the usual number, or more", c.kv_pages);
  if (c.max_queue < 1) fail(ErrorCode::usage, "max_queue is {}; it must be at least 1", c.max_queue);
  if (c.max_batch < 1 || c.max_batch > 4096) {
    fail(ErrorCode::usage, "max_batch is {}; it must be between 1 and 4096", c.max_batch);
  }
  if (c.step_tokens <= c.max_batch || c.step_tokens > 65536) {
    fail(ErrorCode::usage, "step_tokens is {}; it must be above max_batch = {} and at most 65536", c.step_tokens,
         c.max_batch);
  }
  ExecutorOptions options;
  options.max_batch = c.max_batch;
  options.step_tokens = c.step_tokens;
  options.kv_pages = c.kv_pages;
  options.prefix_cache = c.prefix_cache != 0;
  options.queue.max_requests = static_cast<size_t>(c.max_queue);
  return options;
}

std::shared_ptr<ExecutorState> make_executor(const std::shared_ptr<Runtime>& runtime, const char* path,
                                             const narae_executor_options& c, Progress& progress) {
  if (c.core_set < 0 || c.core_set >= runtime->core_sets()) {
    fail(ErrorCode::usage, "there is no core set {}: the runtime has {}", c.core_set, runtime->core_sets());
  }
  const ExecutorOptions options = executor_options(c);
  const double start = now_seconds();
  LanguageModel model = load_language_model(path, *runtime, load_options(c, progress));
  return std::make_shared<ExecutorState>(runtime, std::move(model), c.core_set, options, (now_seconds() - start) * 1e3);
}

void give_ids(const std::vector<int32_t>& from, int32_t* ids, size_t capacity, size_t* count) {
  if (capacity > 0) wanted(ids, "ids");
  wanted(count, "count") = from.size();
  std::copy_n(from.begin(), std::min(capacity, from.size()), ids);
}

}  // namespace
}  // namespace narae::api

using namespace narae::api;  // NOLINT: the C functions below are its only purpose

extern "C" {

narae_status narae_executor_create(narae_runtime* runtime, const char* path, const narae_executor_options* options,
                                   narae_executor** executor, narae_error** error) {
  return guarded(error, [&] {
    wanted(executor, "executor");
    const narae_executor_options defaults = NARAE_EXECUTOR_OPTIONS_INIT;
    const narae_executor_options given = known_fields(options, defaults);
    CallbackProgress progress(given.progress, given.progress_user);
    try {
      auto state = make_executor(wanted(runtime, "runtime").runtime, &wanted(path, "path"), given, progress);
      *executor = new narae_executor{std::move(state)};
    } catch (const narae::Error& what) {
      if (progress.cancelled()) throw Cancelled{what};
      throw;
    }
  });
}

void narae_executor_free(narae_executor* executor) {
  if (executor) executor->state->close();
  delete executor;
}

narae_status narae_executor_get_info(const narae_executor* executor, narae_executor_info* info, narae_error** error) {
  return guarded(error, [&] { give(info, wanted(executor, "executor").state->info()); });
}

narae_status narae_executor_get_stats(const narae_executor* executor, narae_executor_stats* stats,
                                      narae_error** error) {
  return guarded(error, [&] { give(stats, wanted(executor, "executor").state->stats()); });
}

narae_status narae_executor_tokenize(const narae_executor* executor, const char* text, int32_t* ids, size_t capacity,
                                     size_t* count, narae_error** error) {
  return guarded(error, [&] {
    const narae::LanguageModel& model = wanted(executor, "executor").state->model();
    give_ids(narae::text_prompt(model, &wanted(text, "text")), ids, capacity, count);
  });
}

narae_status narae_executor_tokenize_chat(const narae_executor* executor, const char* messages, int32_t* ids,
                                          size_t capacity, size_t* count, narae_error** error) {
  return guarded(error, [&] {
    const narae::LanguageModel& model = wanted(executor, "executor").state->model();
    give_ids(chat_tokens(model, &wanted(messages, "messages")), ids, capacity, count);
  });
}

narae_status narae_executor_detokenize(const narae_executor* executor, const int32_t* ids, size_t count, char* text,
                                       size_t capacity, size_t* bytes, narae_error** error) {
  return guarded(error, [&] {
    const narae::LanguageModel& model = wanted(executor, "executor").state->model();
    if (count > 0) wanted(ids, "ids");
    if (capacity > 0) wanted(text, "text");
    const std::string decoded = model.tokenizer->decode({ids, count});
    wanted(bytes, "bytes") = decoded.size();
    std::copy_n(decoded.begin(), std::min(capacity, decoded.size()), text);
  });
}

}  // extern "C"
