// SPDX-License-Identifier: Apache-2.0
// Several Sessions of one Engine in threads of their own, on separate core sets and in turns on one: each result has
// the bits that it has alone.
#include <gtest/gtest.h>

#include <cstring>
#include <thread>

#include "model_run.h"

namespace narae {
namespace {

struct Case {
  const char* device;
  int core_sets, sessions, rounds;
};
class ConcurrentRuns : public testing::TestWithParam<Case> {};

TEST_P(ConcurrentRuns, GiveTheBitsOfOneAlone) {
  RuntimeOptions options;
  options.device = GetParam().device;
  options.threads = 1;
  options.core_sets = GetParam().core_sets;
  Runtime runtime(options);
  const std::shared_ptr<Engine> engine = load_model(model_path("fashion-inception"), runtime);
  std::vector<std::unique_ptr<Session>> sessions;
  std::vector<ModelRun> runs;
  std::vector<std::vector<Tensor>> alone;
  for (int i = 0; i < GetParam().sessions; ++i) {
    sessions.push_back(std::make_unique<Session>(engine, runtime.device(i % runtime.core_sets())));
    runs.emplace_back(*sessions.back(), 1 + i, 10 * static_cast<uint64_t>(i));
    alone.push_back(sessions.back()->run(runs.back().inputs));
    for (Tensor& result : alone.back()) result = Tensor::copy_of(result);
  }
  std::vector<int> wrong(sessions.size(), 0);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < sessions.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < GetParam().rounds; ++round) {
        for (Tensor& result : runs[i].outputs) std::memset(result.data, 0xff, result.bytes());
        sessions[i]->run(runs[i].inputs, runs[i].outputs);
        for (size_t k = 0; k < alone[i].size(); ++k) {
          wrong[i] += std::memcmp(runs[i].outputs[k].data, alone[i][k].data, alone[i][k].bytes()) != 0;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < wrong.size(); ++i) EXPECT_EQ(wrong[i], 0) << "session " << i;
}

INSTANTIATE_TEST_SUITE_P(Sets, ConcurrentRuns,
                         testing::Values(Case{"cpu", 2, 2, 20}, Case{"cpu", 1, 3, 20}, Case{"fake", 1, 2, 2}),
                         [](const auto& info) {
                           return std::string(info.param.device) + std::to_string(info.param.core_sets) + "x" +
                                  std::to_string(info.param.sessions);
                         });

}  // namespace
}  // namespace narae
