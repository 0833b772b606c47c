// SPDX-License-Identifier: Apache-2.0
#include "ops/pad.h"

#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer(InferContext& c) {
  const auto& a = c.attributes<PadAttributes>();
  Shape shape = c.shape(0);
  if (a.pads.size() != 2 * shape.size()) fail(ErrorCode::bad_file, "{} pads for rank {}", a.pads.size(), shape.size());
  if (a.mode != "constant" && a.mode != "edge" && a.mode != "reflect" && a.mode != "wrap") {
    fail(ErrorCode::bad_file, "unknown mode \"{}\"", a.mode);
  }
  if (c.has_input(1) && (c.dtype(1) != c.dtype(0) || element_count(c.shape(1)) != Dim(1))) {
    fail(ErrorCode::bad_file, "the filling value is {}{}, the operand {}", dtype_name(c.dtype(1)),
         shape_text(c.shape(1)), dtype_name(c.dtype(0)));
  }
  for (size_t i = 0; i < shape.size(); ++i) shape[i] = shape[i] + a.pads[i] + a.pads[i + shape.size()];
  c.set_output(0, c.dtype(0), std::move(shape));
}

// Where each place of one result axis reads from; -1: the filling value.
std::vector<int64_t> sources(const std::string& mode, int64_t size, int64_t begin, int64_t end) {
  const int64_t low = std::max<int64_t>(0, -begin), high = size - std::max<int64_t>(0, -end), length = high - low;
  std::vector<int64_t> from;
  const int64_t total = size + begin + end;
  if (total > 0 && length <= 0 && mode != "constant")
    fail(ErrorCode::does_not_fit, "nothing to pad an empty axis with");
  for (int64_t i = 0; i < total; ++i) {
    int64_t at = i - std::max<int64_t>(0, begin);  // in the part that is kept
    if (at < 0 || at >= length) {
      if (mode == "constant") {
        from.push_back(-1);
        continue;
      }
      const int64_t period = mode == "wrap" ? length : std::max<int64_t>(1, 2 * (length - 1));
      if (mode == "edge") {
        at = std::clamp<int64_t>(at, 0, length - 1);
      } else {
        at = ((at % period) + period) % period;
        if (at >= length) at = period - at;
      }
    }
    from.push_back(low + at);
  }
  return from;
}

void reference(ReferenceContext& c) {
  const auto& a = c.attributes<PadAttributes>();
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const Dims strides = row_strides(x.dims);
  std::vector<std::vector<int64_t>> from;
  for (size_t i = 0; i < x.dims.size(); ++i) {
    from.push_back(sources(a.mode, x.dims[i], c.evaluate(a.pads[i]), c.evaluate(a.pads[i + x.dims.size()])));
  }
  const Tensor* fill = c.inputs.size() > 1 && c.inputs[1].data ? &c.inputs[1] : nullptr;
  visit_storage(x.dtype, [&](auto tag) {
    using T = decltype(tag);
    const T filling = fill ? fill->as<T>()[0] : T{};
    for_each_index(y.dims, [&](const Dims& index, int64_t i) {
      int64_t offset = 0;
      for (size_t axis = 0; axis < index.size() && offset >= 0; ++axis) {
        const int64_t at = from[axis][static_cast<size_t>(index[axis])];
        offset = at < 0 ? -1 : offset + at * strides[axis];
      }
      y.as<T>()[i] = offset < 0 ? filling : x.as<T>()[offset];
    });
  });
}

}  // namespace

const OpDef* pad_op() {
  static const OpDef def = define_op<PadAttributes>("pad", 1, 2, 0, infer, reference);
  return &def;
}

}  // namespace narae
