// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "ops/op_case.h"
#include "ops/slice.h"

namespace narae {

void add_slice_cases(std::vector<OpCase>& cases) {
  constexpr int64_t most = std::numeric_limits<int64_t>::max(), least = std::numeric_limits<int64_t>::min();
  auto add = [&](const char* name, SliceAttributes attributes, CaseInput x,
                 std::vector<std::vector<double>> expected = {}) {
    cases.push_back({"slice", name, make_attributes(std::move(attributes)), {std::move(x)}, 1, 0, std::move(expected)});
  };
  const CaseInput six = given(DType::f32, {6}, {0, 1, 2, 3, 4, 5});
  add("middle", {{1}, {4}, {0}, {}}, six, {{1, 2, 3}});
  add("from_end", {{-3}, {-1}, {0}, {1}}, six, {{3, 4}});
  add("to_end", {{2}, {most}, {0}, {1}}, six, {{2, 3, 4, 5}});
  add("past_the_ends", {{-99}, {99}, {0}, {1}}, six, {{0, 1, 2, 3, 4, 5}});
  add("step2", {{1}, {most}, {0}, {2}}, six, {{1, 3, 5}});
  add("step4", {{0}, {5}, {0}, {4}}, six, {{0, 4}});
  add("reversed", {{-1}, {least}, {0}, {-1}}, six, {{5, 4, 3, 2, 1, 0}});
  add("back_by_two", {{4}, {0}, {0}, {-2}}, six, {{4, 2}});
  add("back_from_past_the_end", {{99}, {-99}, {0}, {-3}}, six, {{5, 2}});
  add("nothing", {{4}, {2}, {0}, {1}}, six, {{}});
  add("nothing_backwards", {{1}, {3}, {0}, {-1}}, six, {{}});
  add("step_most", {{0}, {most}, {0}, {most}}, six, {{0}});
  add("reversed_empty", {{-1}, {least}, {0}, {-1}}, normal({0}), {{}});
  add("rows", {{1}, {3}, {0}, {}}, normal({5, 7}));
  add("columns", {{2}, {most}, {-1}, {}}, normal({5, 7}));
  add("two_axes", {{0, 1}, {2, most}, {2, 0}, {1, 2}}, normal({5, 3, 4}));
  add("channels", {{1}, {3}, {1}, {}}, normal({2, 5, 3, 7}));
  add("rank5", {{1, -1}, {2, least}, {1, 4}, {1, -1}}, normal({2, 3, 2, 1, 5}));
  add("no_axes", {{}, {}, {}, {}}, normal({2, 3}));
  add("scalar", {{}, {}, {}, {}}, normal({}));
  add("i64", {{1}, {4}, {0}, {}}, integers(DType::i64, {6, 2}, -9, 9));
  add("u8", {{1}, {-1}, {1}, {2}}, integers(DType::u8, {3, 8}, 0, 255));
  add("f16", {{1}, {-1}, {1}, {2}}, normal({3, 8}, DType::f16));
  const CaseInput sizes = given(DType::i64, {4}, {2, 3, 5, 7}).with_contents();
  add("contents", {{1}, {3}, {0}, {}}, sizes, {{3, 5}});
  cases.back().carries_contents = true;
  add("contents_reversed", {{-1}, {least}, {0}, {-2}}, sizes, {{7, 3}});
  cases.back().carries_contents = true;
}

}  // namespace narae
