// SPDX-License-Identifier: Apache-2.0
// topk: the k largest (or smallest) elements along `axis` and, as a second result, their places (i64). Equal elements
// keep their order, NaN counts as larger than everything. arg_max, arg_min: the place (i64) of the largest or smallest
// element; the first of equal ones, or the last.
#pragma once

#include "graph/attributes.h"

namespace narae {

struct TopkAttributes {
  Dim k = 1;
  int64_t axis = -1;  // negative counts from the end
  bool largest = true;
  bool sorted = true;  // false: the order of the k does not matter (the reference sorts all the same)
  template <class V>
  void fields(V& v) {
    v("k", k);
    v("axis", axis);
    v("largest", largest);
    v("sorted", sorted);
  }
};

struct ArgAttributes {  // arg_max, arg_min
  int64_t axis = 0;
  bool keepdims = true;
  bool select_last_index = false;
  template <class V>
  void fields(V& v) {
    v("axis", axis);
    v("keepdims", keepdims);
    v("select_last_index", select_last_index);
  }
};

}  // namespace narae
