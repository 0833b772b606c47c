// SPDX-License-Identifier: Apache-2.0
#include "batch/dynamic_batcher.h"

#include <algorithm>
#include <cstring>

namespace narae {

DynamicBatcher::DynamicBatcher(DynamicBatchOptions options) : options_(std::move(options)) {
  if (options_.max_batch < 1) fail(ErrorCode::usage, "max_batch is {}; it must be at least 1", options_.max_batch);
  if (options_.max_delay < 0) fail(ErrorCode::usage, "max_delay is {} us; it cannot be negative", options_.max_delay);
  for (const int64_t size : options_.preferred) {
    if (size < 1 || size > options_.max_batch) {
      fail(ErrorCode::usage, "the preferred batch size {} is not between 1 and max_batch = {}", size,
           options_.max_batch);
    }
  }
  std::sort(options_.preferred.begin(), options_.preferred.end());
}

int64_t DynamicBatcher::rows_of(const Request& request) const {
  return options_.join ? request.in.tensors.front().dims.front() : 1;
}

void DynamicBatcher::check(const Request& request) const {
  if (!options_.join) return;
  const std::vector<Tensor>& inputs = request.in.tensors;
  if (inputs.empty()) fail(ErrorCode::usage, "a request for a batching model has no inputs; send at least one");
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].dims.empty())
      fail(ErrorCode::usage, "input {} is a scalar; its first dimension must be the batch", i);
    if (inputs[i].dims[0] != inputs[0].dims[0]) {
      fail(ErrorCode::usage, "input {} has {} rows but input 0 has {}; their first dimensions must be equal", i,
           inputs[i].dims[0], inputs[0].dims[0]);
    }
  }
  if (inputs[0].dims[0] > options_.max_batch) {
    fail(ErrorCode::does_not_fit, "the request has {} rows, the model takes {}; split it or raise max_batch",
         inputs[0].dims[0], options_.max_batch);
  }
}

bool DynamicBatcher::same_group(const Request& a, const Request& b) const {
  const std::vector<Tensor>&x = a.in.tensors, &y = b.in.tensors;
  if (x.size() != y.size()) return false;
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i].dtype != y[i].dtype || x[i].dims.size() != y[i].dims.size()) return false;
    if (!std::equal(x[i].dims.begin() + 1, x[i].dims.end(), y[i].dims.begin() + 1)) return false;
  }
  return true;
}

DynamicBatcher::Group& DynamicBatcher::group_of(const Request& request) {
  for (Group& group : groups_) {
    if (options_.join && !group.alone && same_group(*group.waiting.front(), request)) return group;
  }
  return groups_.emplace_back();
}

size_t DynamicBatcher::wants() const {
  if (!options_.join) return waiting_ == 0 ? 1 : 0;
  return static_cast<size_t>(std::max<int64_t>(0, options_.max_batch - waiting_rows_));
}

void DynamicBatcher::end(Request& request, Finish finish, Time now, std::optional<Error> error) {
  --live_;
  end_request(request, finish, now, std::move(error));
}

void DynamicBatcher::admit(Arrivals& arrivals, Time now) {
  for (RequestPtr& request : arrivals.requests) {
    ++live_;
    try {
      check(*request);
    } catch (const Error& error) {
      end(*request, Finish::failed, now, error);
      continue;
    }
    Group& group = group_of(*request);
    group.rows += rows_of(*request);
    waiting_rows_ += rows_of(*request);
    ++waiting_;
    group.waiting.push_back(std::move(request));
  }
  arrivals.requests.clear();
  hurry_ = arrivals.closed;
  if (!arrivals.stop) return;
  for (Group& group : groups_) {
    for (const RequestPtr& request : group.waiting) request->cancelled = true;
  }
}

// Answers those that nobody waits for any more.
void DynamicBatcher::drop_ended(Time now) {
  for (auto group = groups_.begin(); group != groups_.end();) {
    auto kept = group->waiting.begin();
    for (RequestPtr& request : group->waiting) {
      const bool expired = request->deadline <= now;
      if (!expired && !request->cancelled) {
        std::swap(*kept++, request);
        continue;
      }
      group->rows -= rows_of(*request);
      waiting_rows_ -= rows_of(*request);
      --waiting_;
      if (request->cancelled) {
        end(*request, Finish::cancelled, now);
      } else {
        end(*request, Finish::expired, now,
            Error(ErrorCode::failed, "the deadline passed before a step began; raise it, or send less at a time"));
      }
    }
    group->waiting.erase(kept, group->waiting.end());
    group = group->waiting.empty() ? groups_.erase(group) : std::next(group);
  }
}

bool DynamicBatcher::ready(const Group& group, Time now) const {
  return hurry_ || group.alone || !options_.join || group.rows >= options_.max_batch ||
         (!options_.preferred.empty() && group.rows >= options_.preferred.front()) ||
         group.waiting.front()->arrived + options_.max_delay <= now;
}

Time DynamicBatcher::wake() const {
  Time soonest = never;
  for (const Group& group : groups_) {
    soonest = std::min(soonest, group.alone ? 0 : group.waiting.front()->arrived + options_.max_delay);
    for (const RequestPtr& request : group.waiting) soonest = std::min(soonest, request->deadline);
  }
  return soonest;
}

