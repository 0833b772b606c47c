// SPDX-License-Identifier: Apache-2.0
#include "ops/pool.h"

#include <limits>

#include "ops/define.h"
#include "ops/elements.h"
#include "ops/ops.h"
#include "ops/window.h"

namespace narae {
namespace {

template <typename A>
void infer_pool(InferContext& c) {
  const auto& a = c.attributes<A>();
  const Shape& x = c.shape(0);
  if (x.size() < 3) fail(ErrorCode::bad_file, "the operand is {}; its rank must be 3, 4 or 5", shape_text(x));
  const size_t spatial = x.size() - 2;
  check_window(spatial, a.strides, a.dilations, a.pads);
  if (a.kernel.size() != spatial)
    fail(ErrorCode::bad_file, "{} kernel sizes for {} spatial axes", a.kernel.size(), spatial);
  Shape result{x[0], x[1]};
  for (size_t i = 0; i < spatial; ++i) {
    if (a.kernel[i] < 1) fail(ErrorCode::bad_file, "kernel size {}", a.kernel[i]);
    result.push_back(
        window_count(x[i + 2], a.kernel[i], a.strides[i], a.dilations[i], a.pads[i], a.pads[i + spatial], a.ceil_mode));
  }
  if (c.node().outputs().size() > 1) c.set_output(1, DType::i64, result);
  c.set_output(0, c.dtype(0), std::move(result));
}

template <typename A>
void infer_float_pool(InferContext& c) {
  if (!is_float(c.dtype(0))) fail(ErrorCode::bad_file, "the operand is {}, not a float", dtype_name(c.dtype(0)));
  infer_pool<A>(c);
}

template <typename A>
Window window_of(const ReferenceContext& c, const A& a) {
  return Window(c.inputs[0].dims, c.outputs[0].dims, a.kernel, a.strides, a.dilations, a.pads);
}

int64_t column_major_place(const Window& w, int64_t place) {
  const int64_t x = place % w.in[2], y = place / w.in[2] % w.in[1], z = place / w.in[2] / w.in[1];
  return z + w.in[0] * (y + w.in[1] * x);
}

void max_reference(ReferenceContext& c) {
  const auto& a = c.attributes<MaxPoolAttributes>();
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const Window window = window_of(c, a);
  const std::vector<double> xs = read_elements(x);
  double lowest = -std::numeric_limits<double>::infinity();
  if (!is_float(x.dtype))
    lowest = x.dtype == DType::i8 ? -128 : x.dtype == DType::i32 ? std::numeric_limits<int32_t>::min() : 0;
  std::vector<double> ys(static_cast<size_t>(y.count()), lowest);
  std::vector<int64_t> places(ys.size(), -1);
  for (int64_t plane = 0; plane < x.dims[0] * x.dims[1]; ++plane) {
    const double* from = xs.data() + plane * window.in_count();
    const int64_t base = plane * window.out_count();
    for_each_tap(window, [&](int64_t out, int64_t in, int64_t) {
      const auto to = static_cast<size_t>(base + out);
      if (places[to] >= 0 && !(from[in] > ys[to])) return;
      ys[to] = from[in];
      places[to] = plane * window.in_count() + (a.column_major ? column_major_place(window, in) : in);
    });
  }
  write_elements(y, ys);
  if (c.outputs.size() > 1) std::copy(places.begin(), places.end(), c.outputs[1].as<int64_t>());
}

// How many taps of the window at `out` lie inside the input and its pads: less than the kernel only with ceil_mode.
int64_t padded_taps(const Window& w, int64_t out) {
  const int64_t place[3] = {out / w.out[2] / w.out[1], out / w.out[2] % w.out[1], out % w.out[2]};
  int64_t taps = 1;
  for (size_t i = 0; i < 3; ++i) {
    const int64_t room = w.in[i] + w.begin[i] + w.end[i] - place[i] * w.stride[i];
    taps *= std::min(w.kernel[i], (room + w.dilation[i] - 1) / w.dilation[i]);
  }
  return taps;
}

void avg_reference(ReferenceContext& c) {
  const auto& a = c.attributes<AvgPoolAttributes>();
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const Window window = window_of(c, a);
  const std::vector<double> xs = read_elements(x);
  std::vector<double> ys(static_cast<size_t>(y.count()), 0.0);
  std::vector<int64_t> counts(static_cast<size_t>(window.out_count()), 0);
  for_each_tap(window, [&](int64_t out, int64_t, int64_t) { ++counts[static_cast<size_t>(out)]; });
  if (a.count_include_pad) {
    for (size_t i = 0; i < counts.size(); ++i) counts[i] = padded_taps(window, static_cast<int64_t>(i));
  }
  for (int64_t plane = 0; plane < x.dims[0] * x.dims[1]; ++plane) {
    const double* from = xs.data() + plane * window.in_count();
    double* to = ys.data() + plane * window.out_count();
    for_each_tap(window, [&](int64_t out, int64_t in, int64_t) { to[out] += from[in]; });
    for (size_t i = 0; i < counts.size(); ++i) to[i] /= static_cast<double>(counts[i]);
  }
  write_elements(y, ys);
}

void lp_reference(ReferenceContext& c) {
  const auto& a = c.attributes<LpPoolAttributes>();
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const Window window = window_of(c, a);
  const std::vector<double> xs = read_elements(x);
  std::vector<double> ys(static_cast<size_t>(y.count()), 0.0);
  const auto p = static_cast<double>(a.p);
  for (int64_t plane = 0; plane < x.dims[0] * x.dims[1]; ++plane) {
    const double* from = xs.data() + plane * window.in_count();
    double* to = ys.data() + plane * window.out_count();
    for_each_tap(window, [&](int64_t out, int64_t in, int64_t) { to[out] += std::pow(std::fabs(from[in]), p); });
  }
  for (double& value : ys) value = std::pow(value, 1 / p);
  write_elements(y, ys);
}

std::vector<Value*> lp_decompose(Builder& b, const Node& node) {
  const auto& a = node.attributes<LpPoolAttributes>();
  Value* x = node.input(0);
  if (x->dtype() != DType::f32 || a.ceil_mode) return {};  // windows cut off at the end have fewer taps
  AvgPoolAttributes window{a.kernel, a.strides, a.dilations, a.pads};
  window.count_include_pad = true;
  double taps = 1;
  for (const int64_t size : a.kernel) taps *= static_cast<double>(size);
  Value* powers = a.p == 2 ? b.op("square", {x}) : b.op("abs", {x});
  if (a.p > 2) powers = b.op("pow", {powers, b.scalar(static_cast<double>(a.p))});
  Value* sum = b.op("mul", {b.op("avg_pool", {powers}, window), b.scalar(taps)});
  if (a.p == 1) return {sum};
  return {a.p == 2 ? b.op("sqrt", {sum}) : b.op("pow", {sum, b.scalar(1 / static_cast<double>(a.p))})};
}

}  // namespace

const OpDef* max_pool_op() {
  static const OpDef def =
      define_op<MaxPoolAttributes>("max_pool", 1, 1, 0, infer_pool<MaxPoolAttributes>, max_reference);
  return &def;
}
const OpDef* avg_pool_op() {
  static const OpDef def =
      define_op<AvgPoolAttributes>("avg_pool", 1, 1, 0, infer_float_pool<AvgPoolAttributes>, avg_reference);
  return &def;
}
const OpDef* lp_pool_op() {
  static const OpDef def = [] {
    OpDef made =
        define_op<LpPoolAttributes>("lp_pool", 1, 1, op_composite, infer_float_pool<LpPoolAttributes>, lp_reference);
    made.decompose = lp_decompose;
    return made;
  }();
  return &def;
}

}  // namespace narae
