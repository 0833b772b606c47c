// SPDX-License-Identifier: Apache-2.0
// Setting a memory's handle writes zeros into the lanes that its descriptor pads. What is only read may lie in a mapped
// file or be read by others at that moment, so a padded operand's memory object gets a flat descriptor of the same size
// (primitives go by their own descriptors).
#include "kernels/onednn/onednn_plan.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

// Of the OpenMP runtime that oneDNN was built with; its header is not with every compiler.
extern "C" int omp_get_max_threads();
extern "C" void omp_set_num_threads(int threads);

namespace narae::cpu {

struct OnednnPlan {
  struct Task {
    StreamHandle stream;
    MemoryHandle in, weights, bias, out, scratch;
  };
  EngineHandle engine;
  DescHandle desc;
  PrimitiveHandle primitive;
  std::vector<Task> tasks;
  size_t scratch_bytes = 0;
  uint64_t form = 0;
  const char* implementation = "";
};

namespace {

bool is_padded(const dnnl_memory_desc_t& desc) {
  return !std::equal(desc.dims, desc.dims + desc.ndims, desc.padded_dims);
}

MemoryHandle make_memory(const dnnl_memory_desc_t& desc, bool read_only, dnnl_engine_t engine,
                         void* handle = DNNL_MEMORY_NONE) {
  dnnl_memory_desc_t own = desc;
  if (read_only && is_padded(desc)) {
    const dnnl_dims_t dims = {static_cast<dnnl_dim_t>(dnnl_memory_desc_get_size(&desc) / sizeof(float))};
    if (dnnl_memory_desc_init_by_tag(&own, 1, dims, dnnl_f32, dnnl_a) != dnnl_success) return nullptr;
  }
  dnnl_memory_t memory = nullptr;
  if (dnnl_memory_create(&memory, &own, engine, handle) != dnnl_success) return nullptr;
  return MemoryHandle(memory);
}

StreamHandle make_onednn_stream(dnnl_engine_t engine) {
  dnnl_stream_t stream = nullptr;
  if (dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) != dnnl_success) return nullptr;
  return StreamHandle(stream);
}

PrimitiveHandle make_primitive(const dnnl_primitive_desc& desc) {
  dnnl_primitive_t primitive = nullptr;
  if (dnnl_primitive_create(&primitive, &desc) != dnnl_success) return nullptr;
  return PrimitiveHandle(primitive);
}

bool append_act(dnnl_post_ops_t ops, const OnednnPost& post) {
  const auto append = [&](dnnl_alg_kind_t kind, float alpha = 0.0f, float beta = 0.0f) {
    return dnnl_post_ops_append_eltwise(ops, 1.0f, kind, alpha, beta) == dnnl_success;
  };
  switch (post.act) {
    case OnednnAct::none: return true;
    case OnednnAct::relu: return append(dnnl_eltwise_relu);
    case OnednnAct::leaky_relu: return append(dnnl_eltwise_relu, post.a);
    case OnednnAct::clip: return append(dnnl_eltwise_clip, post.a, post.b);
    case OnednnAct::hard_swish: return append(dnnl_eltwise_hardswish);
    case OnednnAct::sigmoid: return append(dnnl_eltwise_logistic);
    case OnednnAct::silu: return append(dnnl_eltwise_swish, 1.0f);
    case OnednnAct::gelu: return append(dnnl_eltwise_gelu_erf);
    case OnednnAct::gelu_tanh: return append(dnnl_eltwise_gelu_tanh);
    case OnednnAct::tanh: return append(dnnl_eltwise_tanh);
    case OnednnAct::elu: return append(dnnl_eltwise_elu, post.a);
  }
  return false;
}

}  // namespace

OneThread::OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
OneThread::~OneThread() { omp_set_num_threads(before_); }

EngineHandle make_onednn_engine() {
  dnnl_engine_t engine = nullptr;
  if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success) return nullptr;
  return EngineHandle(engine);
}

AttrHandle make_attributes(const OnednnPost& post) {
  dnnl_primitive_attr_t made = nullptr;
  if (dnnl_primitive_attr_create(&made) != dnnl_success) return nullptr;
  AttrHandle attributes(made);
  if (dnnl_primitive_attr_set_scratchpad_mode(made, dnnl_scratchpad_mode_user) != dnnl_success) return nullptr;
  dnnl_post_ops_t chain = nullptr;
  if (dnnl_post_ops_create(&chain) != dnnl_success) return nullptr;
  const PostOpsHandle owner(chain);
  if (post.residual && dnnl_post_ops_append_sum(chain, 1.0f) != dnnl_success) return nullptr;
  if (!append_act(chain, post)) return nullptr;
  if (dnnl_primitive_attr_set_post_ops(made, chain) != dnnl_success) return nullptr;
  return attributes;
}

dnnl_memory_desc_t md_of(const dnnl_primitive_desc& desc, dnnl_query_t what, int index) {
  const dnnl_memory_desc_t* found = dnnl_primitive_desc_query_md(&desc, what, index);
  return found ? *found : dnnl_memory_desc_t{};
}

