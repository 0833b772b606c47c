// SPDX-License-Identifier: Apache-2.0
// The graph is conv -> + bias -> + residual -> relu; what stands between is virtual and f32. Engines that would round
// f32 operands are left out unless that was asked for.
#include "backend/cuda/conv_plan.h"

#include <cuda_runtime_api.h>

#include <algorithm>

#include "base/error.h"

namespace narae::cuda {
namespace {

constexpr int64_t workspace_limit = int64_t{256} << 20;
constexpr int64_t configs_asked = 16;
enum Id : int64_t { id_x = 1, id_w, id_bias, id_residual, id_y, id_virtual };

cudnnDataType_t type_of(DType type) {
  return type == DType::f16 ? CUDNN_DATA_HALF : type == DType::bf16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

using Descriptor = std::unique_ptr<DnnDescriptor>;

Descriptor tensor(const DnnLibrary& dnn, int64_t id, cudnnDataType_t type, const Dims& dims, bool channels_last,
                  bool is_virtual = false) {
  Dims strides(dims.size(), 1);
  int64_t stride = channels_last ? dims[1] : 1;
  for (size_t i = dims.size(); i-- > 2;) {
    strides[i] = stride;
    stride *= dims[i];
  }
  strides[1] = channels_last ? 1 : stride;
  strides[0] = channels_last ? stride : stride * dims[1];
  auto made = std::make_unique<DnnDescriptor>(dnn, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  made->set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
  made->set(CUDNN_ATTR_TENSOR_DATA_TYPE, type);
  made->set(CUDNN_ATTR_TENSOR_DIMENSIONS, dims);
  made->set(CUDNN_ATTR_TENSOR_STRIDES, strides);
  made->set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, int64_t{16});
  if (is_virtual) made->set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, true);
  made->finalize("a tensor");
  return made;
}

// Everything that an operation graph refers to.
class ConvGraph {
 public:
  ConvGraph(const DnnLibrary& dnn, const ConvProblem& p) : dnn_(dnn), p_(p) {
    Dims one(p.y.size(), 1);
    one[1] = p.y[1];
    std::vector<std::pair<cudnnPointwiseMode_t, DnnDescriptor*>> after;
    if (p.bias) after.emplace_back(CUDNN_POINTWISE_ADD, keep(tensor(dnn, id_bias, type_of(p.result), one, true)));
    if (p.residual) {
      after.emplace_back(CUDNN_POINTWISE_ADD, keep(tensor(dnn, id_residual, type_of(p.result), p.y, p.channels_last)));
    }
    if (p.act == ScalarOp::silu) after.emplace_back(CUDNN_POINTWISE_SWISH_FWD, nullptr);
    if (p.act == ScalarOp::relu || p.act == ScalarOp::clip) after.emplace_back(CUDNN_POINTWISE_RELU_FWD, nullptr);
    DnnDescriptor* current = result(after.empty());
    convolution(current);
    for (size_t i = 0; i < after.size(); ++i) {
      DnnDescriptor* next = result(i + 1 == after.size());
      pointwise(after[i].first, current, after[i].second, next);
      current = next;
    }
    std::vector<cudnnBackendDescriptor_t> operations;
    for (const DnnDescriptor* operation : operations_) operations.push_back(operation->get());
    DnnDescriptor* made = make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    made->set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &dnn.handle);
    made->set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, static_cast<int64_t>(operations.size()),
              operations.data());
    made->finalize("the graph of a convolution");
    graph_ = made;
  }
  const DnnDescriptor& graph() const { return *graph_; }

 private:
  DnnDescriptor* keep(Descriptor made) {
    all_.push_back(std::move(made));
    return all_.back().get();
  }
  DnnDescriptor* make(cudnnBackendDescriptorType_t type) { return keep(std::make_unique<DnnDescriptor>(dnn_, type)); }
  DnnDescriptor* result(bool last) {
    const int64_t id = last ? int64_t{id_y} : id_virtual + static_cast<int64_t>(all_.size());
    return keep(tensor(dnn_, id, last ? type_of(p_.result) : CUDNN_DATA_FLOAT, p_.y, p_.channels_last, !last));
  }
  void convolution(DnnDescriptor* y) {
    DnnDescriptor* how = make(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    how->set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    how->set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    how->set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, static_cast<int64_t>(p_.strides.size()));
    how->set(CUDNN_ATTR_CONVOLUTION_DILATIONS, p_.dilations);
    how->set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, p_.strides);
    how->set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, p_.pads_before);
    how->set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, p_.pads_after);
    how->finalize("a convolution");
    DnnDescriptor* made = make(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    made->set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
              *keep(tensor(dnn_, id_x, type_of(p_.type), p_.x, p_.channels_last)));
    made->set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
              *keep(tensor(dnn_, id_w, type_of(p_.type), p_.w, p_.channels_last)));
    made->set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, *y);
    made->set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, *how);
    const float alpha = 1, beta = 0;
    made->set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1, &alpha);
    made->set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1, &beta);
    made->finalize("a convolution's operation");
    operations_.push_back(made);
  }
  void pointwise(cudnnPointwiseMode_t mode, DnnDescriptor* x, DnnDescriptor* b, DnnDescriptor* y) {
    DnnDescriptor* how = make(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    how->set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    how->set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_DATA_FLOAT);
    if (mode == CUDNN_POINTWISE_RELU_FWD && p_.act == ScalarOp::clip) {
      const double limit = p_.act_limit;
      how->set(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP, CUDNN_TYPE_DOUBLE, 1, &limit);
    }
    if (mode == CUDNN_POINTWISE_SWISH_FWD) {
      const double beta = 1;
      how->set(CUDNN_ATTR_POINTWISE_SWISH_BETA, CUDNN_TYPE_DOUBLE, 1, &beta);
    }
    how->finalize("a pointwise step");
    DnnDescriptor* made = make(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    made->set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, *how);
    made->set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, *x);
    if (b) made->set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
    made->set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, *y);
    made->finalize("a pointwise operation");
    operations_.push_back(made);
  }

  const DnnLibrary& dnn_;
  const ConvProblem& p_;
  std::vector<Descriptor> all_;
  std::vector<DnnDescriptor*> operations_;
  DnnDescriptor* graph_ = nullptr;
};

