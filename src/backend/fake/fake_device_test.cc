// SPDX-License-Identifier: Apache-2.0
// The checking device must find what it is there to find.
#include "backend/fake/fake_device.h"

#include <gtest/gtest.h>

#include <cmath>

#include "backend/fake/fake_tactic.h"
#include "base/error.h"

namespace narae::fake {
namespace {

class FakeDeviceTest : public testing::Test {
 protected:
  float read(Stream& stream, const void* at) {
    float value = 0;
    stream.copy(&value, at, sizeof value);
    stream.synchronize();
    return value;
  }
  FakeDevice device_;
};

TEST_F(FakeDeviceTest, WorkRunsLateAndInOrder) {
  const auto buffer = device_.allocate(4);
  const auto stream = device_.make_stream();
  float from = 1, to = 0;
  stream->copy(buffer->data(), &from, 4);
  stream->copy(&to, buffer->data(), 4);
  from = 2;  // too early: the copy has not run yet
  EXPECT_EQ(to, 0);
  stream->synchronize();
  EXPECT_EQ(to, 2);
}

TEST_F(FakeDeviceTest, FreshAndDiscardedMemoryIsPoison) {
  const auto buffer = device_.allocate(4);
  const auto stream = device_.make_stream();
  EXPECT_TRUE(std::isnan(read(*stream, buffer->data())));
  const float one = 1;
  stream->copy(buffer->data(), &one, 4);
  EXPECT_EQ(read(*stream, buffer->data()), 1);
  stream->discard(buffer->data(), 4);
  EXPECT_TRUE(std::isnan(read(*stream, buffer->data())));
}

TEST_F(FakeDeviceTest, TheHostCannotTouchItsMemory) {
  const auto buffer = device_.allocate(4);
  EXPECT_DEATH(*static_cast<volatile float*>(buffer->data()) = 1, "");
}

TEST_F(FakeDeviceTest, AWaitIsForTheLastRecordBefore) {
  const auto buffer = device_.allocate(4);
  const auto first = device_.make_stream(), second = device_.make_stream();
  const auto event = device_.make_event();
  const float one = 1, two = 2;
  float seen = 0;
  first->copy(buffer->data(), &one, 4);
  first->record(*event);
  second->wait(*event);
  second->copy(&seen, buffer->data(), 4);
  second->record(*event);
  first->wait(*event);
  first->copy(buffer->data(), &two, 4);
  second->synchronize();
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(read(*first, buffer->data()), 2);
}

// Without an event the two lanes are right in one order only, and both orders come up.
TEST_F(FakeDeviceTest, AMissingWaitShows) {
  int right = 0;
  for (int i = 0; i < 4; ++i) {
    const auto buffer = device_.allocate(4);
    const auto first = device_.make_stream(), second = device_.make_stream();
    const float one = 1;
    float seen = 0;
    first->copy(buffer->data(), &one, 4);
    second->copy(&seen, buffer->data(), 4);
    second->synchronize();
    first->synchronize();
    right += seen == 1;
  }
  EXPECT_LT(right, 4);
}

TEST_F(FakeDeviceTest, PaddingLanesMustBeZero) {
  const std::vector<float> clean = {1, 2, 3, 0}, dirty = {1, 2, 3, 4};
  const Layout layout = Layout::blocked(1, channel_block);
  EXPECT_NO_THROW(check_padding(DType::f32, {1, 3, 1, 1}, layout, clean.data(), "x"));
  EXPECT_THROW(check_padding(DType::f32, {1, 3, 1, 1}, layout, dirty.data(), "x"), Error);
  const auto kernel = device_.make_reformat(DType::f32, {1, 3, 1, 1}, layout, Layout::plain());
  const auto stream = device_.make_stream();
  const auto from = device_.allocate(16), to = device_.allocate(12);
  stream->copy(from->data(), dirty.data(), 16);
  void* operands[] = {from->data(), to->data()};
  kernel->launch(*stream, operands, nullptr);
  EXPECT_THROW(stream->synchronize(), Error);
}

}  // namespace
}  // namespace narae::fake
