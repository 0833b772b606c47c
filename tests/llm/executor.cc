// SPDX-License-Identifier: Apache-2.0
// Answers do not depend on how they were scheduled: alone or together, in chunks or whole, with or without the prefix
// cache, preempted or not; on the CPU, on the checking device and on a
// GPU.
#include "llm/executor.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "llm/score.h"
#include "llm/text_stream.h"
#include "load/load_language_model.h"
#include "on_device.h"

namespace narae {
namespace {

const std::string models = NARAE_SOURCE "/tests/data/models/";

struct Answer {
  std::vector<int32_t> ids;
  std::string text;
  Ending ending;
};

// Waits for one branch of a request to the end.
Answer read(const RequestPtr& request, const Tokenizer& tokenizer, std::vector<std::string> stops = {}) {
  TextStream stream(tokenizer, std::move(stops));
  Answer answer;
  Piece pieces[16];
  while (!request->out->finished()) {
    request->out->wait();
    while (const size_t count = request->out->read(pieces)) {
      for (size_t i = 0; i < count; ++i) stream.push(pieces[i], answer.text);
    }
  }
  answer.ids = stream.ids();
  answer.ending = request->out->take_ending();
  return answer;
}

RequestPtr make_request(std::vector<int32_t> prompt, SamplingParams params) {
  auto request = std::make_shared<Request>();
  request->in.tokens = std::move(prompt);
  request->params = std::make_shared<SamplingParams>(std::move(params));
  return request;
}

SamplingParams greedy(int64_t tokens) {
  SamplingParams params;
  params.temperature = 0;
  params.max_tokens = tokens;
  return params;
}

class ExecutorTest : public ::testing::TestWithParam<const char*> {
 protected:
  explicit ExecutorTest(const char* name = "tiny-qwen3") : name_(name) {}
  void SetUp() override {
    if (const std::string reason = why_absent(GetParam()); !reason.empty()) GTEST_SKIP() << "hardware: " << reason;
    RuntimeOptions options;
    options.device = GetParam();
    runtime_ = std::make_unique<Runtime>(options);
    LoadOptions load;
    load.model.page_size = 4;
    model_ = load_language_model(models + name_, *runtime_, load);
    const auto golden = nlohmann::json::parse(std::ifstream(models + name_ + "/golden.json"));
    for (const auto& one : golden["cases"]) {
      prompts_.push_back(one["prompt_ids"]);
      wanted_.push_back(one["greedy_ids"]);
      wanted_.back().resize(std::min<size_t>(wanted_.back().size(), is_slow() ? 5 : 32));
    }
  }
  bool is_slow() const { return std::string(GetParam()) == "fake"; }
  std::unique_ptr<Executor> executor(const ExecutorOptions& options) {
    return std::make_unique<Executor>(model_, std::vector{runtime_->device()}, &runtime_->budget(), options);
  }
  // All prompts at once.
  void answers_all(Executor& executor) {
    std::vector<RequestPtr> requests;
    for (size_t i = 0; i < prompts_.size(); ++i) {
      requests.push_back(make_request(prompts_[i], greedy(static_cast<int64_t>(wanted_[i].size()))));
      ASSERT_EQ(executor.enqueue(requests.back()), Refusal::none);
    }
    for (size_t i = 0; i < requests.size(); ++i) {
      const Answer answer = read(requests[i], *model_.tokenizer);
      EXPECT_EQ(answer.ids, wanted_[i]) << i;
      EXPECT_EQ(answer.ending.finish, Finish::length);
      preemptions_ += answer.ending.preemptions, cached_ += answer.ending.cached_tokens;
    }
  }
  std::string name_;
  std::unique_ptr<Runtime> runtime_;
  LanguageModel model_;
  std::vector<std::vector<int32_t>> prompts_, wanted_;
  int64_t preemptions_ = 0, cached_ = 0;
};

TEST_P(ExecutorTest, AloneAndTogether) {
  for (const int32_t batch : {1, 3, 8}) answers_all(*executor({.max_batch = batch}));
}

TEST_P(ExecutorTest, PromptsInChunks) { answers_all(*executor({.max_batch = 4, .step_tokens = 6})); }

TEST_P(ExecutorTest, PrefixesAreUsedAgain) {
  const auto with = executor({.max_batch = 8}), without = executor({.max_batch = 8, .prefix_cache = false});
  for (int round = 0; round < 2; ++round) answers_all(*with);
  EXPECT_GT(cached_, 0);
  cached_ = 0;
  for (int round = 0; round < 2; ++round) answers_all(*without);
  EXPECT_EQ(cached_, 0);
}

TEST_P(ExecutorTest, PreemptedOnesGoOnAsIfNothingHadHappened) {
  size_t longest = 0;
  for (size_t i = 0; i < prompts_.size(); ++i) longest = std::max(longest, prompts_[i].size() + wanted_[i].size());
  const auto pages = static_cast<int64_t>(longest / 4 + 4);
  for (int round = 0; round < (is_slow() ? 1 : 4); ++round) answers_all(*executor({.max_batch = 8, .kv_pages = pages}));
  if (!is_slow()) EXPECT_GT(preemptions_, 0);
}

TEST_P(ExecutorTest, SeedsGiveTheSameInAnyCompany) {
  SamplingParams params = greedy(is_slow() ? 4 : 24);
  params.temperature = 1, params.top_p = 0.9F, params.seed = 1234;
  std::vector<std::vector<int32_t>> alone;
  for (const int32_t batch : {1, 6}) {
    const auto engine = executor({.max_batch = batch});
    std::vector<RequestPtr> requests;
    for (const auto& prompt : prompts_) {
      requests.push_back(make_request(prompt, params));
      ASSERT_EQ(engine->enqueue(requests.back()), Refusal::none);
    }
    for (size_t i = 0; i < requests.size(); ++i) {
      const Answer answer = read(requests[i], *model_.tokenizer);
      if (batch == 1) alone.push_back(answer.ids);
      EXPECT_EQ(answer.ids, alone[i]) << i;
    }
  }
  EXPECT_NE(alone[0], wanted_[0]);
}

TEST_P(ExecutorTest, StopTokensAndStopTexts) {
  const auto engine = executor({});
  SamplingParams params = greedy(static_cast<int64_t>(wanted_[0].size()));
  params.stop_ids = {wanted_[0][3]};
  const RequestPtr by_token = make_request(prompts_[0], params);
  ASSERT_EQ(engine->enqueue(by_token), Refusal::none);
  const Answer stopped = read(by_token, *model_.tokenizer);
  const auto first = std::find(wanted_[0].begin(), wanted_[0].end(), wanted_[0][3]);
  EXPECT_EQ(stopped.ids, std::vector<int32_t>(wanted_[0].begin(), first + 1));
  EXPECT_EQ(stopped.ending.finish, Finish::stop);
}

TEST_P(ExecutorTest, WhatCannotBeIsRefusedByName) {
  const auto engine = executor({});
  const auto refused = [&](std::vector<int32_t> prompt, SamplingParams params, const char* says) {
    const RequestPtr request = make_request(std::move(prompt), std::move(params));
    ASSERT_EQ(engine->enqueue(request), Refusal::none);
    const Answer answer = read(request, *model_.tokenizer);
    EXPECT_EQ(answer.ending.finish, Finish::failed);
    ASSERT_TRUE(answer.ending.error);
    EXPECT_NE(std::string(answer.ending.error->what()).find(says), std::string::npos) << answer.ending.error->what();
  };
  refused({}, greedy(1), "empty");
  refused({1, 1 << 20}, greedy(1), "1048576");
  refused(std::vector<int32_t>(static_cast<size_t>(engine->context()) + 1, 1), greedy(1), "context");
  SamplingParams hot = greedy(1);
  hot.temperature = -1;
  refused({1}, hot, "temperature");
  SamplingParams curious = greedy(1);
  curious.top_logprobs = 21;
  refused({1}, curious, "top_logprobs is 21");
  EXPECT_THROW(executor({.max_batch = 0}), Error);
  EXPECT_THROW(executor({.kv_pages = 1}), Error);
  answers_all(*engine);  // the others are unharmed
}

TEST_P(ExecutorTest, EndsWithRequestsUnderWay) {
  const RequestPtr request = make_request(prompts_[0], greedy(100000));
  {
    const auto engine = executor({});
    ASSERT_EQ(engine->enqueue(request), Refusal::none);
  }
  read(request, *model_.tokenizer);
  EXPECT_TRUE(request->out->finished());
}

// The logits of a known text are those that generating it step by step chose from.
TEST_P(ExecutorTest, ScoresAgreeWithAnswers) {
  std::vector<int32_t> ids = prompts_[0];
  ids.insert(ids.end(), wanted_[0].begin(), wanted_[0].end());
  for (const int64_t rows : {3, 512}) {
    std::vector<int32_t> likeliest;
    score(model_, runtime_->device(), &runtime_->budget(), ids, rows,
          [&](int64_t position, std::span<const float> logits) {
            ASSERT_EQ(position, static_cast<int64_t>(likeliest.size()));
            likeliest.push_back(static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
          });
    for (size_t i = 0; i < wanted_[0].size(); ++i) EXPECT_EQ(likeliest[prompts_[0].size() - 1 + i], wanted_[0][i]) << i;
  }
}

// The likeliest tokens are those of the logits of the same text; who did not ask is told none, and nothing else
// changes.
TEST_P(ExecutorTest, TellsTheLikeliestTokens) {
  const auto engine = executor({});
  SamplingParams params = greedy(static_cast<int64_t>(wanted_[0].size()));
  std::vector<RequestPtr> requests;
  for (const int32_t top : {5, 0, 20}) {
    params.top_logprobs = top;
    requests.push_back(make_request(prompts_[0], params));
    ASSERT_EQ(engine->enqueue(requests.back()), Refusal::none);
  }
  std::vector<int32_t> ids = prompts_[0];
  ids.insert(ids.end(), wanted_[0].begin(), wanted_[0].end());
  std::vector<std::vector<float>> logits;
  score(model_, runtime_->device(), &runtime_->budget(), ids, 512,
        [&](int64_t, std::span<const float> row) { logits.emplace_back(row.begin(), row.end()); });
  for (const RequestPtr& request : requests) {
    const auto count = static_cast<size_t>(static_cast<const SamplingParams&>(*request->params).top_logprobs);
    std::vector<int32_t> got;
    for (Piece piece;;) {
      const bool last = request->out->finished();  // nothing comes after what is there now
      if (request->out->read({&piece, 1}) == 0) {
        if (last) break;
        request->out->wait();
        continue;
      }
      if (piece.token < 0) continue;
      std::vector<float> row = logits.at(prompts_[0].size() - 1 + got.size());
      double sum = 0;
      for (const float logit : row) sum += std::exp(static_cast<double>(logit));
      ASSERT_EQ(piece.top.size(), count);
      if (count > 0) EXPECT_EQ(piece.top[0].token, piece.token);
      if (count > 0) EXPECT_NEAR(piece.top[0].logprob, piece.logprob, 1e-5);
      for (const TokenLogprob& one : piece.top) {
        const auto best = std::max_element(row.begin(), row.end());
        EXPECT_NEAR(one.logprob, *best - std::log(sum), 1e-4);
        EXPECT_NEAR(one.logprob, row[static_cast<size_t>(one.token)] - std::log(sum), 1e-4);
        row[static_cast<size_t>(one.token)] = -INFINITY;
      }
      got.push_back(piece.token);
    }
    EXPECT_EQ(got, wanted_[0]);
    const Ending ending = request->out->take_ending();
    EXPECT_FALSE(ending.error) << ending.error->what();
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, ExecutorTest, ::testing::Values("cpu", "fake", "cuda"));

}  // namespace
}  // namespace narae
