// SPDX-License-Identifier: Apache-2.0
#include "ops/split.h"

#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void carry_contents(InferContext& c, const std::vector<Dim>& sizes) {
  const auto* contents = c.contents(0);
  if (!contents || c.shape(0).size() != 1) return;
  size_t at = 0;
  for (size_t i = 0; i < sizes.size() && sizes[i].is_constant(); ++i) {
    const auto count = static_cast<size_t>(sizes[i].value());
    if (at + count > contents->size()) return;
    const auto first = contents->begin() + static_cast<ptrdiff_t>(at);
    c.set_contents(i, std::vector<Dim>(first, first + static_cast<ptrdiff_t>(count)));
    at += count;
  }
}

void infer(InferContext& c) {
  const auto& a = c.attributes<SplitAttributes>();
  const auto axis = static_cast<size_t>(normal_axis(a.axis, static_cast<int64_t>(c.shape(0).size())));
  if (a.sizes.size() != c.node().outputs().size()) {
    fail(ErrorCode::bad_file, "{} sizes for {} results", a.sizes.size(), c.node().outputs().size());
  }
  Dim sum(0);
  for (size_t i = 0; i < a.sizes.size(); ++i) {
    Shape shape = c.shape(0);
    shape[axis] = a.sizes[i];
    sum = sum + a.sizes[i];
    c.set_output(i, c.dtype(0), std::move(shape));
  }
  c.require_equal(sum, c.shape(0)[axis], "sizes of a split");
  carry_contents(c, a.sizes);
}

void reference(ReferenceContext& c) {
  const Tensor& x = c.inputs[0];
  const auto axis =
      static_cast<size_t>(normal_axis(c.attributes<SplitAttributes>().axis, static_cast<int64_t>(x.dims.size())));
  const int64_t outer = element_count(Dims(x.dims.begin(), x.dims.begin() + static_cast<int64_t>(axis)));
  const size_t row = outer ? x.bytes() / static_cast<size_t>(outer) : 0;
  size_t at = 0;
  for (const Tensor& y : c.outputs) {
    const size_t part = outer ? y.bytes() / static_cast<size_t>(outer) : 0;
    for (size_t i = 0; part && i < static_cast<size_t>(outer); ++i) {
      std::memcpy(y.as<char>() + i * part, x.as<char>() + i * row + at, part);
    }
    at += part;
  }
}

}  // namespace

const OpDef* split_op() {
  static const OpDef def = define_op<SplitAttributes>("split", 1, 1, 0, infer, reference);
  return &def;
}

}  // namespace narae
