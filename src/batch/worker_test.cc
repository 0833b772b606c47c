// SPDX-License-Identifier: Apache-2.0
// The Worker over the checking device: what a step does is written down and runs late, so a step that reads what it
// should not yet, or memory that was given back too early, gives another answer.
#include "batch/worker.h"

#include <gtest/gtest.h>

#include <thread>

#include "backend/fake/fake_device.h"
#include "batch/dynamic_batcher.h"
#include "batch/session_runner.h"
#include "engine/runtime.h"
#include "graph/text.h"

namespace narae {
namespace {

// A chain: each request wants `links` steps, each of which takes the state of the one before, doubles it and adds a
// number that is known only when that one's result is on the host (the late input).
class ChainBatcher final : public Batcher {
 public:
  ChainBatcher(int links, bool late) : links_(links), late_(late) {}
  size_t wants() const override { return active_ ? 0 : 1; }
  size_t live() const override { return active_ ? 1 : 0; }
  void admit(Arrivals& arrivals, Time now) override {
    for (RequestPtr& request : arrivals.requests) {
      active_ = std::move(request);
      planned_ = done_ = 0;
    }
  }
  Step* next(Time) override {
    if (!active_ || planned_ == links_) return nullptr;
    if (!late_ && done_ < planned_) return nullptr;  // not chainable
    Step& step = steps_[planned_ % 4];
    ++planned_;
    step.id = ++last_id_;
    step.after = planned_ > 1 ? step.id - 1 : 0;
    step.finished = false;
    step.error = nullptr;
    step.block.begin = {Tensor::of<float>(DType::f32, {1}, {planned_ == 1 ? 0.0f : 1.0f})};  // keeps the state?
    step.block.finish = {Tensor::of<float>(DType::f32, {1}, {-1})};
    most_in_flight = std::max(most_in_flight, planned_ - done_);
    return &step;
  }
  Time wake() const override { return never; }
  void late(Step& step) override { step.block.finish[0].as<float>()[0] = last_seen_ / 2 + 1; }
  void complete(Step& step, Time now) override {
    EXPECT_EQ(step.id, ++completed_);
    ++done_;
    if (!step.error) last_seen_ = step.out.at(0).as<float>()[0];
    if (done_ < links_) return;
    Ending ending;
    ending.outputs = {Tensor::copy_of(step.out.at(0))};
    active_->out->end(std::move(ending));
    active_->out->flush();
    active_.reset();
    last_seen_ = 0;
  }
  int most_in_flight = 0;

 private:
  int links_, planned_ = 0, done_ = 0;
  bool late_;
  RequestPtr active_;
  float last_seen_ = 0;
  uint64_t last_id_ = 0, completed_ = 0;
  Step steps_[4];
};

// state = keep * state * 2 in the first half, state += late in the second.
class ChainRunner final : public Runner {
 public:
  ChainRunner() : state_(device_.allocate(4)), stream_(device_.make_stream()) {}
  void begin(Step& step) override {
    auto* state = static_cast<float*>(state_->data());
    const float* keep = step.block.begin[0].as<float>();
    fake_stream().enqueue([=] { *state = *keep == 0 ? 0 : *state * 2; });
  }
  void finish(Step& step) override {
    auto* state = static_cast<float*>(state_->data());
    const float* late = step.block.finish[0].as<float>();
    Tensor out = Tensor::of<float>(DType::f32, {1}, {-7});
    fake_stream().enqueue([=] { *(out.as<float>()) = *state += *late; });
    step.out = {out};
    stream_->record(*events_[step.id % 4]);
  }
  void wait(Step& step) override {  // no further than this step
    const auto other = device_.make_stream();
    other->wait(*events_[step.id % 4]);
    other->synchronize();
  }

