// SPDX-License-Identifier: Apache-2.0
// Direct convolution of one image. The weights' form is what oneDNN picks for the `packing` problem without anything
// after it; a slice of another image size, or with an epilogue, is told to take that form.
#include <algorithm>
#include <cstring>

#include "kernels/onednn/onednn_plan.h"

namespace narae::cpu {
namespace {

// OIHW, or GOIHW: the group axis stands first.
struct WeightDims {
  int rank = 4;
  dnnl_dims_t dims = {};
  explicit WeightDims(const OnednnConv& c) {
    const bool grouped = c.groups > 1;
    int at = 0;
    if (grouped) dims[at++] = c.groups;
    dims[at++] = c.oc / c.groups, dims[at++] = c.ic / c.groups, dims[at++] = c.kh, dims[at++] = c.kw;
    rank = at;
  }
};

// What the last output row needs below the image; rows that no output reads count as none.
int64_t pad_after(int64_t in, int64_t out, int64_t k, int64_t stride, int64_t dilation, int64_t pad_before) {
  return std::max<int64_t>(0, (out - 1) * stride + (k - 1) * dilation + 1 - in - pad_before);
}

// Weights in the form given, or in oneDNN's choice where it is null.
DescHandle describe(const OnednnConv& c, const dnnl_memory_desc_t* form, const OnednnPost& post, dnnl_engine_t engine) {
  const dnnl_format_tag_t blocked = c.block == 16 ? dnnl_nChw16c : dnnl_nChw8c;
  const dnnl_dims_t in = {1, c.ic, c.ih, c.iw}, out = {1, c.oc, c.oh, c.ow}, flat = {c.oc};
  dnnl_memory_desc_t src, weights, bias, dst;
  bool good = dnnl_memory_desc_init_by_tag(&src, 4, in, dnnl_f32, c.plain_input ? dnnl_nchw : blocked) == dnnl_success;
  good = good && dnnl_memory_desc_init_by_tag(&dst, 4, out, dnnl_f32, blocked) == dnnl_success;
  good = good && dnnl_memory_desc_init_by_tag(&bias, 1, flat, dnnl_f32, dnnl_a) == dnnl_success;
  const WeightDims w(c);
  good = good && dnnl_memory_desc_init_by_tag(&weights, w.rank, w.dims, dnnl_f32, dnnl_format_tag_any) == dnnl_success;
  if (form) weights = *form;
  const dnnl_dims_t strides = {c.stride_h, c.stride_w}, dilations = {c.dilation_h - 1, c.dilation_w - 1};
  const dnnl_dims_t before = {c.pad_top, c.pad_left};
  const dnnl_dims_t after = {pad_after(c.ih, c.oh, c.kh, c.stride_h, c.dilation_h, c.pad_top),
                             pad_after(c.iw, c.ow, c.kw, c.stride_w, c.dilation_w, c.pad_left)};
  dnnl_convolution_desc_t desc;
  good = good && dnnl_dilated_convolution_forward_desc_init(&desc, dnnl_forward_inference, dnnl_convolution_direct,
                                                            &src, &weights, post.bias ? &bias : nullptr, &dst, strides,
                                                            dilations, before, after) == dnnl_success;
  return good ? make_desc(&desc, post, engine) : nullptr;
}

}  // namespace

size_t conv_weights_bytes(const OnednnConv& packing) { return OnednnProblem<describe>::weights_bytes(packing); }

bool pack_conv(const OnednnConv& packing, const float* weights, void* packed) {
  const WeightDims w(packing);
  dnnl_memory_desc_t plain;
  const dnnl_format_tag_t tag = w.rank == 5 ? dnnl_goihw : dnnl_oihw;
  if (dnnl_memory_desc_init_by_tag(&plain, w.rank, w.dims, dnnl_f32, tag) != dnnl_success) return false;
  return OnednnProblem<describe>::pack(packing, plain, weights, packed);
}

OnednnPlan* make_conv(const OnednnConv& slice, const OnednnConv& packing, const OnednnPost& post, int64_t tasks) {
  return OnednnProblem<describe>::make(slice, packing, post, tasks);
}

}  // namespace narae::cpu
