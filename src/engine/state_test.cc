// SPDX-License-Identifier: Apache-2.0
// States: what one run wrote, the next one reads; Sessions of several entries share them; on the CPU and on the
// checking device.
#include <gtest/gtest.h>

#include "backend/backends.h"
#include "base/error.h"
#include "engine/lowered_test.h"
#include "engine/session.h"
#include "graph/text.h"
#include "ops/interpret.h"
#include "ops/ops.h"

namespace narae {
namespace {

struct StateTest : ::testing::TestWithParam<const char*> {
  StateTest() : device(make_device({GetParam()})) { add_all_ops(table); }
  std::shared_ptr<Engine> engine(const char* text) { return lowered_engine(parse_graph(text, table), *device); }
  OpTable table;
  std::shared_ptr<Device> device;
};

const char* attention = R"(graph "step" {
  symbol T 1 64
  symbol places 1 1024
  input %0 "q" f32[T,2,8]
  input %1 "kv" f32[T,1,8]
  input %2 "places" i32[T]
  input %3 "starts" i32[2]
  input %4 "lengths" i32[1]
  input %5 "tables" i32[1,4]
  state %6 "k" f32[places,1,8]
  state %7 "v" f16[places,1,8]
  %8 f32[places,1,8] = kv_write(%6, %1, %2)
  %9 f16[places,1,8] = kv_write(%7, %1, %2)
  %10 f32[places,1,8] = cast(%9) {dtype=f32}
  %11 f32[T,2,8] = paged_attention(%0, %8, %10, %3, %4, %5) {page_size=4}
  output %11 "y"
})";

Tensor list(const std::vector<int32_t>& values, Dims dims = {}) {
  if (dims.empty()) dims = {static_cast<int64_t>(values.size())};
  return Tensor::of<int32_t>(DType::i32, dims, values);
}

// A prompt of 5 tokens, then two single ones, in pages 2, 0, ..
TEST_P(StateTest, RunsReadWhatEarlierOnesWrote) {
  auto built = engine(attention);
  auto states = std::make_shared<StateSet>(*device);
  states->set_size("places", 16);
  Session session(built, device, states);
  const std::vector<Tensor> wanted_states = {Tensor::allocate(DType::f32, {16, 1, 8}),
                                             Tensor::allocate(DType::f16, {16, 1, 8})};
  for (const Tensor& state : wanted_states) fill_normal(state, 1);
  int32_t length = 0;
  for (const int rows : {5, 1, 1}) {
    std::vector<int32_t> places;
    const int32_t pages[] = {2, 0, 3, 1};
    for (int i = 0; i < rows; ++i, ++length) places.push_back(pages[length / 4] * 4 + length % 4);
    Tensor q = Tensor::allocate(DType::f32, {rows, 2, 8}), kv = Tensor::allocate(DType::f32, {rows, 1, 8});
    fill_normal(q, static_cast<uint64_t>(length)), fill_normal(kv, static_cast<uint64_t>(length) + 100);
    const std::vector<Tensor> inputs = {
        q, kv, list(places), list({0, rows}), list({length}), list({2, 0, 3, 1}, {1, 4})};
    const Tensor want = interpret(built->portable(), inputs, {}, wanted_states)[0];
    const Tensor got = session.run(inputs)[0];
    for (int64_t i = 0; i < want.count(); ++i) EXPECT_NEAR(got.as<float>()[i], want.as<float>()[i], 1e-5) << length;
  }
  EXPECT_EQ(states->state_bytes(), 16 * 8 * (4 + 2));
}

// What `set` wrote is seen by `get`, another graph over the same states; nobody reads the result of the update.
TEST_P(StateTest, EntriesShareStates) {
  auto set = engine(R"(graph "set" {
    symbol T 1 64
    input %0 "tokens" i32[T]
    input %1 "slots" i32[T]
    state %2 "last" i32[4]
    %3 i32[4] = kv_write(%2, %0, %1)
    output %0 "tokens"
  })");
  auto get = engine(R"(graph "get" {
    symbol T 1 64
    input %0 "ids" i32[T]
    input %1 "slots" i32[T]
    state %2 "last" i32[4]
    %3 i32[T] = token_source(%0, %1, %2)
    output %3 "tokens"
  })");
  ASSERT_EQ(set->lowered().graph->node_count(), 1u);
  auto states = std::make_shared<StateSet>(*device);
  Session writer(set, device, states), reader(get, device, states);
  writer.run({list({7, 8}), list({3, 1})});
  const Tensor got = reader.run({list({-1, 5, -1}), list({1, 3, 3})})[0];
  EXPECT_TRUE(same_contents(got, list({8, 5, 7})));
  EXPECT_THROW(reader.run({list({-1}), list({4})}), Error);
}

TEST_P(StateTest, SizesOfStatesMustBeSaid) {
  Session session(engine(attention), device, std::make_shared<StateSet>(*device));
  const std::vector<Tensor> inputs = {Tensor::allocate(DType::f32, {1, 2, 8}),
                                      Tensor::allocate(DType::f32, {1, 1, 8}),
                                      list({0}),
                                      list({0, 1}),
                                      list({1}),
                                      list({2, 0, 3, 1}, {1, 4})};
  try {
    session.run(inputs);
    ADD_FAILURE() << "it ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::does_not_fit);
    EXPECT_NE(std::string(error.what()).find("places"), std::string::npos) << error.what();
  }
}

TEST_P(StateTest, TheBudgetIsAsked) {
  MemoryBudget budget(1000);
  StateSet states(*device, &budget);
  EXPECT_NE(states.state("a", 600), nullptr);
  EXPECT_THROW(states.state("b", 600), Error);
  EXPECT_EQ(states.state("a", 600), states.state("a", 600));
  EXPECT_THROW(states.state("a", 601), Error);
  EXPECT_EQ(budget.taken(), 600);
}

INSTANTIATE_TEST_SUITE_P(Devices, StateTest, ::testing::Values("cpu", "fake"));

TEST(StateGraphTest, AnUpdatedStateHasNoOtherReader) {
  OpTable table;
  add_all_ops(table);
  EXPECT_THROW(parse_graph(R"(graph "twice" {
    input %0 "x" i32[2]
    input %1 "at" i32[2]
    state %2 "s" i32[4]
    %3 i32[4] = kv_write(%2, %0, %1)
    %4 i32[4] = neg(%2)
    output %4 "old"
  })",
                           table),
               Error);
}

}  // namespace
}  // namespace narae