Step* DynamicBatcher::next(Time now) {
  drop_ended(now);
  auto chosen = groups_.end();
  for (auto group = groups_.begin(); group != groups_.end(); ++group) {
    if (!ready(*group, now)) continue;
    if (chosen == groups_.end() || group->waiting.front()->arrived < chosen->waiting.front()->arrived) chosen = group;
  }
  if (chosen == groups_.end()) return nullptr;
  if (free_.empty()) {
    steps_.push_back(std::make_unique<TensorStep>());
    free_.push_back(steps_.back().get());
  }
  TensorStep& step = *free_.back();
  free_.pop_back();
  step.id = ++last_id_;
  step.finished = false;
  step.error = nullptr;
  fill(step, *chosen, now);
  if (chosen->waiting.empty()) groups_.erase(chosen);
  return &step;
}

void DynamicBatcher::fill(TensorStep& step, Group& group, Time now) {
  int64_t limit = options_.join ? options_.max_batch : 1;
  for (const int64_t size : options_.preferred) {
    if (size <= group.rows) limit = size;
  }
  // The first always goes, however large against a preferred size.
  int64_t rows = 0;
  step.sequences.clear();
  while (!group.waiting.empty()) {
    const int64_t more = rows_of(*group.waiting.front());
    if (rows > 0 && rows + more > limit) break;
    Sequence& sequence = step.sequences.emplace_back();
    sequence.request = std::move(group.waiting.front());
    group.waiting.pop_front();
    sequence.known = sequence.bound = more;
    sequence.request->trace->mark(now, "scheduled");
    rows += more;
  }
  group.rows -= rows;
  waiting_rows_ -= rows;
  waiting_ -= step.sequences.size();
  step.rows.clear();
  int64_t first = 0;
  for (Sequence& sequence : step.sequences) {
    step.rows.push_back(
        {&sequence, first, static_cast<int32_t>(sequence.known), 0, Want::all, static_cast<int32_t>(first), 0});
    first += sequence.known;
  }
  write_inputs(step, rows);
}

void DynamicBatcher::write_inputs(TensorStep& step, int64_t rows) {
  const Request& sample = *step.sequences.front().request;
  if (step.sequences.size() == 1) {
    step.block.begin = sample.in.tensors;
    return;
  }
  step.block.begin.resize(sample.in.tensors.size());
  step.slots.resize(sample.in.tensors.size());
  for (size_t i = 0; i < step.slots.size(); ++i) {
    Tensor& input = step.block.begin[i];
    input = {};
    input.dtype = sample.in.tensors[i].dtype;
    input.dims = sample.in.tensors[i].dims;
    input.dims[0] = rows;
    if (step.slots[i].bytes() < input.bytes()) {
      Dims most = {static_cast<int64_t>(input.bytes() / static_cast<size_t>(rows)) * options_.max_batch};
      step.slots[i] = Tensor::allocate(DType::u8, std::move(most));
    }
    input.data = step.slots[i].data;
    auto* to = static_cast<std::byte*>(input.data);
    for (const Sequence& sequence : step.sequences) {
      const Tensor& from = sequence.request->in.tensors[i];
      if (from.bytes()) std::memcpy(to, from.data, from.bytes());
      to += from.bytes();
    }
  }
}

void DynamicBatcher::answer(Request& request, const Row& row, const Step& step, int64_t rows, Time now) {
  Ending ending;
  for (size_t i = 0; i < step.out.size(); ++i) {
    Tensor part = step.out[i];
    if (options_.join) {
      if (part.dims.empty() || part.dims[0] != rows) {
        return end(
            request, Finish::failed, now,
            Error(ErrorCode::failed, fmt::format("output {} has dimensions {} for a batch of {}; switch batching "
                                                 "off for this model",
                                                 i, dims_text(part.dims), rows)));
      }
      const size_t row_bytes = rows ? part.bytes() / static_cast<size_t>(rows) : 0;
      part.data = static_cast<std::byte*>(part.data) + static_cast<size_t>(row.first) * row_bytes;
      part.dims[0] = row.count;
    }
    ending.outputs.push_back(Tensor::copy_of(part));
  }
  --live_;
  request.trace->mark_end(now, finish_name(Finish::done));
  request.out->end(std::move(ending));
  request.out->flush();
}

void DynamicBatcher::run_alone(RequestPtr request, Time now) {
  request->trace->mark(now, "again alone");
  Group& group = groups_.emplace_back();
  group.alone = true;
  group.rows = rows_of(*request);
  waiting_rows_ += group.rows;
  ++waiting_;
  group.waiting.push_back(std::move(request));
}

void DynamicBatcher::complete(Step& step, Time now) {
  auto& own = static_cast<TensorStep&>(step);
  int64_t rows = 0;
  for (const Row& row : step.rows) rows += row.count;
  for (const Row& row : step.rows) {
    Request& request = *row.sequence->request;
    if (request.cancelled) {
      end(request, Finish::cancelled, now);
    } else if (step.error && step.rows.size() > 1) {
      run_alone(row.sequence->request, now);
    } else if (step.error) {
      end(request, Finish::failed, now, error_of(step.error));
    } else {
      answer(request, row, step, rows, now);
    }
  }
  own.sequences.clear();
  own.block.begin.clear();
  own.out.clear();
  free_.push_back(&own);
}

}  // namespace narae
