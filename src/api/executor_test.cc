// SPDX-License-Identifier: Apache-2.0
// Executors through the C ABI: answers fetched and told, together and alone; cancels, lifetimes in any order; what is
// refused and how it is named.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "narae/narae.h"

namespace {

const std::string folder = NARAE_SOURCE "/tests/data/models/tiny-llama-draft";

// What a callback has heard.
struct Heard {
  std::map<int, std::string> texts;
  std::map<int, std::vector<int32_t>> tokens, tops;  // tops: the likeliest
  std::map<int, narae_finish> ends;
  std::string error;
  int stop_after = 1 << 30, calls = 0;
  static int call(void* user, const narae_piece* piece) {
    Heard& self = *static_cast<Heard*>(user);
    EXPECT_EQ(self.ends.count(piece->branch), 0u) << "a piece behind the end";
    EXPECT_EQ(std::strlen(piece->text), piece->text_bytes);
    self.texts[piece->branch] += piece->text;
    if (piece->token >= 0) self.tokens[piece->branch].push_back(piece->token);
    if (piece->top_count > 0) EXPECT_GE(piece->token, 0);
    if (piece->top_count > 0) self.tops[piece->branch].push_back(piece->top[0].token);
    if (piece->finish != NARAE_FINISH_NONE) self.ends[piece->branch] = piece->finish;
    if (piece->error) self.error = narae_error_text(piece->error);
    return ++self.calls >= self.stop_after;
  }
};

struct CExecutorTest : testing::Test {
  CExecutorTest() {
    const auto golden = nlohmann::json::parse(std::ifstream(folder + "/golden.json"));
    for (const auto& one : golden["cases"]) {
      prompts.push_back(one["prompt_ids"]);
      wanted.push_back(one["greedy_ids"]);
      wanted.back().resize(std::min<size_t>(wanted.back().size(), 24));
    }
    EXPECT_EQ(narae_runtime_create(nullptr, &runtime, nullptr), NARAE_OK);
    narae_executor_options options = NARAE_EXECUTOR_OPTIONS_INIT;
    options.max_batch = 4;
    options.page_size = 4;
    EXPECT_EQ(narae_executor_create(runtime, folder.c_str(), &options, &executor, &error), NARAE_OK)
        << narae_error_text(error);
    sampling.temperature = 0;
    sampling.max_tokens = 24;
    sampling.ignore_eos = 1;
    asked.sampling = &sampling;
  }
  ~CExecutorTest() override {
    narae_executor_free(executor);
    narae_runtime_free(runtime);
  }
  void ask(size_t prompt) {
    asked.tokens = prompts[prompt].data();
    asked.token_count = prompts[prompt].size();
  }
  narae_request* enqueue() {
    narae_request* request = nullptr;
    EXPECT_EQ(narae_executor_enqueue(executor, &asked, &request, &error), NARAE_OK) << narae_error_text(error);
    return request;
  }
  std::vector<int32_t> tokens_of(const narae_request* request, int branch = 0) {
    narae_answer answer = NARAE_ANSWER_INIT;
    EXPECT_EQ(narae_request_answer(request, branch, &answer, nullptr), NARAE_OK);
    for (size_t i = 0; i < answer.token_count; ++i) EXPECT_LE(answer.logprobs[i], 1e-6f);
    finish = answer.finish;
    text.assign(answer.text, answer.text_bytes);
    return {answer.tokens, answer.tokens + answer.token_count};
  }
  void refused(narae_status got, narae_status status, const char* part) {
    EXPECT_EQ(got, status) << part;
    ASSERT_NE(error, nullptr) << part;
    EXPECT_NE(std::string(narae_error_text(error)).find(part), std::string::npos) << narae_error_text(error);
    narae_error_free(error);
    error = nullptr;
  }
  void refuses(narae_status status, const char* part) {
    narae_request* request = nullptr;
    refused(narae_executor_enqueue(executor, &asked, &request, &error), status, part);
    EXPECT_EQ(request, nullptr);
  }
  std::vector<std::vector<int32_t>> prompts, wanted;
  narae_runtime* runtime = nullptr;
  narae_executor* executor = nullptr;
  narae_error* error = nullptr;
  narae_sampling sampling = NARAE_SAMPLING_INIT;
  narae_request_options asked = NARAE_REQUEST_OPTIONS_INIT;
  narae_finish finish = NARAE_FINISH_NONE;
  std::string text;
};

TEST_F(CExecutorTest, AnswersAreFetchedPieceByPiece) {
  ask(0);
  narae_request* request = enqueue();
  narae_answer early = NARAE_ANSWER_INIT;
  std::string whole;
  std::vector<int32_t> tokens;
  narae_piece piece = NARAE_PIECE_INIT;
  for (int32_t got = 1;;) {
    ASSERT_EQ(narae_request_next(request, &piece, &got, nullptr), NARAE_OK);
    if (!got) break;
    refused(narae_request_answer(request, 0, &early, &error), NARAE_USAGE, "not ended");
    EXPECT_EQ(piece.branch, 0);
    whole += piece.text;
    if (piece.token >= 0) tokens.push_back(piece.token);
    EXPECT_EQ(piece.finish, tokens.size() < 24 ? NARAE_FINISH_NONE : NARAE_FINISH_LENGTH);
  }
  EXPECT_EQ(tokens, wanted[0]);
  EXPECT_EQ(narae_request_wait(request, nullptr), NARAE_OK);
  EXPECT_EQ(tokens_of(request), wanted[0]);
  EXPECT_EQ(text, whole);
  narae_request_stats stats = NARAE_REQUEST_STATS_INIT;
  ASSERT_EQ(narae_request_get_stats(request, &stats, nullptr), NARAE_OK);
  EXPECT_EQ(stats.prompt_tokens, static_cast<int64_t>(prompts[0].size()));
  EXPECT_EQ(stats.new_tokens, 24);
  EXPECT_GT(stats.first_token_ms, 0);
  EXPECT_LE(stats.first_token_ms, stats.total_ms);
  refused(narae_request_answer(request, 1, &early, &error), NARAE_USAGE, "branch 1");
  narae_request_free(request);
}

TEST_F(CExecutorTest, ManyAtOnceAreTheSame) {
  std::vector<Heard> heard(3 * prompts.size());
  std::vector<narae_request*> requests;
  asked.on_piece = Heard::call;
  for (size_t i = 0; i < heard.size(); ++i) {
    ask(i % prompts.size());
    asked.user = &heard[i];
    requests.push_back(enqueue());
  }
  for (size_t i = 0; i < heard.size(); ++i) {
    EXPECT_EQ(narae_request_wait(requests[i], nullptr), NARAE_OK);
    EXPECT_EQ(heard[i].tokens[0], wanted[i % prompts.size()]);
    EXPECT_EQ(tokens_of(requests[i]), heard[i].tokens[0]);
    EXPECT_EQ(text, heard[i].texts[0]);
    EXPECT_EQ(heard[i].ends[0], NARAE_FINISH_LENGTH);
    narae_request_free(requests[i]);
  }
  narae_executor_stats stats = NARAE_EXECUTOR_STATS_INIT;
  ASSERT_EQ(narae_executor_get_stats(executor, &stats, nullptr), NARAE_OK);
  EXPECT_EQ(stats.sampled_tokens, static_cast<int64_t>(24 * heard.size()));
  EXPECT_GT(stats.steps, 23);
  EXPECT_EQ(stats.queued, 0);
  EXPECT_GT(stats.pages_total, 0);
}

TEST_F(CExecutorTest, StopTextsAndBranches) {
  ask(0);
  narae_request* request = enqueue();
  ASSERT_EQ(narae_request_wait(request, nullptr), NARAE_OK);
  tokens_of(request);
  narae_request_free(request);
  const std::string whole = text, stop = whole.substr(whole.size() / 2, 3);
  const char* const stops[] = {"nowhere to be found", stop.c_str()};
  sampling.stops = stops;
  sampling.stop_count = 2;
  Heard heard;
  asked.on_piece = Heard::call;
  asked.user = &heard;
  request = enqueue();
  EXPECT_EQ(narae_request_wait(request, nullptr), NARAE_OK);
  EXPECT_EQ(heard.texts[0], whole.substr(0, whole.find(stop)));
  EXPECT_EQ(heard.ends[0], NARAE_FINISH_STOP);
  narae_request_free(request);

  sampling.stop_count = 0;
  sampling.temperature = 1.5f;
  sampling.n = 3;
  std::vector<std::vector<int32_t>> first;
  for (int round = 0; round < 2; ++round) {
    Heard branches;
    asked.user = &branches;
    request = enqueue();
    EXPECT_EQ(narae_request_wait(request, nullptr), NARAE_OK);
    EXPECT_EQ(branches.ends.size(), 3u);
    for (int branch = 0; branch < 3; ++branch) {
      EXPECT_EQ(tokens_of(request, branch), branches.tokens[branch]);
      if (round == 0) first.push_back(branches.tokens[branch]);
      EXPECT_EQ(branches.tokens[branch], first[static_cast<size_t>(branch)]);
    }
    narae_request_free(request);
  }
  EXPECT_NE(first[0], first[1]);
}

TEST_F(CExecutorTest, Cancels) {
  ask(0);
  sampling.max_tokens = 100;
  Heard heard;
  heard.stop_after = 3;  // by what the callback returns
  asked.on_piece = Heard::call;
  asked.user = &heard;
  narae_request* request = enqueue();
  refused(narae_request_wait(request, &error), NARAE_CANCELLED, "cancelled");
  EXPECT_EQ(heard.ends[0], NARAE_FINISH_CANCELLED);
  EXPECT_LT(heard.tokens[0].size(), 100u);
  tokens_of(request);
  EXPECT_EQ(finish, NARAE_FINISH_CANCELLED);
  narae_request_free(request);

  asked.on_piece = nullptr;  // by another thread, while one waits
  request = enqueue();
  std::thread canceller([&] { narae_request_cancel(request); });
  EXPECT_EQ(narae_request_wait(request, nullptr), NARAE_CANCELLED);
  canceller.join();
  narae_request_free(request);

  asked.on_piece = Heard::call;  // by freeing it: nobody calls back any more
  auto gone = std::make_unique<Heard>();
  asked.user = gone.get();
  narae_request_free(enqueue());
  gone.reset();

  asked.timeout_ms = 1e-3;
  Heard late;
  asked.user = &late;
  request = enqueue();
  EXPECT_NE(narae_request_wait(request, nullptr), NARAE_OK);
  EXPECT_EQ(late.ends[0], NARAE_FINISH_EXPIRED);
  narae_request_free(request);
}

TEST_F(CExecutorTest, LikeliestTokens) {
  ask(0);
  sampling.top_logprobs = 3;
  sampling.n = 2;
  Heard heard;
  asked.on_piece = Heard::call;
  asked.user = &heard;
  narae_request* request = enqueue();
  EXPECT_EQ(narae_request_wait(request, nullptr), NARAE_OK);
  for (int branch = 0; branch < 2; ++branch) {
    EXPECT_EQ(heard.tokens[branch], wanted[0]);
    EXPECT_EQ(heard.tops[branch], wanted[0]);
    narae_answer answer = NARAE_ANSWER_INIT;
    ASSERT_EQ(narae_request_answer(request, branch, &answer, nullptr), NARAE_OK);
    ASSERT_EQ(answer.top_count, 3u);
    for (size_t i = 0; i < answer.token_count; ++i) {
      const narae_token_logprob* top = answer.top + i * answer.top_count;
      EXPECT_EQ(top[0].token, answer.tokens[i]);
      EXPECT_EQ(top[0].logprob, answer.logprobs[i]);
      EXPECT_GE(top[0].logprob, top[1].logprob);
      EXPECT_GE(top[1].logprob, top[2].logprob);
      EXPECT_TRUE(top[0].token != top[1].token && top[1].token != top[2].token);
    }
  }
  narae_request_free(request);
  // A caller of an older header knows neither.
  sampling.struct_size = offsetof(narae_sampling, top_logprobs);
  asked.on_piece = nullptr;
  request = enqueue();
  narae_piece piece = NARAE_PIECE_INIT;
  int32_t got = 0;
  ASSERT_EQ(narae_request_next(request, &piece, &got, nullptr), NARAE_OK);
  EXPECT_EQ(piece.top_count, 0u);
  narae_request_free(request);
}

TEST_F(CExecutorTest, FreedInAnyOrder) {
  ask(0);
  sampling.max_tokens = 200;
  Heard first, second;
  narae_request* fetched = enqueue();
  asked.on_piece = Heard::call;
  asked.user = &first;
  narae_request* told = enqueue();
  asked.user = &second;
  EXPECT_EQ(narae_executor_enqueue(executor, &asked, nullptr, nullptr), NARAE_OK);
  narae_runtime_free(runtime);
  runtime = nullptr;
  narae_executor_free(executor);
  executor = nullptr;
  ASSERT_EQ(first.ends.size(), 1u);
  ASSERT_EQ(second.ends.size(), 1u);
  EXPECT_EQ(narae_request_wait(told, nullptr), first.ends[0] == NARAE_FINISH_CANCELLED ? NARAE_CANCELLED : NARAE_OK);
  narae_request_wait(fetched, nullptr);
  tokens_of(fetched);
  EXPECT_NE(finish, NARAE_FINISH_NONE);
  narae_request_cancel(told);
  narae_request_free(told);
  narae_request_free(fetched);
}

TEST_F(CExecutorTest, TextToTokensAndBack) {
  const auto golden = nlohmann::json::parse(std::ifstream(folder + "/golden.json"));
  const std::string prompt = golden["cases"][0]["prompt"];
  int32_t ids[4] = {-7, -7, -7, -7};
  size_t count = 0;
  ASSERT_EQ(narae_executor_tokenize(executor, prompt.c_str(), nullptr, 0, &count, nullptr), NARAE_OK);
  EXPECT_EQ(count, prompts[0].size());
  ASSERT_EQ(narae_executor_tokenize(executor, prompt.c_str(), ids, 3, &count, nullptr), NARAE_OK);
  EXPECT_TRUE(std::equal(ids, ids + 3, prompts[0].begin()));
  EXPECT_EQ(ids[3], -7);
  asked.text = prompt.c_str();
  narae_request* request = enqueue();
  EXPECT_EQ(narae_request_wait(request, nullptr), NARAE_OK);
  EXPECT_EQ(tokens_of(request), wanted[0]);
  narae_request_free(request);
  char letters[4096];
  ASSERT_EQ(
      narae_executor_detokenize(executor, wanted[0].data(), wanted[0].size(), letters, sizeof letters, &count, nullptr),
      NARAE_OK);
  EXPECT_EQ(std::string(letters, count), text);
  narae_executor_info info = NARAE_EXECUTOR_INFO_INIT;
  ASSERT_EQ(narae_executor_get_info(executor, &info, nullptr), NARAE_OK);
  EXPECT_GT(info.context, 0);
  EXPECT_GT(info.kv_bytes, 0u);
  EXPECT_GT(info.weights_bytes, 0u);
  refused(narae_executor_tokenize(executor, "\xff", ids, 4, &count, &error), NARAE_USAGE, "UTF-8");
  const auto beyond = static_cast<int32_t>(info.vocabulary);
  refused(narae_executor_detokenize(executor, &beyond, 1, letters, 4, &count, &error), NARAE_USAGE, "token");
  refused(narae_executor_tokenize_chat(executor, "[{", ids, 4, &count, &error), NARAE_USAGE, "JSON");
  refused(narae_executor_tokenize(executor, "a", nullptr, 4, &count, &error), NARAE_USAGE, "ids is NULL");
  refused(narae_executor_tokenize(executor, nullptr, ids, 4, &count, &error), NARAE_USAGE, "text is NULL");
  refused(narae_executor_detokenize(nullptr, ids, 1, letters, 4, &count, &error), NARAE_USAGE, "executor is NULL");
}

TEST_F(CExecutorTest, WhatCannotBeAskedIsNamed) {
  refuses(NARAE_USAGE, "exactly one");
  asked.text = "a";
  asked.messages = "[]";
  refuses(NARAE_USAGE, "exactly one");
  asked.messages = nullptr;
  asked.text = "caf\xe9";
  refuses(NARAE_USAGE, "UTF-8");
  asked.text = nullptr;
  ask(0);
  const auto sampled = [&](const char* part, auto change) {
    const narae_sampling before = sampling;
    change(sampling);
    refuses(NARAE_USAGE, part);
    sampling = before;
  };
  sampled("temperature", [](narae_sampling& s) { s.temperature = -1; });
  sampled("temperature", [](narae_sampling& s) { s.temperature = NAN; });
  sampled("top_p", [](narae_sampling& s) { s.top_p = 2; });
  sampled("top_k", [](narae_sampling& s) { s.top_k = -1; });
  sampled("top_logprobs is 21", [](narae_sampling& s) { s.top_logprobs = 21; });
  sampled("top_logprobs is -1", [](narae_sampling& s) { s.top_logprobs = -1; });
  sampled("n is 0", [](narae_sampling& s) { s.n = 0; });
  sampled("n is 1000000", [](narae_sampling& s) { s.n = 1000000; });
  sampled("max_tokens", [](narae_sampling& s) { s.max_tokens = 0; });
  sampled("struct_size", [](narae_sampling& s) { s.struct_size = 0; });
  sampled("stops is NULL", [](narae_sampling& s) { s.stop_count = 1; });
  sampled("logit_bias is NULL", [](narae_sampling& s) { s.logit_bias_count = 1; });
  const char* const empty[] = {""};
  sampled("stop string is empty", [&](narae_sampling& s) { s.stops = empty, s.stop_count = 1; });
  const narae_logit_bias bias[] = {{1 << 30, 1}};
  sampled("logit_bias", [&](narae_sampling& s) { s.logit_bias = bias, s.logit_bias_count = 1; });
  asked.timeout_ms = NAN;
  refuses(NARAE_USAGE, "timeout_ms");
  asked.timeout_ms = 0;
  refused(narae_executor_enqueue(executor, &asked, nullptr, &error), NARAE_USAGE, "request is NULL");
  refused(narae_executor_enqueue(nullptr, &asked, nullptr, &error), NARAE_USAGE, "executor is NULL");
  refused(narae_request_wait(nullptr, &error), NARAE_USAGE, "request is NULL");
  narae_request_free(nullptr);
  narae_request_cancel(nullptr);
  narae_executor_free(nullptr);

  const std::vector<int32_t> strange(3, 1 << 29), nothing, long_one(100000, 5);
  for (const std::vector<int32_t>* prompt : {&strange, &long_one}) {
    asked.tokens = prompt->data();
    asked.token_count = prompt->size();
    Heard heard;
    asked.on_piece = Heard::call;
    asked.user = &heard;
    narae_request* request = enqueue();
    EXPECT_NE(narae_request_wait(request, nullptr), NARAE_OK);
    EXPECT_EQ(heard.ends[0], NARAE_FINISH_FAILED);
    EXPECT_NE(heard.error, "");
    narae_piece piece = NARAE_PIECE_INIT;
    int32_t got = 0;
    refused(narae_request_next(request, &piece, &got, &error), NARAE_USAGE, "callback");
    narae_request_free(request);
  }
}

TEST_F(CExecutorTest, OptionsThatCannotBe) {
  const auto refuses_options = [&](const char* part, auto change) {
    narae_executor_options options = NARAE_EXECUTOR_OPTIONS_INIT;
    change(options);
    narae_executor* none = nullptr;
    refused(narae_executor_create(runtime, folder.c_str(), &options, &none, &error), NARAE_USAGE, part);
    EXPECT_EQ(none, nullptr);
  };
  refuses_options("max_batch", [](narae_executor_options& o) { o.max_batch = 0; });
  refuses_options("step_tokens", [](narae_executor_options& o) { o.step_tokens = 8; });
  refuses_options("page_size", [](narae_executor_options& o) { o.page_size = 0; });
  refuses_options("kv is", [](narae_executor_options& o) { o.kv = NARAE_I8; });
  refuses_options("kv_pages", [](narae_executor_options& o) { o.kv_pages = -1; });
  refuses_options("max_queue", [](narae_executor_options& o) { o.max_queue = 0; });
  refuses_options("core set 1", [](narae_executor_options& o) { o.core_set = 1; });
  refuses_options("opt_level", [](narae_executor_options& o) { o.opt_level = 6; });
  refuses_options("nonsense", [](narae_executor_options& o) { o.passes = "-nonsense"; });
  refuses_options("struct_size", [](narae_executor_options& o) { o.struct_size = 0; });
  narae_executor* none = nullptr;
  refused(narae_executor_create(runtime, "/nonexistent", nullptr, &none, &error), NARAE_BAD_FILE, "/nonexistent");
  refused(narae_executor_create(runtime, NARAE_SOURCE "/tests/golden/llm/bert", nullptr, &none, &error), NARAE_BAD_FILE,
          "bert");
  refused(narae_executor_create(nullptr, folder.c_str(), nullptr, &none, &error), NARAE_USAGE, "runtime is NULL");
  narae_executor_options options = NARAE_EXECUTOR_OPTIONS_INIT;
  options.progress = [](void*, const char*, int64_t, int64_t) { return 1; };
  refused(narae_executor_create(runtime, folder.c_str(), &options, &none, &error), NARAE_CANCELLED, "cancel");
}

TEST_F(CExecutorTest, AFullQueueRefusesAtOnce) {
  narae_executor_free(executor);
  narae_executor_options options = NARAE_EXECUTOR_OPTIONS_INIT;
  options.max_batch = 1;
  options.max_queue = 2;
  ASSERT_EQ(narae_executor_create(runtime, folder.c_str(), &options, &executor, nullptr), NARAE_OK);
  ask(0);
  sampling.max_tokens = 200;
  std::vector<narae_request*> requests;
  narae_status status = NARAE_OK;
  while (status == NARAE_OK && requests.size() < 200) {
    narae_request* request = nullptr;
    status = narae_executor_enqueue(executor, &asked, &request, &error);
    if (request) requests.push_back(request);
  }
  refused(status, NARAE_FAILED, "queue is full");
  for (narae_request* request : requests) narae_request_free(request);
}

}  // namespace
