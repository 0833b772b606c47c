// SPDX-License-Identifier: Apache-2.0
#include "ops/reverse_sequence.h"

#include "ops/define.h"
#include "ops/indices.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  const auto& a = c.attributes<ReverseSequenceAttributes>();
  const Shape& x = c.shape(0);
  check_index_type(c, 1);
  const int64_t rank = static_cast<int64_t>(x.size());
  const int64_t time = normal_axis(a.time_axis, rank), batch = normal_axis(a.batch_axis, rank);
  if (time == batch) fail(ErrorCode::bad_file, "time and batch are both axis {}", time);
  if (c.shape(1).size() != 1) fail(ErrorCode::bad_file, "lengths of rank {}, not 1", c.shape(1).size());
  c.require_equal(c.shape(1)[0], x[static_cast<size_t>(batch)], "one length per entry");
  c.set_output(0, c.dtype(0), x);
}

void reference(ReferenceContext& c) {
  const auto& a = c.attributes<ReverseSequenceAttributes>();
  const Tensor &x = c.inputs[0], &lengths = c.inputs[1], &y = c.outputs[0];
  const int64_t rank = static_cast<int64_t>(x.dims.size());
  const auto time = static_cast<size_t>(normal_axis(a.time_axis, rank));
  const auto batch = static_cast<size_t>(normal_axis(a.batch_axis, rank));
  for (int64_t i = 0; i < lengths.count(); ++i) {
    const int64_t length = element_as_int(lengths, i);
    if (length < 0 || length > x.dims[time]) {
      fail(ErrorCode::does_not_fit, "length {} of entry {} is outside [0, {}]", length, i, x.dims[time]);
    }
  }
  const Dims strides = row_strides(x.dims);
  visit_storage(x.dtype, [&](auto tag) {
    using T = decltype(tag);
    for_each_index(y.dims, [&](const Dims& index, int64_t i) {
      const int64_t length = element_as_int(lengths, index[batch]), at = index[time];
      const int64_t from = at < length ? length - 1 - at : at;
      y.as<T>()[i] = x.as<T>()[i + (from - at) * strides[time]];
    });
  });
}

}  // namespace

const OpDef* reverse_sequence_op() {
  static const OpDef def = define_op<ReverseSequenceAttributes>("reverse_sequence", 2, 2, 0, infer, reference);
  return &def;
}

}  // namespace narae
