// SPDX-License-Identifier: Apache-2.0
// A Model over an ordinary Engine: one Queue, and per instance a Session on its own core set with a DynamicBatcher and
// a Worker's thread.
#pragma once

#include <thread>

#include "batch/dynamic_batcher.h"
#include "batch/session_runner.h"
#include "batch/worker.h"
#include "engine/runtime.h"
#include "serve/batch_rule.h"
#include "serve/model.h"

namespace narae {

struct TensorModelOptions {
  int64_t max_batch = 32;
  Time max_delay = 0;  // us
  std::vector<int64_t> preferred;
  int instances = 1;  // at most the runtime's core sets
  size_t max_queue = 256;
};

// An input as a client sent it: names as the model's, in any order.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

struct InferCall {
  std::string id;
  std::vector<NamedTensor> inputs;
  int priority = 0;
  Time timeout = 0;      // us from the push; 0: none
  int64_t parse_ns = 0;  // what reading the message took
};

class TensorModel : public Model {
 public:
  // The runtime must outlive it. Throws Error usage for options that cannot be.
  TensorModel(std::string name, std::string version, std::shared_ptr<const Engine> engine, Runtime& runtime,
              TensorModelOptions options);
  ~TensorModel() override;
  const char* kind() const override { return "tensor"; }
  TensorModel* tensors() override { return this; }
  size_t pending() const override { return queue_->size(); }
  uint64_t executions() const override;
  void close() override;
  void stop() override;

  const Graph& graph() const { return engine_->portable(); }
  const BatchRule& rule() const { return rule_; }
  const TensorModelOptions& options() const { return options_; }

  // A Request with the tensors in the model's order. Throws Error usage naming the input and what would be right.
  RequestPtr make_request(InferCall call) const;
  // `on_end` is called once, by whichever thread ends the request: it must not block. Not called when refused.
  Refusal submit(const RequestPtr& request, std::function<void()> on_end);
  void cancel(const RequestPtr& request);
  // Counts an ended request; `output_ns`: what writing the answer took.
  void account(const Request& request, int64_t parse_ns, int64_t output_ns);

 private:
  struct Instance {
    Instance(TensorModel& model, const std::shared_ptr<Device>& device, MemoryBudget& budget, int lane);
    std::shared_ptr<StateSet> states;
    Session session;
    DynamicBatcher batcher;
    SessionRunner runner;
    Worker worker;
    std::thread thread;
  };
  void check_input(const Value& input, const Tensor& tensor) const;
  void join();

  std::shared_ptr<const Engine> engine_;
  TensorModelOptions options_;
  BatchRule rule_;
  SteadyClock clock_;
  std::shared_ptr<Queue> queue_;
  std::vector<std::unique_ptr<Instance>> instances_;
};

}  // namespace narae