 private:
  fake::FakeStream& fake_stream() { return static_cast<fake::FakeStream&>(*stream_); }
  fake::FakeDevice device_;
  std::unique_ptr<Buffer> state_;
  std::unique_ptr<Stream> stream_;
  std::unique_ptr<Event> events_[4] = {device_.make_event(), device_.make_event(), device_.make_event(),
                                       device_.make_event()};
};

float chain_of(int links) {
  float state = 0, seen = 0;
  for (int i = 0; i < links; ++i) {
    state = state * 2 + seen / 2 + 1;
    seen = state;
  }
  return state;
}

struct VirtualClock final : Clock {
  Time now() const override { return time; }
  Time time = 0;
};

struct WorkerDepth : ::testing::TestWithParam<std::tuple<size_t, bool>> {};

TEST_P(WorkerDepth, StepsChainWhateverIsInFlight) {
  const auto [depth, late] = GetParam();
  const VirtualClock clock;
  auto queue = std::make_shared<Queue>();
  ChainBatcher batcher(9, late);
  ChainRunner runner;
  Worker worker(queue, 0, batcher, runner, clock, depth);
  EXPECT_FALSE(worker.turn());
  for (int round = 0; round < 3; ++round) {
    auto request = std::make_shared<Request>();
    queue->push(request, 0);
    while (!request->out->ended()) ASSERT_TRUE(worker.turn());
    EXPECT_EQ(request->out->ending().outputs.at(0).as<float>()[0], chain_of(9));
  }
  EXPECT_EQ(worker.steps(), 27u);
  // The last in flight is never finished before the one it is late for, so a chain of late inputs overlaps by one.
  EXPECT_EQ(batcher.most_in_flight, late && depth > 1 ? 2 : 1);
  queue->close();
  worker.run();
}

INSTANTIATE_TEST_SUITE_P(Depths, WorkerDepth, ::testing::Combine(::testing::Values(1, 2, 3), ::testing::Bool()));

// Fails where the request says so, in the half it says.
struct FailingRunner final : Runner {
  void check(const Step& step, int half) {
    if (step.block.begin[0].as<int32_t>()[0] == half) fail(ErrorCode::failed, "half {} broke", half);
  }
  void begin(Step& step) override { check(step, 1); }
  void finish(Step& step) override {
    check(step, 2);
    step.out = step.block.begin;
  }
  void wait(Step& step) override {
    ++waits;
    check(step, 3);
  }
  int waits = 0;
};

TEST(Worker, ErrorsFailTheRequestsOfTheirStepOnly) {
  for (const size_t depth : {1, 2, 3}) {
    const VirtualClock clock;
    auto queue = std::make_shared<Queue>();
    DynamicBatcher batcher({true, 1, 0, {}});
    FailingRunner runner;
    Worker worker(queue, 0, batcher, runner, clock, depth);
    std::vector<RequestPtr> requests;
    for (const int32_t half : {0, 1, 0, 2, 0, 3, 0}) {
      requests.push_back(std::make_shared<Request>());
      requests.back()->in.tensors = {Tensor::of<int32_t>(DType::i32, {1}, {half})};
      queue->push(requests.back(), 0);
    }
    queue->close();
    worker.run();
    for (const RequestPtr& request : requests) {
      ASSERT_TRUE(request->out->ended());
      const int32_t half = request->in.tensors[0].as<int32_t>()[0];
      const Ending& ending = request->out->ending();
      if (half) {
        EXPECT_EQ(ending.error->message(), fmt::format("half {} broke", half));
      } else {
        EXPECT_EQ(ending.finish, Finish::done);
      }
    }
    EXPECT_EQ(runner.waits, 7);
  }
}

// A thread of its own, a Session on each device, fronts that push and cancel meanwhile.
TEST(Worker, ServesASessionFromManyThreads) {
  for (const char* name : {"cpu", "fake"}) {
    RuntimeOptions options;
    options.device = name;
    options.threads = 1;
    Runtime runtime(options);
    auto graph = parse_graph(R"(graph "twice" {
  symbol N 1 64
  input %0 "x" f32[N,3]
  %1 f32[N,3] = add(%0, %0)
  output %1 "y"
}
)",
                             runtime.ops());
    auto engine = std::make_shared<Engine>(std::move(graph), Profile{});
    auto copy = engine->portable().clone();
    const SymbolValues opt = opt_sizes(*copy, engine->profile());
    engine->set_section(lower_engine(std::move(copy), *runtime.device(), opt, EstimatedCosts()));
    Session session(engine, runtime.device());
    SessionRunner runner(session);
    DynamicBatcher batcher({true, 8, 200, {}});
    const SteadyClock clock;
    auto queue = std::make_shared<Queue>();
    Worker worker(queue, 0, batcher, runner, clock);
    std::thread thread([&] { worker.run(); });
    std::vector<std::thread> fronts;
    fronts.reserve(3);
    std::atomic<int> done{0}, cancelled{0};
    for (int front = 0; front < 3; ++front) {
      fronts.emplace_back([&, front] {
        for (int i = 0; i < 20; ++i) {
          auto request = std::make_shared<Request>();
          const auto value = static_cast<float>(100 * front + i);
          request->in.tensors = {Tensor::of<float>(DType::f32, {1, 3}, {value, value + 1, value + 2})};
          ASSERT_EQ(queue->push(request, clock.now()), Refusal::none);
          if (i % 5 == 4) queue->cancel(request, clock.now());
          request->out->wait();
          const Ending& ending = request->out->ending();
          ASSERT_TRUE(request->out->ended());
          if (ending.finish == Finish::cancelled) {
            ++cancelled;
            continue;
          }
          ASSERT_EQ(ending.finish, Finish::done);
          for (int j = 0; j < 3; ++j)
            EXPECT_EQ(ending.outputs.at(0).as<float>()[j], 2 * (value + static_cast<float>(j)));
          ++done;
        }
      });
    }
    for (std::thread& front : fronts) front.join();
    queue->close();
    thread.join();
    EXPECT_EQ(done + cancelled, 60);
    EXPECT_GE(done, 48);
  }
}

}  // namespace
}  // namespace narae
