// SPDX-License-Identifier: Apache-2.0
// Convolutions and pools. Padding asked for by name ("SAME_UPPER") is turned into numbers, or into a pad of its own
// where it depends on a size that is not known.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "import/onnx/onnx_ops.h"
#include "import/onnx/quantize.h"
#include "ops/conv.h"
#include "ops/pool.h"

namespace narae::onnx {

namespace {

constexpr int64_t attribute_limit = 1 << 20, kernel_limit = int64_t{1} << 31;  // their products fit

struct Window {
  std::vector<int64_t> kernel, strides, dilations, pads;
};

std::vector<int64_t> or_all(std::vector<int64_t> values, size_t count, int64_t otherwise, const char* what) {
  if (values.empty()) values.assign(count, otherwise);
  if (values.size() != count) fail(ErrorCode::bad_file, "{} {} for {} axes", values.size(), what, count);
  for (const int64_t value : values) {
    if (value < -attribute_limit || value > attribute_limit) fail(ErrorCode::bad_file, "{} of {}", what, value);
  }
  return values;
}

// What lies around the input so that the result has ceil(size / stride) places.
Dim same_padding(const Window& w, size_t i, const Dim& size) {
  const int64_t reach = w.dilations[i] * (w.kernel[i] - 1) + 1, stride = w.strides[i];
  if (stride == 1) return reach - 1;
  return max((ceildiv(size, stride) - Dim(1)) * Dim(stride) + Dim(reach) - size, 0);
}

// Resolves auto_pad; `x` gains a pad of its own where the amounts are not known. `fill` is what such a pad holds.
void resolve_pads(const OnnxNode& n, Window& w, Value*& x, double fill) {
  const std::string how = n.text("auto_pad", "NOTSET");
  const size_t spatial = w.kernel.size();
  w.pads = or_all(n.integers("pads"), 2 * spatial, 0, "pads");
  if (how == "NOTSET") return;
  w.pads.assign(2 * spatial, 0);
  if (how == "VALID") return;
  if (how != "SAME_UPPER" && how != "SAME_LOWER") fail(ErrorCode::bad_file, "unknown auto_pad {}", how);
  std::vector<Dim> before(2, 0), after(2, 0);
  bool known = true;
  for (size_t i = 0; i < spatial; ++i) {
    const Dim total = same_padding(w, i, x->shape()[i + 2]);
    const Dim less = floordiv(total, 2), more = total - less;
    before.push_back(how == "SAME_UPPER" ? less : more);
    after.push_back(how == "SAME_UPPER" ? more : less);
    known = known && total.is_constant();
  }
  if (!known) {
    if (std::isnan(fill))
      fail(ErrorCode::bad_file, "auto_pad {} needs fixed sizes here; export the model with pads", how);
    x = n.emit().pad(x, before, after, n.emit().number(fill, x));
    return;
  }
  for (size_t i = 0; i < spatial; ++i) {
    w.pads[i] = before[i + 2].value();
    w.pads[i + spatial] = after[i + 2].value();
  }
}

Window window_of(const OnnxNode& n, std::vector<int64_t> kernel) {
  Window w;
  w.kernel = std::move(kernel);
  w.strides = or_all(n.integers("strides"), w.kernel.size(), 1, "strides");
  w.dilations = or_all(n.integers("dilations"), w.kernel.size(), 1, "dilations");
  for (const int64_t size : w.kernel) {
    if (size < 1 || size > kernel_limit) fail(ErrorCode::bad_file, "kernel of size {}", size);
  }
  for (const int64_t stride : w.strides) {
    if (stride < 1) fail(ErrorCode::bad_file, "stride {}", stride);
  }
  return w;
}

std::vector<int64_t> kernel_of_weight(const OnnxNode& n, const Value* x, const Value* w) {
  if (x->rank() < 3 || w->rank() != x->rank())
    fail(ErrorCode::bad_file, "operands of rank {} and {}", x->rank(), w->rank());
  std::vector<int64_t> kernel;
  for (size_t i = 2; i < w->shape().size(); ++i) {
    if (!w->shape()[i].is_constant()) fail(ErrorCode::bad_file, "the kernel's size is not fixed");
    kernel.push_back(w->shape()[i].value());
  }
  const std::vector<int64_t> given = n.integers("kernel_shape");
  if (!given.empty() && given != kernel) fail(ErrorCode::bad_file, "kernel_shape differs from the weight's shape");
  return kernel;
}

Window pool_window(const OnnxNode& n, Value*& x, double fill) {
  const std::vector<int64_t> kernel = n.integers("kernel_shape");
  if (x->rank() < 3 || kernel.size() + 2 != x->shape().size()) {
    fail(ErrorCode::bad_file, "kernel of {} axes for a value of rank {}", kernel.size(), x->rank());
  }
  Window w = window_of(n, kernel);
  resolve_pads(n, w, x, fill);
  return w;
}

std::vector<int64_t> spatial_axes(const Value* x) {
  std::vector<int64_t> axes;
  for (int64_t i = 2; i < x->rank(); ++i) axes.push_back(i);
  return axes;
}

}  // namespace

Results onnx_conv(OnnxNode& n) {
  Value *x = n.in(0), *weight = n.in(1);
  Window w = window_of(n, kernel_of_weight(n, x, weight));
  resolve_pads(n, w, x, 0.0);
  const ConvAttributes attributes{w.strides, w.dilations, w.pads, n.integer("group", 1)};
  return {n.emit().builder().op("conv", {x, weight, n.optional(2)}, attributes)};
}

// x and w without their zero points, then the exact product in i32.
Results onnx_conv_integer(OnnxNode& n) {
  const Emit& e = n.emit();
  const auto centred = [&](Value* value, Value* zero, bool per_output) {
    Value* wide = e.cast(value, DType::i32);
    if (!zero) return wide;
    if (per_output && zero->rank() == 1) {
      Shape shape(value->shape().size(), Dim(1));
      shape[0] = zero->shape()[0];
      zero = e.reshape(zero, shape);
    }
    return e.sub(wide, e.cast(zero, DType::i32));
  };
  Value *x = n.in(0), *weight = n.in(1);
  Window w = window_of(n, kernel_of_weight(n, x, weight));
  // Sums of products of 9-bit numbers are exact in f64, which conv takes and i32 it does not.
  Value* wide_x = e.cast(centred(x, n.optional(2), false), DType::f64);
  Value* wide_w = e.cast(centred(weight, n.optional(3), true), DType::f64);
  resolve_pads(n, w, wide_x, 0.0);
  const ConvAttributes attributes{w.strides, w.dilations, w.pads, n.integer("group", 1)};
  return {e.cast(e.builder().op("conv", {wide_x, wide_w, nullptr}, attributes), DType::i32)};
}

Results onnx_qlinear_conv(OnnxNode& n) {
  const Emit& e = n.emit();
  Value* x = dequantized(n, n.in(0), n.in(1), n.in(2), 1);
  Value* weight = dequantized(n, n.in(3), n.in(4), n.in(5), 0);
  Window w = window_of(n, kernel_of_weight(n, x, weight));
  resolve_pads(n, w, x, 0.0);
  Value* bias = nullptr;
  if (n.has(8)) {  // whole numbers of x_scale * w_scale
    Value* unit = e.mul(e.reshape(n.in(1), {}), n.in(4));
    bias = e.mul(e.cast(n.in(8), DType::f32), unit);
  }
  const ConvAttributes attributes{w.strides, w.dilations, w.pads, n.integer("group", 1)};
  return {quantized(n, e.builder().op("conv", {x, weight, bias}, attributes), n.in(6), n.in(7))};
}

Results onnx_conv_transpose(OnnxNode& n) {
  Value *x = n.in(0), *weight = n.in(1);
  Window w = window_of(n, kernel_of_weight(n, x, weight));
  const size_t spatial = w.kernel.size();
  std::vector<int64_t> extra = or_all(n.integers("output_padding"), spatial, 0, "output_padding");
  std::vector<int64_t> wanted = n.integers("output_shape");
  const std::string how = n.text("auto_pad", "NOTSET");
  w.pads = or_all(n.integers("pads"), 2 * spatial, 0, "pads");
  if (how == "VALID") w.pads.assign(2 * spatial, 0);
  const bool same = how == "SAME_UPPER" || how == "SAME_LOWER";
  if (!wanted.empty())
    wanted = or_all({wanted.end() - static_cast<std::ptrdiff_t>(std::min(wanted.size(), spatial)), wanted.end()},
                    spatial, 0, "output_shape");
  for (size_t i = 0; i < spatial && (same || !wanted.empty()); ++i) {
    // (in - 1) * stride + reach + extra - wanted; with wanted = in * stride the size falls out.
    const int64_t reach = w.dilations[i] * (w.kernel[i] - 1) + 1;
    const Dim& size = x->shape()[i + 2];
    if (!wanted.empty() && !size.is_constant()) fail(ErrorCode::bad_file, "output_shape needs a fixed input size");
    int64_t total = reach + extra[i] - w.strides[i];
    if (!wanted.empty()) total += size.value() * w.strides[i] - wanted[i];
    if (total < 0) {
      extra[i] -= total;
      total = 0;
    }
    const int64_t less = total / 2;
    w.pads[i] = how == "SAME_UPPER" ? less : total - less;
    w.pads[i + spatial] = total - w.pads[i];
  }
  const ConvTransposeAttributes attributes{w.strides, w.dilations, w.pads, extra, n.integer("group", 1)};
  return {n.emit().builder().op("conv_transpose", {x, weight, n.optional(2)}, attributes)};
}

Results onnx_max_pool(OnnxNode& n) {
  Value* x = n.in(0);
  const bool indices = n.wants(1);
  const Window w = pool_window(n, x, is_float(x->dtype()) && !indices ? -INFINITY : NAN);
  const MaxPoolAttributes attributes{
      w.kernel, w.strides, w.dilations, w.pads, n.integer("ceil_mode", 0) != 0, n.integer("storage_order", 0) != 0};
  return n.emit().builder().node("max_pool", {x}, attributes, indices ? 2 : 1)->outputs();
}

Results onnx_average_pool(OnnxNode& n) {
  Value* x = n.in(0);
  const bool count_pads = n.integer("count_include_pad", 0) != 0;
  const Window w = pool_window(n, x, count_pads ? 0.0 : NAN);
  const AvgPoolAttributes attributes{w.kernel,  w.strides, w.dilations, w.pads, n.integer("ceil_mode", 0) != 0,
                                     count_pads};
  return {n.emit().builder().op("avg_pool", {x}, attributes)};
}

Results onnx_lp_pool(OnnxNode& n) {
  Value* x = n.in(0);
  const Window w = pool_window(n, x, 0.0);
  const LpPoolAttributes attributes{w.kernel,         w.strides, w.dilations, w.pads, n.integer("ceil_mode", 0) != 0,
                                    n.integer("p", 2)};
  return {n.emit().builder().op("lp_pool", {x}, attributes)};
}

Results onnx_global_pool(OnnxNode& n) {
  if (n.in(0)->rank() < 3) fail(ErrorCode::bad_file, "needs spatial axes, not rank {}", n.in(0)->rank());
  return {n.emit().reduce(n.narae_op(), n.in(0), spatial_axes(n.in(0)), true)};
}

Results onnx_global_lp_pool(OnnxNode& n) {
  const int64_t p = n.integer("p", 2);
  if (p != 1 && p != 2) fail(ErrorCode::bad_file, "p = {} is not 1 or 2", p);
  return {n.emit().reduce(p == 1 ? "l1" : "l2", n.in(0), spatial_axes(n.in(0)), true)};
}

}  // namespace narae::onnx
