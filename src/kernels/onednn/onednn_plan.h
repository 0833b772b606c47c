// SPDX-License-Identifier: Apache-2.0
// Inside libnarae_onednn.so: oneDNN's handles, a plan, and what convolutions and products share. Weights carry a header
// that names their form, because oneDNN chooses it from the problem and the machine.
#pragma once

#include <dnnl.h>

#include <memory>
#include <vector>

#include "kernels/onednn/onednn_table.h"

namespace narae::cpu {

template <auto destroy>
struct OnednnCloser {
  template <typename T>
  void operator()(T* handle) const {
    destroy(handle);
  }
};
using EngineHandle = std::unique_ptr<dnnl_engine, OnednnCloser<dnnl_engine_destroy>>;
using StreamHandle = std::unique_ptr<dnnl_stream, OnednnCloser<dnnl_stream_destroy>>;
using MemoryHandle = std::unique_ptr<dnnl_memory, OnednnCloser<dnnl_memory_destroy>>;
using DescHandle = std::unique_ptr<dnnl_primitive_desc, OnednnCloser<dnnl_primitive_desc_destroy>>;
using PrimitiveHandle = std::unique_ptr<dnnl_primitive, OnednnCloser<dnnl_primitive_destroy>>;
using AttrHandle = std::unique_ptr<dnnl_primitive_attr, OnednnCloser<dnnl_primitive_attr_destroy>>;
using PostOpsHandle = std::unique_ptr<dnnl_post_ops, OnednnCloser<dnnl_post_ops_destroy>>;

// While it lives, oneDNN sees one thread; the calling thread's setting comes back afterwards.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// Before the packed weights; a cache line, so that they stay aligned.
struct alignas(64) WeightsHeader {
  uint64_t form = 0;
};
uint64_t form_of(const dnnl_memory_desc_t& desc);

EngineHandle make_onednn_engine();
AttrHandle make_attributes(const OnednnPost& post);
dnnl_memory_desc_t md_of(const dnnl_primitive_desc& desc, dnnl_query_t what, int index = 0);
size_t packed_bytes(const dnnl_memory_desc_t& form);
// Header and reordered weights.
bool pack_weights(const dnnl_memory_desc_t& plain, const dnnl_memory_desc_t& form, const float* weights, void* packed,
                  dnnl_engine_t engine);
// Null where something fails. `op`: dnnl_convolution_desc_t or another.
DescHandle make_desc(const_dnnl_op_desc_t op, const OnednnPost& post, dnnl_engine_t engine);
OnednnPlan* make_plan(EngineHandle engine, DescHandle desc, const OnednnPost& post, int64_t tasks);

// A problem described by `describe(problem, form, post, engine)`: weights in the form given, or in oneDNN's choice
// where it is null. What oneDNN chooses for the packing problem is the form of the packed weights.
template <auto describe>
struct OnednnProblem {
  template <typename Problem>
  static size_t weights_bytes(const Problem& packing) {
    const OneThread one;
    const EngineHandle engine = make_onednn_engine();
    const DescHandle desc = engine ? describe(packing, nullptr, {}, engine.get()) : nullptr;
    return desc ? packed_bytes(md_of(*desc, dnnl_query_weights_md)) : 0;
  }
  template <typename Problem>
  static bool pack(const Problem& packing, const dnnl_memory_desc_t& plain, const float* weights, void* packed) {
    const OneThread one;
    const EngineHandle engine = make_onednn_engine();
    const DescHandle desc = engine ? describe(packing, nullptr, {}, engine.get()) : nullptr;
    return desc && pack_weights(plain, md_of(*desc, dnnl_query_weights_md), weights, packed, engine.get());
  }
  template <typename Problem>
  static OnednnPlan* make(const Problem& slice, const Problem& packing, const OnednnPost& post, int64_t tasks) {
    const OneThread one;
    EngineHandle engine = make_onednn_engine();
    const DescHandle packed = engine ? describe(packing, nullptr, {}, engine.get()) : nullptr;
    if (!packed) return nullptr;
    const dnnl_memory_desc_t form = md_of(*packed, dnnl_query_weights_md);
    DescHandle desc = describe(slice, &form, post, engine.get());
    return desc ? make_plan(std::move(engine), std::move(desc), post, tasks) : nullptr;
  }
};

// What the table says of them.
size_t conv_weights_bytes(const OnednnConv& packing);
size_t gemm_weights_bytes(const OnednnGemm& packing);
bool pack_conv(const OnednnConv& packing, const float* weights, void* packed);
bool pack_gemm(const OnednnGemm& packing, const float* b, int64_t stride_k, int64_t stride_n, void* packed);
OnednnPlan* make_conv(const OnednnConv& slice, const OnednnConv& packing, const OnednnPost& post, int64_t tasks);
OnednnPlan* make_gemm(const OnednnGemm& slice, const OnednnGemm& packing, const OnednnPost& post, int64_t tasks);
size_t plan_scratch_bytes(const OnednnPlan* plan);
const char* plan_implementation(const OnednnPlan* plan);
bool run_plan(OnednnPlan* plan, int64_t index, const float* in, const void* weights, const float* bias, float* out,
              void* scratch);
void destroy_plan(OnednnPlan* plan);

}  // namespace narae::cpu
