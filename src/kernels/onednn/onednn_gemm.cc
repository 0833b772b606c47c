// SPDX-License-Identifier: Apache-2.0
// Products with a right operand that is packed beforehand.
#include "kernels/onednn/onednn_plan.h"

namespace narae::cpu {
namespace {

bool rows_md(dnnl_memory_desc_t& desc, int64_t rows, int64_t columns, int64_t stride_row, int64_t stride_column) {
  const dnnl_dims_t dims = {rows, columns}, strides = {stride_row, stride_column};
  return dnnl_memory_desc_init_by_strides(&desc, 2, dims, dnnl_f32, strides) == dnnl_success;
}

// Weights in the form given, or in oneDNN's choice where it is null.
DescHandle describe(const OnednnGemm& g, const dnnl_memory_desc_t* form, const OnednnPost& post, dnnl_engine_t engine) {
  const dnnl_dims_t b = {g.k, g.n};
  dnnl_memory_desc_t src, weights, bias, dst;
  bool good = rows_md(src, g.m, g.k, g.k, 1) && rows_md(dst, g.m, g.n, g.ldc, 1) && rows_md(bias, 1, g.n, g.n, 1);
  good = good && dnnl_memory_desc_init_by_tag(&weights, 2, b, dnnl_f32, dnnl_format_tag_any) == dnnl_success;
  if (form) weights = *form;
  dnnl_matmul_desc_t desc;
  good = good && dnnl_matmul_desc_init(&desc, &src, &weights, post.bias ? &bias : nullptr, &dst) == dnnl_success;
  return good ? make_desc(&desc, post, engine) : nullptr;
}

}  // namespace

size_t gemm_weights_bytes(const OnednnGemm& packing) { return OnednnProblem<describe>::weights_bytes(packing); }

bool pack_gemm(const OnednnGemm& packing, const float* b, int64_t stride_k, int64_t stride_n, void* packed) {
  dnnl_memory_desc_t plain;
  if (!rows_md(plain, packing.k, packing.n, stride_k, stride_n)) return false;
  return OnednnProblem<describe>::pack(packing, plain, b, packed);
}

OnednnPlan* make_gemm(const OnednnGemm& slice, const OnednnGemm& packing, const OnednnPost& post, int64_t tasks) {
  return OnednnProblem<describe>::make(slice, packing, post, tasks);
}

}  // namespace narae::cpu