// FNV-1a over what says where an element lies.
uint64_t form_of(const dnnl_memory_desc_t& desc) {
  uint64_t hash = 0xcbf29ce484222325ull;
  const auto add = [&](const dnnl_dim_t* values, int count) {
    for (int i = 0; i < count; ++i) hash = (hash ^ static_cast<uint64_t>(values[i])) * 0x100000001b3ull;
  };
  const dnnl_blocking_desc_t& blocking = desc.format_desc.blocking;
  const dnnl_dim_t kinds[] = {desc.ndims, desc.format_kind, static_cast<dnnl_dim_t>(desc.extra.flags)};
  add(kinds, 3);
  add(desc.padded_dims, desc.ndims);
  if (desc.format_kind != dnnl_blocked) return hash;
  add(blocking.strides, desc.ndims);
  add(blocking.inner_blks, blocking.inner_nblks);
  add(blocking.inner_idxs, blocking.inner_nblks);
  return hash;
}

size_t packed_bytes(const dnnl_memory_desc_t& form) {
  return sizeof(WeightsHeader) + (dnnl_memory_desc_get_size(&form) + 63) / 64 * 64;
}

bool pack_weights(const dnnl_memory_desc_t& plain, const dnnl_memory_desc_t& form, const float* weights, void* packed,
                  dnnl_engine_t engine) {
  auto* header = new (packed) WeightsHeader;
  header->form = form_of(form);
  dnnl_primitive_desc_t made = nullptr;
  if (dnnl_reorder_primitive_desc_create(&made, &plain, engine, &form, engine, nullptr) != dnnl_success) return false;
  const DescHandle desc(made);
  const PrimitiveHandle primitive = make_primitive(*desc);
  const StreamHandle stream = make_onednn_stream(engine);
  const MemoryHandle from = make_memory(plain, true, engine, const_cast<float*>(weights));
  const MemoryHandle to = make_memory(form, false, engine, header + 1);
  if (!primitive || !stream || !from || !to) return false;
  const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from.get()}, {DNNL_ARG_TO, to.get()}};
  return dnnl_primitive_execute(primitive.get(), stream.get(), 2, args) == dnnl_success &&
         dnnl_stream_wait(stream.get()) == dnnl_success;
}

DescHandle make_desc(const_dnnl_op_desc_t op, const OnednnPost& post, dnnl_engine_t engine) {
  const AttrHandle attributes = make_attributes(post);
  dnnl_primitive_desc_t made = nullptr;
  if (!attributes) return nullptr;
  if (dnnl_primitive_desc_create(&made, op, attributes.get(), engine, nullptr) != dnnl_success) return nullptr;
  return DescHandle(made);
}

OnednnPlan* make_plan(EngineHandle engine, DescHandle desc, const OnednnPost& post, int64_t tasks) {
  auto plan = std::make_unique<OnednnPlan>();
  plan->engine = std::move(engine);
  plan->desc = std::move(desc);
  plan->primitive = make_primitive(*plan->desc);
  if (!plan->primitive) return nullptr;
  const dnnl_memory_desc_t weights = md_of(*plan->desc, dnnl_query_weights_md);
  const dnnl_memory_desc_t scratch = md_of(*plan->desc, dnnl_query_scratchpad_md);
  plan->form = form_of(weights);
  plan->scratch_bytes = dnnl_memory_desc_get_size(&scratch);
  dnnl_primitive_desc_query(plan->desc.get(), dnnl_query_impl_info_str, 0, &plan->implementation);
  for (int64_t i = 0; i < tasks; ++i) {
    OnednnPlan::Task task;
    dnnl_engine_t of = plan->engine.get();
    task.stream = make_onednn_stream(of);
    task.in = make_memory(md_of(*plan->desc, dnnl_query_src_md), true, of);
    task.weights = make_memory(weights, true, of);
    if (post.bias) task.bias = make_memory(md_of(*plan->desc, dnnl_query_weights_md, 1), true, of);
    task.out = make_memory(md_of(*plan->desc, dnnl_query_dst_md), false, of);
    if (plan->scratch_bytes) task.scratch = make_memory(scratch, false, of);
    if (!task.stream || !task.in || !task.weights || !task.out) return nullptr;
    if ((post.bias && !task.bias) || (plan->scratch_bytes && !task.scratch)) return nullptr;
    plan->tasks.push_back(std::move(task));
  }
  return plan.release();
}

size_t plan_scratch_bytes(const OnednnPlan* plan) { return plan->scratch_bytes; }
const char* plan_implementation(const OnednnPlan* plan) { return plan->implementation; }
void destroy_plan(OnednnPlan* plan) { delete plan; }

bool run_plan(OnednnPlan* plan, int64_t index, const float* in, const void* weights, const float* bias, float* out,
              void* scratch) {
  const auto* header = static_cast<const WeightsHeader*>(weights);
  if (header->form != plan->form) return false;
  const OneThread one;
  OnednnPlan::Task& task = plan->tasks[static_cast<size_t>(index)];
  std::array<dnnl_exec_arg_t, 5> args;
  int count = 0;
  bool good = true;
  const auto bind = [&](int name, const MemoryHandle& memory, const void* data) {
    if (!memory) return;
    good = good && dnnl_memory_set_data_handle(memory.get(), const_cast<void*>(data)) == dnnl_success;
    args[static_cast<size_t>(count++)] = {name, memory.get()};
  };
  bind(DNNL_ARG_SRC, task.in, in);
  bind(DNNL_ARG_WEIGHTS, task.weights, header + 1);
  bind(DNNL_ARG_BIAS, task.bias, bias);
  bind(DNNL_ARG_DST, task.out, out);
  bind(DNNL_ARG_SCRATCHPAD, task.scratch, scratch);
  return good && dnnl_primitive_execute(plan->primitive.get(), task.stream.get(), count, args.data()) == dnnl_success &&
         dnnl_stream_wait(task.stream.get()) == dnnl_success;
}

}  // namespace narae::cpu
