// SPDX-License-Identifier: Apache-2.0
#include "ops/op_case.h"

namespace narae {

void add_bitwise_cases(std::vector<OpCase>& cases) {
  const CaseInput a = given(DType::i32, {4}, {12, -1, 5, 0}), b = given(DType::i32, {4}, {10, 7, -8, 3});
  cases.push_back({"bitwise_and", "values", {}, {a, b}, 1, 0, {{8, 7, 0, 0}}});
  cases.push_back({"bitwise_or", "values", {}, {a, b}, 1, 0, {{14, -1, -3, 3}}});
  cases.push_back({"bitwise_xor", "values", {}, {a, b}, 1, 0, {{6, -8, -3, 3}}});
  cases.push_back({"bitwise_not", "values", {}, {a}, 1, 0, {{-13, 0, -6, -1}}});
  cases.push_back({"bitwise_not", "u8", {}, {given(DType::u8, {3}, {0, 255, 170})}, 1, 0, {{255, 0, 85}}});
  cases.push_back({"bitwise_not", "scalar", {}, {given(DType::i64, {}, {41})}, 1, 0, {{-42}}});
  const CaseInput bytes = given(DType::u8, {3}, {16, 4, 129}), by = given(DType::u8, {3}, {1, 2, 3});
  cases.push_back({"shift_left", "u8", {}, {bytes, by}, 1, 0, {{32, 16, 8}}});
  cases.push_back({"shift_right", "u8", {}, {bytes, by}, 1, 0, {{8, 1, 16}}});
  const CaseInput big = given(DType::u64, {2}, {9223372036854775808.0, 3}), far = given(DType::u64, {2}, {63, 64});
  cases.push_back({"shift_right", "u64", {}, {big, far}, 1, 0, {{1, 0}}});
  cases.push_back({"shift_left", "u64", {}, {far, far}, 1, 0});
  for (const char* op : {"bitwise_and", "bitwise_or", "bitwise_xor"}) {
    cases.push_back({op,
                     "both_ways",
                     {},
                     {integers(DType::u16, {3, 1}, 0, 65535), integers(DType::u16, {2, 1, 5}, 0, 65535)},
                     1,
                     0});
    cases.push_back(
        {op, "i64", {}, {integers(DType::i64, {2, 1, 3, 1, 5}, -99, 99), integers(DType::i64, {}, -99, 99)}, 1, 0});
    cases.push_back({op, "i8_empty", {}, {normal({0, 3}, DType::i8), normal({3}, DType::i8)}, 1, 0});
  }
  for (const char* op : {"shift_left", "shift_right"}) {
    cases.push_back({op, "row", {}, {integers(DType::u32, {3, 5}, 0, 99999), integers(DType::u32, {5}, 0, 35)}, 1, 0});
  }
}

}  // namespace narae
