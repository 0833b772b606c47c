// SPDX-License-Identifier: Apache-2.0
// The one symbol of libnarae_onednn.so.
#include <cstdio>
#include <cstring>

#include "kernels/onednn/onednn_plan.h"

namespace narae::cpu {
namespace {

const char* version_text() {
  static char text[64];
  static const bool once = [] {
    const dnnl_version_t* version = dnnl_version();
    std::snprintf(text, sizeof text, "%d.%d.%d isa%x", version->major, version->minor, version->patch,
                  static_cast<unsigned>(dnnl_get_effective_cpu_isa()));
    return true;
  }();
  return once ? text : "";
}

}  // namespace
}  // namespace narae::cpu

extern "C" __attribute__((visibility("default"))) const narae::cpu::OnednnTable* narae_onednn_table(
    const char* build_id) {
  using namespace narae::cpu;
  if (std::strcmp(build_id, NARAE_ONEDNN_BUILD_ID) != 0) return nullptr;
  static const OnednnTable table = {version_text(),      conv_weights_bytes, gemm_weights_bytes, pack_conv,
                                    pack_gemm,           make_conv,          make_gemm,          plan_scratch_bytes,
                                    plan_implementation, run_plan,           destroy_plan};
  return &table;
}
