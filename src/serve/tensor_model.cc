// SPDX-License-Identifier: Apache-2.0
#include "serve/tensor_model.h"

#include <algorithm>

#include "base/error.h"

namespace narae {
namespace {

DynamicBatchOptions batch_options(const TensorModelOptions& options, const BatchRule& rule) {
  DynamicBatchOptions made;
  made.join = rule.join;
  made.max_batch = options.max_batch;
  made.max_delay = rule.join ? options.max_delay : 0;
  made.preferred = options.preferred;
  return made;
}

std::string input_names(const Graph& graph) {
  std::string names;
  for (const Value* input : graph.inputs()) names += (names.empty() ? "\"" : ", \"") + input->name() + "\"";
  return names;
}

}  // namespace

TensorModel::Instance::Instance(TensorModel& model, const std::shared_ptr<Device>& device, MemoryBudget& budget,
                                int lane)
    : states(std::make_shared<StateSet>(*device, &budget)),
      session(model.engine_, device, states),
      batcher(batch_options(model.options_, model.rule_)),
      runner(session),
      worker(model.queue_, lane, batcher, runner, model.clock_) {}

TensorModel::TensorModel(std::string name, std::string version, std::shared_ptr<const Engine> engine, Runtime& runtime,
                         TensorModelOptions options)
    : Model(std::move(name), std::move(version)),
      engine_(std::move(engine)),
      options_(std::move(options)),
      rule_(batch_rule(engine_->portable())) {
  const auto devices = runtime.devices(options_.instances);
  if (rule_.join) {
    const auto range = engine_->profile().symbols.find(rule_.symbol);
    if (range != engine_->profile().symbols.end()) options_.max_batch = std::min(options_.max_batch, range->second.max);
    std::erase_if(options_.preferred, [&](int64_t size) { return size > options_.max_batch; });
  }
  queue_ = std::make_shared<Queue>(QueueLimits{options_.max_queue}, options_.instances);
  for (const std::shared_ptr<Device>& device : devices) {
    instances_.push_back(
        std::make_unique<Instance>(*this, device, runtime.budget(), static_cast<int>(instances_.size())));
  }
  for (const auto& instance : instances_) {
    instance->thread = std::thread([&worker = instance->worker] { worker.run(); });
  }
}

TensorModel::~TensorModel() { stop(); }

void TensorModel::join() {
  for (const auto& instance : instances_) {
    if (instance->thread.joinable()) instance->thread.join();
  }
}

void TensorModel::close() {
  queue_->close();
  join();
}

void TensorModel::stop() {
  queue_->stop();
  join();
}

uint64_t TensorModel::executions() const {
  uint64_t steps = 0;
  for (const auto& instance : instances_) steps += instance->worker.steps();
  return steps;
}

// Sizes and type against the model's own; sizes that are free are the Session's to judge.
void TensorModel::check_input(const Value& input, const Tensor& tensor) const {
  if (tensor.dtype != input.dtype()) {
    fail(ErrorCode::usage, "input \"{}\" is sent as {}, the model takes {}", input.name(), dtype_name(tensor.dtype),
         dtype_name(input.dtype()));
  }
  bool fits = tensor.dims.size() == input.shape().size();
  for (size_t axis = 0; fits && axis < tensor.dims.size(); ++axis) {
    const Dim& dim = input.shape()[axis];
    fits = !dim.is_constant() || dim.value() == tensor.dims[axis];
  }
  if (!fits) {
    fail(ErrorCode::usage, "input \"{}\" has the shape {}, the model takes {}", input.name(), dims_text(tensor.dims),
         shape_text(input.shape()));
  }
  if (!rule_.join) return;
  if (tensor.dims[0] < 1) fail(ErrorCode::usage, "input \"{}\" has no rows; send at least one", input.name());
  if (tensor.dims[0] > options_.max_batch) {
    fail(ErrorCode::usage,
         "input \"{}\" has {} rows, the model takes {} at most; send less, or serve with a larger --max-batch",
         input.name(), tensor.dims[0], options_.max_batch);
  }
}

RequestPtr TensorModel::make_request(InferCall call) const {
  auto request = std::make_shared<Request>();
  request->name = std::move(call.id);
  request->priority = std::clamp(call.priority, -100, 100);
  if (call.timeout > 0) request->deadline = clock_.now() + call.timeout;
  for (const NamedTensor& sent : call.inputs) {
    const bool known = std::any_of(graph().inputs().begin(), graph().inputs().end(),
                                   [&](const Value* input) { return input->name() == sent.name; });
    if (!known) {
      fail(ErrorCode::usage, "model \"{}\" has no input \"{}\"; its inputs are {}", name(), sent.name,
           input_names(graph()));
    }
  }
  for (const Value* input : graph().inputs()) {
    const auto named = [&](const NamedTensor& sent) { return sent.name == input->name(); };
    const auto count = std::count_if(call.inputs.begin(), call.inputs.end(), named);
    if (count != 1) {
      fail(ErrorCode::usage, "input \"{}\" is {}; send each of {} once", input->name(),
           count == 0 ? "missing" : "there twice", input_names(graph()));
    }
    Tensor& tensor = std::find_if(call.inputs.begin(), call.inputs.end(), named)->tensor;
    check_input(*input, tensor);
    request->in.tensors.push_back(std::move(tensor));
  }
  for (const Tensor& tensor : request->in.tensors) {
    if (rule_.join && tensor.dims[0] != request->in.tensors[0].dims[0]) {
      fail(ErrorCode::usage, "the inputs have {} and {} rows; their first dimensions must be equal",
           request->in.tensors[0].dims[0], tensor.dims[0]);
    }
  }
  return request;
}

Refusal TensorModel::submit(const RequestPtr& request, std::function<void()> on_end) {
  request->out->on_news(std::move(on_end));
  const Refusal refusal = queue_->push(request, clock_.now());
  if (refusal != Refusal::none) {
    request->out->on_news(nullptr);
    statistics().rejected.fetch_add(1, std::memory_order_relaxed);
  }
  return refusal;
}

void TensorModel::cancel(const RequestPtr& request) { queue_->cancel(request, clock_.now()); }

void TensorModel::account(const Request& request, int64_t parse_ns, int64_t output_ns) {
  const int64_t rows = rule_.join && !request.in.tensors.empty() ? request.in.tensors[0].dims[0] : 1;
  count_request(statistics(), request, static_cast<uint64_t>(rows), parse_ns, output_ns);
}

}  // namespace narae
