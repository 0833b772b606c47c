// SPDX-License-Identifier: Apache-2.0
// What oneDNN can do after a product or convolution by itself; a body that asks for more is not proposed.
#pragma once

#include <optional>

#include "backend/contraction_body.h"
#include "backend/cpu/onednn_library.h"

namespace narae::cpu {

// Empty: there is more than bias, residual and one activation.
std::optional<OnednnPost> onednn_post(const ContractionBody& body, bool bias);

// Own kernels win ties, because oneDNN's cannot be planned, counted or reproduced as well.
inline constexpr double onednn_handicap = 1.15;

}  // namespace narae::cpu
