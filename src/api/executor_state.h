// SPDX-License-Identifier: Apache-2.0
// What stands behind executors and requests of the C ABI: who reads the answers, and who hears of them. The one thing
// not to get wrong: a Sink has one reader, the executor's thread where there is a callback, else whoever holds the
// request's lock.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "api/boundary.h"
#include "engine/runtime.h"
#include "llm/answer_reader.h"
#include "llm/executor.h"

namespace narae::api {

class RequestState;

class ExecutorState {
 public:
  ExecutorState(std::shared_ptr<Runtime> runtime, LanguageModel model, int core_set, const ExecutorOptions& options,
                double load_ms);
  ~ExecutorState() { close(); }

  // Ends everything; returns after the last callback. What is asked of it later is refused.
  void close();
  void enqueue(const std::shared_ptr<RequestState>& request);
  void cancel(const RequestPtr& request);
  void stop_branch(const RequestPtr& request, int32_t branch);

  const LanguageModel& model() const { return model_; }
  narae_executor_info info() const { return info_; }
  narae_executor_stats stats() const;
  Time now() const { return clock_.now(); }
  bool on_reader_thread() const { return std::this_thread::get_id() == reader_.get_id(); }

 private:
  void ring(RequestState* request);
  void read();

  std::shared_ptr<Runtime> runtime_;  // goes last: weights and pages are in its memory account
  LanguageModel model_;
  SteadyClock clock_;
  narae_executor_info info_ = NARAE_EXECUTOR_INFO_INIT;
  mutable std::mutex gate_;  // guards executor_, which close() takes away
  std::unique_ptr<Executor> executor_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable bell_;
  std::map<RequestState*, std::shared_ptr<RequestState>> open_;  // those with a callback
  std::set<RequestState*> ready_;
  bool closing_ = false;
  std::thread reader_;
};

class RequestState {
 public:
  struct Asked {
    RequestPtr request;
    std::vector<std::string> stops;
    narae_piece_fn call = nullptr;
    void* user = nullptr;
  };
  // Throws Error usage for stop texts that cannot be.
  RequestState(std::shared_ptr<ExecutorState> executor, Asked asked);

  const RequestPtr& request() const { return request_; }
  bool calls_back() const { return calls_back_; }
  void cancel() { executor_->cancel(request_); }
  // No callback begins any more, and none runs but one that this is called from.
  void mute();
  // Calls back for all that is there; true once it has ended.
  bool deliver();
  // Waits for the next piece; false once it has ended.
  bool next(narae_piece& piece);
  // Until it has ended; throws what it failed with.
  void wait();
  // Throw Error usage before the end.
  narae_answer answer(int32_t branch) const;
  narae_request_stats stats() const;

 private:
  bool take();  // the next event into current_; false: there is none now, maybe never again (ended_)
  void keep_error();
  narae_piece view() const;
  void require_end() const;

  std::shared_ptr<ExecutorState> executor_;
  RequestPtr request_;
  bool calls_back_;
  std::recursive_mutex calling_;  // held while the callback runs; guards call_
  narae_piece_fn call_;
  void* user_;
  std::mutex reading_;  // of who asks for the next piece
  AnswerReader reader_;
  AnswerReader::Event current_;
  std::vector<std::vector<narae_token_logprob>> tops_;  // by branch
  std::unique_ptr<narae_error> error_;
  Time sent_, first_ = 0, last_ = 0;
  mutable std::mutex end_mutex_;
  std::condition_variable end_bell_;
  std::atomic<bool> ended_{false};
};

}  // namespace narae::api

struct narae_executor {
  std::shared_ptr<narae::api::ExecutorState> state;
};

struct narae_request {
  std::shared_ptr<narae::api::RequestState> state;
};
