// SPDX-License-Identifier: Apache-2.0
// Codes of the runtime API as narae::Error. An error that the driver calls sticky leaves the whole context unusable:
// it is kept, and every later call on the device says so at once instead of failing somewhere else.
#pragma once

#include <cuda_runtime_api.h>

#include <string_view>

namespace narae::cuda {

// Throws Error does_not_fit where memory ran out, else failed; `what` is what was being done.
void check(cudaError_t code, std::string_view what);
// The device works no more until the process ends.
bool is_sticky(cudaError_t code);

}  // namespace narae::cuda
