// SPDX-License-Identifier: Apache-2.0
// What libnarae_onednn.so offers: a table of functions over plain structs, so that no C++ type, exception or allocation
// crosses between it and the rest. Everything is for one thread: a plan computes one slice (some output channels of one
// image, some rows or columns of a product), and the caller hands slices out. The one thing not to get wrong: packed
// weights are oneDNN's own form for the `packing` problem; plans refuse another form when they run.
#pragma once

#include <cstddef>
#include <cstdint>

namespace narae::cpu {

enum class OnednnAct : int32_t { none, relu, leaky_relu, clip, hard_swish, sigmoid, silu, gelu, gelu_tanh, tanh, elu };

// After the sum of products, in this order: bias, residual (which the result's memory already holds), activation.
struct OnednnPost {
  bool bias = false, residual = false;
  OnednnAct act = OnednnAct::none;
  float a = 0, b = 0;  // slope of leaky_relu, alpha of elu, bounds of clip
};

// One image. Channels are those of the slice; with groups, of the slice's groups. Images and results are blocked by
// `block` channels (NCHWc); `plain_input`: the image is NCHW.
struct OnednnConv {
  int64_t ic = 0, ih = 0, iw = 0, oc = 0, oh = 0, ow = 0, kh = 1, kw = 1, groups = 1;
  int64_t stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1, pad_top = 0, pad_left = 0;
  int64_t block = 16;
  bool plain_input = false;
};

// c[m, n] = a[m, k] b[k, n], row-major; rows of c lie ldc floats apart.
struct OnednnGemm {
  int64_t m = 0, n = 0, k = 0, ldc = 0;
};

struct OnednnPlan;  // immutable but for its tasks' memory handles: one task runs in one thread at a time

struct OnednnTable {
  const char* version;  // of oneDNN and the instruction set it uses: what packed forms depend on

  // Bytes of the slice's packed weights; 0: oneDNN cannot do it.
  size_t (*conv_weights_bytes)(const OnednnConv& packing);
  size_t (*gemm_weights_bytes)(const OnednnGemm& packing);
  // weights: OIHW of the slice; b: element (k, n) at b[k * stride_k + n * stride_n].
  bool (*pack_conv)(const OnednnConv& packing, const float* weights, void* packed);
  bool (*pack_gemm)(const OnednnGemm& packing, const float* b, int64_t stride_k, int64_t stride_n, void* packed);
  // Null: oneDNN cannot do it. `tasks` launches of the plan may run at once.
  OnednnPlan* (*make_conv)(const OnednnConv& slice, const OnednnConv& packing, const OnednnPost& post, int64_t tasks);
  OnednnPlan* (*make_gemm)(const OnednnGemm& slice, const OnednnGemm& packing, const OnednnPost& post, int64_t tasks);
  size_t (*scratch_bytes)(const OnednnPlan* plan);  // for one task
  // oneDNN's name of what it runs, such as "jit:..", or "ref:any".
  const char* (*implementation)(const OnednnPlan* plan);
  // False: oneDNN failed, or the weights are of another form.
  bool (*run)(OnednnPlan* plan, int64_t task, const float* in, const void* weights, const float* bias, float* out,
              void* scratch);
  void (*destroy)(OnednnPlan* plan);
};

// The library's one entry point, `narae_onednn_table`: null when it was built from other sources than `build_id` names.
using OnednnEntry = const OnednnTable* (*)(const char* build_id);

}  // namespace narae::cpu
