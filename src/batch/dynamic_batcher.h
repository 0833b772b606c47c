// SPDX-License-Identifier: Apache-2.0
// Joins tensor requests along their first dimension: those whose types and other dimensions are equal run as one step.
// A request waits at most max_delay for company. When a joined step fails, each of its requests runs once more alone,
// so that only those fail that fail by themselves.
#pragma once

#include <deque>
#include <list>

#include "batch/batcher.h"

namespace narae {

struct DynamicBatchOptions {
  bool join = true;       // the first dimension of all inputs and outputs is the batch; false: each request alone
  int64_t max_batch = 8;  // rows of a step
  Time max_delay = 0;     // us, counted from the arrival in the Queue
  std::vector<int64_t> preferred;  // sizes that are worth running at once
};

class DynamicBatcher final : public Batcher {
 public:
  // Error usage naming the option that cannot be.
  explicit DynamicBatcher(DynamicBatchOptions options);
  size_t wants() const override;
  size_t live() const override { return live_; }
  void admit(Arrivals& arrivals, Time now) override;
  Step* next(Time now) override;
  Time wake() const override;
  void late(Step&) override {}
  void complete(Step& step, Time now) override;

 private:
  struct Group {  // requests that may join
    std::deque<RequestPtr> waiting;
    int64_t rows = 0;
    bool alone = false;  // of a joined step that failed: one request, nothing joins it
  };
  struct TensorStep : Step {
    std::vector<Sequence> sequences;
    std::vector<Tensor> slots;  // memory of the inputs
  };
  int64_t rows_of(const Request& request) const;
  void check(const Request& request) const;
  Group& group_of(const Request& request);
  bool same_group(const Request& a, const Request& b) const;
  void drop_ended(Time now);
  bool ready(const Group& group, Time now) const;
  void fill(TensorStep& step, Group& group, Time now);
  void write_inputs(TensorStep& step, int64_t rows);
  void answer(Request& request, const Row& row, const Step& step, int64_t rows, Time now);
  void run_alone(RequestPtr request, Time now);
  void end(Request& request, Finish finish, Time now, std::optional<Error> error = std::nullopt);

  DynamicBatchOptions options_;
  std::list<Group> groups_;
  std::vector<std::unique_ptr<TensorStep>> steps_;
  std::vector<TensorStep*> free_;
  uint64_t last_id_ = 0;
  size_t live_ = 0, waiting_ = 0;
  int64_t waiting_rows_ = 0;
  bool hurry_ = false;  // nothing more will come
};

}  // namespace narae
