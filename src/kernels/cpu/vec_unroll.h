// SPDX-License-Identifier: Apache-2.0
// Loops that must be unrolled for register arrays to stay in registers: f receives 0 .. N - 1 as constants. Lambdas
// given to it carry NARAE_UNROLLED.
#pragma once

#include <utility>

#define NARAE_UNROLLED __attribute__((always_inline))

namespace narae::cpu {
namespace {

template <int... I, typename F>
NARAE_INLINE void unroll_each(std::integer_sequence<int, I...>, F&& f) {
  (f(std::integral_constant<int, I>{}), ...);
}
template <int N, typename F>
NARAE_INLINE void unroll(F&& f) {
  unroll_each(std::make_integer_sequence<int, N>{}, f);
}

}  // namespace
}  // namespace narae::cpu
