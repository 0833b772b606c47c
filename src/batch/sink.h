// SPDX-License-Identifier: Apache-2.0
// Where an answer goes: a bounded ring from one Worker to one reader, without a lock. The one thing not to get wrong:
// the Worker never waits for it. It reserves a place before it computes a token, so that push always has one.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "tensor/tensor.h"

namespace narae {

enum class Finish : uint8_t {
  none,
  done,       // tensors: all outputs are there
  stop,       // tokens: a stop token, or the reader found a stop string
  length,     // tokens: max_tokens or the context is reached
  cancelled,  // by the reader, or because the server stops
  expired,    // its deadline passed, or its reader was too slow
  failed,     // see Ending::error
};
const char* finish_name(Finish finish);

struct TokenLogprob {
  int32_t token = -1;
  float logprob = 0;
};

// A token of an answer, the end of one of its branches, or both.
struct Piece {
  int32_t branch = 0;
  int32_t token = -1;  // -1: only an end
  float logprob = 0;
  Finish finish = Finish::none;
  std::vector<TokenLogprob> top;  // the likeliest in its place, where they were asked for
};

// The last word on a request; there is exactly one.
struct Ending {
  Finish finish = Finish::done;
  std::optional<Error> error;  // with failed and expired
  std::vector<Tensor> outputs;
  int64_t prompt_tokens = 0, cached_tokens = 0, new_tokens = 0, preemptions = 0;
};

class Sink {
 public:
  // `capacity` tokens at most wait to be read; ends always have a place.
  explicit Sink(size_t capacity = 256, size_t branches = 1);

  // The reader's side, one thread at a time. Both are called by the Worker, at most once a step: they must not block.
  void on_news(std::function<void()> call) { news_call_ = std::move(call); }  // before the request is pushed
  size_t read(std::span<Piece> out);
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  // True after everything is read and the ending is there.
  bool finished() const { return ended() && head_.load() == tail_.load(); }
  const Ending& ending() const { return ending_; }  // once ended()
  Ending take_ending() { return std::move(ending_); }
  // Blocks until there is something to read or the end.
  void wait() const;

  // The Worker's side, one thread at a time.
  bool reserve();  // false: full; resume() is called once the reader has made room
  void unreserve() { --reserved_; }
  void push(const Piece& piece);      // a token: on a reserved place
  void push_end(const Piece& piece);  // of a branch, without a token
  void end(Ending ending);            // CHECK: only once
  void flush();                       // tells the reader of news since the last flush
  void on_resume(std::function<void()> call) { resume_call_ = std::move(call); }

 private:
  void store(const Piece& piece);
  size_t capacity_;
  std::vector<Piece> ring_;
  std::atomic<uint64_t> head_{0}, tail_{0};  // read and written so far
  std::atomic<uint32_t> news_{0};
  std::atomic<bool> ended_{false}, starved_{false};
  uint64_t reserved_ = 0;
  bool fresh_ = false;
  Ending ending_;
  std::function<void()> news_call_, resume_call_;
};

}  // namespace narae
