// SPDX-License-Identifier: Apache-2.0
// sample: chooses one token per row of logits f32 [R, V]. Further operands, one entry per row: temperatures f32, top_ks
// i32, top_ps f32, min_ps f32, seeds i64, branches i32, positions i32; change_starts i32 [R + 1] into change_tokens
// i32, change_scales f32, change_adds f32 [A]; mask_rows i32 into masks i32 [M, ceil(V / 32)].
// -> tokens i32 [R], logprobs f32 [R].
//
// In this order: l = (l > 0 ? l / scale : l * scale) + add for each change; tokens whose bit (t % 32 of word t / 32) is
// not set in row mask_rows of masks cannot come (-1: all can); temperature 0 takes the highest l; else l / temperature,
// of these the top_k highest (0: all), of these the fewest highest whose probabilities sum up to top_p, of these the
// ones of at least min_p times the highest probability, and of these the highest l / temperature - log(-log(noise)),
// noise as tensor/noise.h has it. Of equals the lower token is the higher; where no token can come it is -1. logprob:
// of the chosen token in log_softmax of the logits as they came. A change or mask outside is an Error does_not_fit. No
// attributes. Nucleus: https://arxiv.org/abs/1904.09751; min p: https://arxiv.org/abs/2407.01082; the maximum of
// Gumbel-shifted logits is a draw from their softmax: https://arxiv.org/abs/1411.0030
#pragma once

#include <cstddef>
#include <iterator>

#include "tensor/dtype.h"

namespace narae {

enum class SampleOperand : size_t {
  logit_rows,
  temperatures,
  top_ks,
  top_ps,
  min_ps,
  seeds,
  branches,
  positions,
  change_starts,
  change_tokens,
  change_scales,
  change_adds,
  mask_rows,
  masks,
};

// What an operand has: [R, V], [R], [R + 1], [A], [M, ceil(V / 32)].
enum class SampleExtent { logits, row, row_start, change, mask };

struct SampleOperandForm {
  const char* name;
  DType dtype;
  SampleExtent extent;
};
// In the order of the operands.
inline constexpr SampleOperandForm sample_forms[] = {
    {"logits", DType::f32, SampleExtent::logits},
    {"temperatures", DType::f32, SampleExtent::row},
    {"top_ks", DType::i32, SampleExtent::row},
    {"top_ps", DType::f32, SampleExtent::row},
    {"min_ps", DType::f32, SampleExtent::row},
    {"seeds", DType::i64, SampleExtent::row},
    {"branches", DType::i32, SampleExtent::row},
    {"positions", DType::i32, SampleExtent::row},
    {"change_starts", DType::i32, SampleExtent::row_start},
    {"change_tokens", DType::i32, SampleExtent::change},
    {"change_scales", DType::f32, SampleExtent::change},
    {"change_adds", DType::f32, SampleExtent::change},
    {"mask_rows", DType::i32, SampleExtent::row},
    {"masks", DType::i32, SampleExtent::mask},
};
inline constexpr size_t sample_operands = std::size(sample_forms);
static_assert(sample_operands == static_cast<size_t>(SampleOperand::masks) + 1);

}  // namespace narae
