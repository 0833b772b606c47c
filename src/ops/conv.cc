// SPDX-License-Identifier: Apache-2.0
#include "ops/conv.h"

#include "ops/define.h"
#include "ops/elements.h"
#include "ops/ops.h"
#include "ops/window.h"

namespace narae {
namespace {

bool is_byte(DType type) { return type == DType::u8 || type == DType::i8; }

// Checks ranks, types and groups; returns the result's type and, in `kernel`, the spatial sizes of w.
DType check_operands(InferContext& c, int64_t groups, Dims& kernel) {
  const Shape &x = c.shape(0), &w = c.shape(1);
  if (x.size() < 3 || w.size() != x.size()) {
    fail(ErrorCode::bad_file, "operands {} and {}; both must be of rank 3, 4 or 5", shape_text(x), shape_text(w));
  }
  const bool bytes = is_byte(c.dtype(0)) && is_byte(c.dtype(1));
  if (c.dtype(0) != c.dtype(1) && !bytes) {
    fail(ErrorCode::bad_file, "operands are {} and {}", dtype_name(c.dtype(0)), dtype_name(c.dtype(1)));
  }
  if (groups < 1 || (w[0].is_constant() && w[0].value() % groups != 0)) {
    fail(ErrorCode::bad_file, "{} groups do not divide weights {}", groups, shape_text(w));
  }
  for (size_t i = 2; i < w.size(); ++i) {
    if (!w[i].is_constant() || w[i].value() < 1)
      fail(ErrorCode::bad_file, "the kernel's sizes {} must be known", shape_text(w));
    kernel.push_back(w[i].value());
  }
  return bytes ? DType::i32 : c.dtype(0);
}

void check_bias(InferContext& c, const Dim& channels, DType result) {
  if (c.input_count() < 3 || !c.has_input(2)) return;
  if (c.shape(2).size() != 1 || c.dtype(2) != result) {
    fail(ErrorCode::bad_file, "bias is {}{}, not {}[{}]", dtype_name(c.dtype(2)), shape_text(c.shape(2)),
         dtype_name(result), channels.text());
  }
  c.require_equal(c.shape(2)[0], channels, "bias and output channels");
}

void infer_conv(InferContext& c) {
  const auto& a = c.attributes<ConvAttributes>();
  Dims kernel;
  const DType type = check_operands(c, a.groups, kernel);
  const Shape &x = c.shape(0), &w = c.shape(1);
  check_window(kernel.size(), a.strides, a.dilations, a.pads);
  c.require_equal(x[1], w[1] * Dim(a.groups), "channels of x and w");
  Shape result{x[0], w[0]};
  for (size_t i = 0; i < kernel.size(); ++i) {
    result.push_back(
        window_count(x[i + 2], kernel[i], a.strides[i], a.dilations[i], a.pads[i], a.pads[i + kernel.size()], false));
  }
  check_bias(c, w[0], type);
  c.set_output(0, type, std::move(result));
}

void infer_transpose(InferContext& c) {
  const auto& a = c.attributes<ConvTransposeAttributes>();
  Dims kernel;
  const DType type = check_operands(c, a.groups, kernel);
  const Shape &x = c.shape(0), &w = c.shape(1);
  check_window(kernel.size(), a.strides, a.dilations, a.pads);
  if (a.output_padding.size() != kernel.size())
    fail(ErrorCode::bad_file, "{} output paddings", a.output_padding.size());
  c.require_equal(x[1], w[0], "channels of x and w");
  const Dim channels = w[1] * Dim(a.groups);
  Shape result{x[0], channels};
  for (size_t i = 0; i < kernel.size(); ++i) {
    if (kernel[i] > int64_t{1} << 31 || a.output_padding[i] < -(1 << 30) || a.output_padding[i] > 1 << 30)
      fail(ErrorCode::bad_file, "kernel size {} with output padding {}", kernel[i], a.output_padding[i]);
    const int64_t rest =
        (kernel[i] - 1) * a.dilations[i] + 1 + a.output_padding[i] - a.pads[i] - a.pads[i + kernel.size()];
    result.push_back((x[i + 2] - Dim(1)) * Dim(a.strides[i]) + Dim(rest));
  }
  check_bias(c, channels, type);
  c.set_output(0, type, std::move(result));
}

std::vector<double> biased(const Tensor& y, std::span<const Tensor> inputs) {
  std::vector<double> result(static_cast<size_t>(y.count()), 0.0);
  if (inputs.size() < 3 || !inputs[2].data) return result;
  const std::vector<double> bias = read_elements(inputs[2]);
  const AxisSplit split(y.dims, 1, 2);
  for (size_t i = 0; i < result.size(); ++i) {
    result[i] = bias[static_cast<size_t>(static_cast<int64_t>(i) / split.inner % split.size)];
  }
  return result;
}

Dims spatial(const Dims& dims) { return Dims(dims.begin() + 2, dims.end()); }

void conv_reference(ReferenceContext& c) {
  const auto& a = c.attributes<ConvAttributes>();
  const Tensor &x = c.inputs[0], &w = c.inputs[1], &y = c.outputs[0];
  const Window window(x.dims, y.dims, spatial(w.dims), a.strides, a.dilations, a.pads);
  const std::vector<double> xs = read_elements(x), ws = read_elements(w);
  std::vector<double> ys = biased(y, c.inputs);
  const int64_t channels = x.dims[1], outputs = w.dims[0], depth = w.dims[1];
  for (int64_t n = 0; n < x.dims[0]; ++n) {
    for (int64_t o = 0; o < outputs; ++o) {
      double* to = ys.data() + (n * outputs + o) * window.out_count();
      const int64_t first = o / (outputs / a.groups) * depth;
      for (int64_t i = 0; i < depth; ++i) {
        const double* from = xs.data() + (n * channels + first + i) * window.in_count();
        const double* taps = ws.data() + (o * depth + i) * window.kernel_count();
        for_each_tap(window, [&](int64_t out, int64_t in, int64_t tap) { to[out] += from[in] * taps[tap]; });
      }
    }
  }
  write_elements(y, ys);
}

void transpose_reference(ReferenceContext& c) {
  const auto& a = c.attributes<ConvTransposeAttributes>();
  const Tensor &x = c.inputs[0], &w = c.inputs[1], &y = c.outputs[0];
  // The window of the convolution whose gradient this is: its input is y.
  const Window window(y.dims, x.dims, spatial(w.dims), a.strides, a.dilations, a.pads);
  const std::vector<double> xs = read_elements(x), ws = read_elements(w);
  std::vector<double> ys = biased(y, c.inputs);
  const int64_t channels = x.dims[1], depth = w.dims[1], outputs = depth * a.groups;
  for (int64_t n = 0; n < x.dims[0]; ++n) {
    for (int64_t i = 0; i < channels; ++i) {
      const double* from = xs.data() + (n * channels + i) * window.out_count();
      const int64_t first = i / (channels / a.groups) * depth;
      for (int64_t o = 0; o < depth; ++o) {
        double* to = ys.data() + (n * outputs + first + o) * window.in_count();
        const double* taps = ws.data() + (i * depth + o) * window.kernel_count();
        for_each_tap(window, [&](int64_t at_x, int64_t at_y, int64_t tap) { to[at_y] += from[at_x] * taps[tap]; });
      }
    }
  }
  write_elements(y, ys);
}

}  // namespace

const OpDef* conv_op() {
  static const OpDef def = define_op<ConvAttributes>("conv", 2, 3, op_contraction, infer_conv, conv_reference);
  return &def;
}
const OpDef* conv_transpose_op() {
  static const OpDef def =
      define_op<ConvTransposeAttributes>("conv_transpose", 2, 3, op_contraction, infer_transpose, transpose_reference);
  return &def;
}

}  // namespace narae