std::vector<Descriptor> heuristics(const DnnLibrary& dnn, const DnnDescriptor& graph, cudnnBackendHeurMode_t mode) {
  DnnDescriptor heuristic(dnn, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  heuristic.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
  std::vector<Descriptor> configs;
  if (dnn.finalize(heuristic.get()) != CUDNN_STATUS_SUCCESS) return configs;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (int64_t i = 0; i < configs_asked; ++i) {
    configs.push_back(std::make_unique<DnnDescriptor>(dnn, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR));
    raw.push_back(configs.back()->get());
  }
  int64_t count = 0;
  if (dnn.get(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, configs_asked, &count,
              raw.data()) != CUDNN_STATUS_SUCCESS) {
    count = 0;
  }
  configs.resize(static_cast<size_t>(std::min(count, configs_asked)));
  return configs;
}

// Whether the engine rounds f32 operands for the tensor cores.
bool uses_tensor_cores(const DnnLibrary& dnn, const DnnDescriptor& config) {
  DnnDescriptor engine(dnn, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t raw = engine.get();
  int64_t count = 0;
  if (dnn.get(config.get(), CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &count, &raw) !=
      CUDNN_STATUS_SUCCESS) {
    return true;
  }
  cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
  if (dnn.get(engine.get(), CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
              CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &count, notes) != CUDNN_STATUS_SUCCESS) {
    return true;
  }
  return std::any_of(notes, notes + count, [](cudnnBackendNumericalNote_t note) {
    return note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE || note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS;
  });
}

}  // namespace

struct ConvPlans::Known {
  std::unique_ptr<ConvGraph> graph;  // what the configurations speak of
  std::vector<Descriptor> configs;
  size_t tried = 0;
  std::vector<std::shared_ptr<const ConvPlan>> plans;  // those that could be built, in the library's order
};

std::string ConvProblem::key() const {
  std::string text = fmt::format("{} {} {}{}{} {} {} {}", dtype_name(type), dtype_name(result), channels_last, bias,
                                 residual, scalar_op_name(act), act_limit, tf32);
  for (const auto* list : {&x, &w, &y, &strides, &dilations, &pads_before, &pads_after}) {
    text += " ;";
    for (const int64_t value : *list) text += fmt::format(" {}", value);
  }
  return text;
}

ConvPlan::ConvPlan(const DnnLibrary& dnn, cudnnBackendDescriptor_t config, bool bias, bool residual)
    : dnn_(dnn), plan_(dnn, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR), bias_(bias), residual_(residual) {
  plan_.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &dnn.handle);
  plan_.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &config);
  plan_.finalize("a plan");
  int64_t bytes = 0, count = 0;
  dnn.check(dnn.get(plan_.get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &count, &bytes),
            "a plan's workspace");
  if (bytes > workspace_limit) fail(ErrorCode::does_not_fit, "cuDNN: a plan wants {} bytes of workspace", bytes);
  workspace_bytes_ = static_cast<size_t>(bytes);
}

void ConvPlan::run(const ConvPointers& p, void* workspace, cudaStream_t stream) const {
  std::vector<void*> pointers = {p.x, p.w, p.y};
  std::vector<int64_t> ids = {id_x, id_w, id_y};
  if (bias_) pointers.push_back(p.bias), ids.push_back(id_bias);
  if (residual_) pointers.push_back(p.residual), ids.push_back(id_residual);
  DnnDescriptor pack(dnn_, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, static_cast<int64_t>(pointers.size()),
           pointers.data());
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids);
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace);
  pack.finalize("a launch");
  const std::lock_guard<std::mutex> lock(dnn_.mutex);
  dnn_.check(dnn_.set_stream(dnn_.handle, stream), "a stream");
  dnn_.check(dnn_.execute(dnn_.handle, plan_.get(), pack.get()), "a convolution");
}

std::unique_ptr<ConvPlans::Known> ConvPlans::query(const ConvProblem& problem) const {
  auto made = std::make_unique<Known>();
  try {
    made->graph = std::make_unique<ConvGraph>(*dnn_, problem);
    for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
      for (Descriptor& config : heuristics(*dnn_, made->graph->graph(), mode)) {
        if (problem.type == DType::f32 && !problem.tf32 && uses_tensor_cores(*dnn_, *config)) continue;
        made->configs.push_back(std::move(config));
      }
    }
  } catch (const Error&) {
    made->configs.clear();  // a graph that the library does not take
  }
  return made;
}

std::shared_ptr<const ConvPlan> ConvPlans::get(const ConvProblem& problem, size_t rank) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<Known>& known = known_[problem.key()];
  if (!known) known = query(problem);
  while (known->plans.size() <= rank && known->tried < known->configs.size()) {
    const cudnnBackendDescriptor_t config = known->configs[known->tried++]->get();
    try {
      known->plans.push_back(std::make_shared<const ConvPlan>(*dnn_, config, problem.bias, problem.residual));
    } catch (const Error&) {
      // not on this device
    }
  }
  return rank < known->plans.size() ? known->plans[rank] : nullptr;
}

}  // namespace narae::cuda
