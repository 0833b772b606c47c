// SPDX-License-Identifier: Apache-2.0
// A virtual clock: time is what the test says.
#include "batch/dynamic_batcher.h"

#include <gtest/gtest.h>

namespace narae {
namespace {

struct DynamicBatcherTest : ::testing::Test {
  RequestPtr request(int64_t rows, int64_t width, Time now, Time deadline = never) {
    auto made = std::make_shared<Request>();
    made->id = next_id++;
    made->arrived = now;
    made->deadline = deadline;
    std::vector<float> values(static_cast<size_t>(rows * width));
    for (float& value : values) value = next_value++;
    made->in.tensors = {Tensor::of<float>(DType::f32, {rows, width}, values)};
    return made;
  }
  void admit(DynamicBatcher& batcher, std::vector<RequestPtr> requests, Time now) {
    Arrivals arrivals;
    arrivals.requests = std::move(requests);
    batcher.admit(arrivals, now);
  }
  // What a model would do: y = x + 1, with the rows it was given.
  static void compute(Step& step) {
    step.out.clear();
    for (const Tensor& input : step.block.begin) {
      Tensor output = Tensor::copy_of(input);
      for (int64_t i = 0; i < output.count(); ++i) output.as<float>()[i] += 1;
      step.out.push_back(output);
    }
  }
  static int64_t rows_of(const Step& step) { return step.block.begin.at(0).dims.at(0); }
  static void expect_answer(const Request& request) {
    ASSERT_TRUE(request.out->ended());
    const Ending& ending = request.out->ending();
    ASSERT_EQ(ending.finish, Finish::done);
    ASSERT_EQ(ending.outputs.size(), 1u);
    ASSERT_EQ(ending.outputs[0].dims, request.in.tensors[0].dims);
    for (int64_t i = 0; i < ending.outputs[0].count(); ++i) {
      EXPECT_EQ(ending.outputs[0].as<float>()[i], request.in.tensors[0].as<float>()[i] + 1);
    }
  }
  uint64_t next_id = 1;
  float next_value = 1;
};

TEST_F(DynamicBatcherTest, WaitsForCompanyUntilTheDelay) {
  DynamicBatcher batcher({true, 4, 100, {}});
  const RequestPtr a = request(1, 3, 0), b = request(2, 3, 60);
  admit(batcher, {a}, 0);
  EXPECT_EQ(batcher.next(0), nullptr);
  EXPECT_EQ(batcher.wake(), 100);
  admit(batcher, {b}, 60);
  EXPECT_EQ(batcher.wants(), 1u);
  EXPECT_EQ(batcher.next(99), nullptr);
  Step* step = batcher.next(100);
  ASSERT_NE(step, nullptr);
  EXPECT_EQ(rows_of(*step), 3);
  compute(*step);
  batcher.complete(*step, 110);
  expect_answer(*a);
  expect_answer(*b);
  EXPECT_EQ(batcher.live(), 0u);
  EXPECT_EQ(batcher.wake(), never);
}

TEST_F(DynamicBatcherTest, AFullBatchGoesAtOnceAndTheRestWaits) {
  DynamicBatcher batcher({true, 4, 100, {}});
  std::vector<RequestPtr> all(5);
  for (RequestPtr& one : all) one = request(1, 2, 0);
  admit(batcher, all, 0);
  Step* step = batcher.next(0);
  ASSERT_NE(step, nullptr);
  EXPECT_EQ(rows_of(*step), 4);
  EXPECT_EQ(batcher.next(0), nullptr);
  Step* rest = batcher.next(100);  // two steps in flight
  ASSERT_NE(rest, nullptr);
  EXPECT_EQ(rows_of(*rest), 1);
  compute(*step);
  compute(*rest);
  batcher.complete(*step, 1);
  batcher.complete(*rest, 2);
  for (const RequestPtr& one : all) expect_answer(*one);
}

TEST_F(DynamicBatcherTest, OtherDimensionsDoNotJoin) {
  DynamicBatcher batcher({true, 4, 0, {}});
  const RequestPtr a = request(1, 3, 0), b = request(1, 5, 1), c = request(1, 3, 2);
  admit(batcher, {a, b, c}, 2);
  for (const int64_t rows : {2, 1}) {
    Step* step = batcher.next(2);
    ASSERT_NE(step, nullptr);
    EXPECT_EQ(rows_of(*step), rows);
    compute(*step);
    batcher.complete(*step, 3);
  }
  expect_answer(*a);
  expect_answer(*b);
  expect_answer(*c);
}

TEST_F(DynamicBatcherTest, PreferredSizesRunWithoutDelay) {
  DynamicBatcher batcher({true, 8, 100, {2, 4}});
  admit(batcher, {request(1, 2, 0)}, 0);
  EXPECT_EQ(batcher.next(0), nullptr);
  admit(batcher, {request(1, 2, 0), request(1, 2, 0)}, 0);
  Step* step = batcher.next(0);
  ASSERT_NE(step, nullptr);
  EXPECT_EQ(rows_of(*step), 2);
  EXPECT_EQ(batcher.next(0), nullptr);
  admit(batcher, {request(4, 2, 0)}, 0);  // 1 + 4 rows: the four do not fit beside the one
  step = batcher.next(0);
  ASSERT_NE(step, nullptr);
  EXPECT_EQ(rows_of(*step), 1);
  step = batcher.next(0);
  ASSERT_NE(step, nullptr);
  EXPECT_EQ(rows_of(*step), 4);
}

TEST_F(DynamicBatcherTest, OfAFailedBatchOnlyTheCulpritFails) {
  DynamicBatcher batcher({true, 4, 50, {}});
  const RequestPtr fine = request(1, 2, 0), culprit = request(2, 2, 0), gone = request(1, 2, 0);
  admit(batcher, {fine, culprit, gone}, 0);
  Step* step = batcher.next(0);
  ASSERT_NE(step, nullptr);
  ASSERT_EQ(rows_of(*step), 4);
  step->error = std::make_exception_ptr(Error(ErrorCode::does_not_fit, "an index lies outside"));
  batcher.complete(*step, 1);
  EXPECT_EQ(batcher.live(), 3u);
  EXPECT_FALSE(fine->out->ended() || culprit->out->ended());
  EXPECT_EQ(batcher.wake(), 0);
  gone->cancelled = true;
  const RequestPtr later = request(1, 2, 2);
  admit(batcher, {later}, 2);
  for (const RequestPtr& one : {fine, culprit}) {  // at once, and nothing joins them
    step = batcher.next(2);
    ASSERT_NE(step, nullptr);
    EXPECT_EQ(step->rows.size(), 1u);
    ASSERT_EQ(step->rows[0].sequence->request, one);
    compute(*step);
    if (one == culprit) step->error = std::make_exception_ptr(Error(ErrorCode::does_not_fit, "an index lies outside"));
    batcher.complete(*step, 3);
  }
  expect_answer(*fine);
  EXPECT_EQ(culprit->out->ending().finish, Finish::failed);
  EXPECT_EQ(gone->out->ending().finish, Finish::cancelled);
  EXPECT_EQ(batcher.next(3), nullptr);  // the delay of what came later still counts
  step = batcher.next(52);
  ASSERT_NE(step, nullptr);
  compute(*step);
  batcher.complete(*step, 53);
  expect_answer(*later);
  EXPECT_EQ(batcher.live(), 0u);
  EXPECT_EQ(batcher.wants(), 4u);
}

TEST_F(DynamicBatcherTest, ErrorsCancelsAndDeadlinesAreTheirOwn) {
  DynamicBatcher batcher({true, 4, 50, {}});
  const RequestPtr fine = request(1, 2, 0), cancelled = request(1, 2, 0), late = request(1, 2, 0, 20);
  const RequestPtr large = request(5, 2, 0);
  admit(batcher, {fine, cancelled, late, large}, 0);
  EXPECT_EQ(large->out->ending().finish, Finish::failed);
  EXPECT_NE(large->out->ending().error->message().find("5 rows"), std::string::npos);
  EXPECT_EQ(batcher.wake(), 20);
  cancelled->cancelled = true;
  EXPECT_EQ(batcher.next(20), nullptr);
  EXPECT_EQ(cancelled->out->ending().finish, Finish::cancelled);
  EXPECT_EQ(late->out->ending().finish, Finish::expired);
  Step* step = batcher.next(50);
  ASSERT_NE(step, nullptr);
  step->error = std::make_exception_ptr(Error(ErrorCode::failed, "the device is on fire"));
  batcher.complete(*step, 60);
  EXPECT_EQ(fine->out->ending().error->message(), "the device is on fire");
  EXPECT_EQ(batcher.live(), 0u);
}

TEST_F(DynamicBatcherTest, AloneWhereDimensionsAreNoBatch) {
  DynamicBatcher batcher({false, 8, 100, {}});
  const RequestPtr a = request(2, 2, 0), b = request(2, 2, 0);
  admit(batcher, {a, b}, 0);
  EXPECT_EQ(batcher.wants(), 0u);
  for (int i = 0; i < 2; ++i) {
    Step* step = batcher.next(0);
    ASSERT_NE(step, nullptr);
    compute(*step);
    batcher.complete(*step, 1);
  }
  expect_answer(*a);
  expect_answer(*b);
}

TEST_F(DynamicBatcherTest, AModelWithoutABatchIsFoundOut) {
  DynamicBatcher batcher({true, 4, 0, {}});
  const RequestPtr a = request(2, 2, 0);
  admit(batcher, {a}, 0);
  Step* step = batcher.next(0);
  step->out = {Tensor::of<float>(DType::f32, {1, 2}, {0, 0})};
  batcher.complete(*step, 1);
  EXPECT_EQ(a->out->ending().finish, Finish::failed);
}

TEST_F(DynamicBatcherTest, OptionsThatCannotBeAreRefused) {
  EXPECT_THROW(DynamicBatcher({true, 0, 0, {}}), Error);
  EXPECT_THROW(DynamicBatcher({true, 4, -1, {}}), Error);
  EXPECT_THROW(DynamicBatcher({true, 4, 0, {5}}), Error);
}

}  // namespace
}  // namespace narae
