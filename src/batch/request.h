// SPDX-License-Identifier: Apache-2.0
// What somebody asked for. Made by a front, owned by it and by whoever serves it; after Queue::push it is touched from
// outside through the Queue only (cancel, stop_branch, lift).
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "batch/sink.h"
#include "batch/time.h"

namespace narae {

// Tensors in the order of the entry's inputs, or the tokens of a prompt.
struct Payload {
  std::vector<Tensor> tensors;
  std::vector<int32_t> tokens;
};

// What a Batcher of a certain kind wants to know beside (llm/: SamplingParams).
struct Params {
  virtual ~Params() = default;
};

// Why something is not scheduled at the moment; bits.
using HoldBits = uint32_t;
inline constexpr HoldBits hold_sink_full = 1, hold_prompt = 2, hold_grammar = 4, hold_media = 8, hold_adapter = 16,
                          hold_pages = 32;

// The timeline of `explain request`. Bounded: a long story loses its middle, never its end.
class Trace {
 public:
  struct Mark {
    Time at = 0;
    const char* event = "";   // literals only
    const char* reason = "";  // likewise
  };
  void mark(Time at, const char* event, const char* reason = "") {
    if (size() + 1 < marks_.size()) add({at, event, reason});
  }
  void mark_end(Time at, const char* reason) { add({at, "ended", reason}); }
  size_t size() const { return count_.load(std::memory_order_acquire); }
  const Mark& operator[](size_t index) const { return marks_[index]; }

 private:
  void add(Mark mark) {
    const size_t index = count_.load(std::memory_order_relaxed);
    marks_[index] = mark;
    count_.store(index + 1, std::memory_order_release);
  }
  std::array<Mark, 32> marks_;
  std::atomic<size_t> count_{0};
};

// Requests of different salts never share cached state.
using Salt = uint64_t;

struct Request {
  uint64_t id = 0;
  std::string name;  // the client's id, for logs
  Payload in;
  std::shared_ptr<const Params> params;
  int priority = 0;       // higher first; ageing lifts the others
  Time deadline = never;  // an answer after it is worth nothing
  Salt salt = 0;
  int32_t adapter = 0;
  HoldBits holds = 0;  // what it waits for already when it is pushed
  std::shared_ptr<Sink> out = std::make_shared<Sink>();
  std::atomic<bool> cancelled{false};
  std::atomic<uint64_t> stopped{0};  // branches (bits) that are to end here: their reader found a stop string
  Time arrived = 0;                  // set by Queue::push
  std::shared_ptr<Trace> trace = std::make_shared<Trace>();  // outlives the request where somebody wants to know
  struct {
    int lane = -1;       // where it waits, then whose it is
    bool waits = false;  // not taken yet
    Time rank = 0;
    uint64_t order = 0;
  } place;  // the Queue's, under its lock
};
using RequestPtr = std::shared_ptr<Request>;

// Answers a request that no step will answer any more.
void end_request(Request& request, Finish finish, Time now, std::optional<Error> error = std::nullopt);

}  // namespace narae
