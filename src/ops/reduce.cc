// SPDX-License-Identifier: Apache-2.0
#include "ops/reduce.h"

#include <limits>

#include "ops/define.h"
#include "ops/elements.h"
#include "ops/ops.h"

namespace narae {
namespace {

bool is_reduced(const ReduceAttributes& a, size_t axis) {
  return std::find(a.axes.begin(), a.axes.end(), static_cast<int64_t>(axis)) != a.axes.end();
}

void infer(InferContext& c) {
  const auto& a = c.attributes<ReduceAttributes>();
  const Shape& x = c.shape(0);
  for (size_t i = 0; i < a.axes.size(); ++i) {
    if (a.axes[i] < 0 || a.axes[i] >= static_cast<int64_t>(x.size()) || (i && a.axes[i] <= a.axes[i - 1])) {
      fail(ErrorCode::bad_file, "axes {} of an operand {} must ascend and exist", dims_text(a.axes), shape_text(x));
    }
  }
  Shape result;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!is_reduced(a, i)) {
      result.push_back(x[i]);
    } else if (a.keepdims) {
      result.push_back(Dim(1));
    }
  }
  c.set_output(0, c.dtype(0), std::move(result));
}

// Integer contents of a vector survive: Shape -> ReduceProd counts elements.
template <Dim (*join)(const Dim&, const Dim&)>
void infer_carrying(InferContext& c) {
  infer(c);
  const auto* contents = c.contents(0);
  if (!contents || contents->empty() || c.shape(0).size() != 1 || c.attributes<ReduceAttributes>().axes.empty()) return;
  Dim result = contents->front();
  for (size_t i = 1; i < contents->size(); ++i) result = join(result, (*contents)[i]);
  c.set_contents(0, {result});
}
Dim add_dims(const Dim& a, const Dim& b) { return a + b; }
Dim multiply_dims(const Dim& a, const Dim& b) { return a * b; }
Dim max_dims(const Dim& a, const Dim& b) { return max(a, b); }
Dim min_dims(const Dim& a, const Dim& b) { return min(a, b); }

// Places of all elements over the reduced axes, or over the kept ones, in row-major order.
std::vector<int64_t> places_over(const ReduceAttributes& a, const Dims& dims, bool reduced) {
  const Dims all = row_strides(dims);
  Dims sizes, strides;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (is_reduced(a, i) != reduced) continue;
    sizes.push_back(dims[i]);
    strides.push_back(all[i]);
  }
  std::vector<int64_t> places;
  for_each_index(sizes, [&](const Dims& index, int64_t) { places.push_back(offset_of(index, strides)); });
  return places;
}

enum class Reduction { sum, mean, max, min, prod, l1, l2, sum_square, log_sum, log_sum_exp };

double log_sum_exp(const std::vector<double>& x) {
  double top = -std::numeric_limits<double>::infinity(), sum = 0;
  for (const double value : x) top = std::max(top, value);
  if (std::isinf(top)) return top;
  for (const double value : x) sum += std::exp(value - top);
  return top + std::log(sum);
}

double reduce_floats(Reduction kind, const std::vector<double>& x) {
  const double inf = std::numeric_limits<double>::infinity();
  double result = kind == Reduction::max ? -inf : kind == Reduction::min ? inf : kind == Reduction::prod ? 1.0 : 0.0;
  for (const double value : x) {
    switch (kind) {
      case Reduction::max: result = value > result || std::isnan(value) ? value : result; break;
      case Reduction::min: result = value < result || std::isnan(value) ? value : result; break;
      case Reduction::prod: result *= value; break;
      case Reduction::l1: result += std::fabs(value); break;
      case Reduction::l2:
      case Reduction::sum_square: result += value * value; break;
      default: result += value;
    }
  }
  switch (kind) {
    case Reduction::mean: return result / static_cast<double>(x.size());
    case Reduction::l2: return std::sqrt(result);
    case Reduction::log_sum: return std::log(result);
    case Reduction::log_sum_exp: return log_sum_exp(x);
    default: return result;
  }
}

int64_t highest_integer(DType type) {
  const int bits = static_cast<int>(dtype_size(type)) * 8;
  if (type == DType::boolean) return 1;
  const bool is_signed = type == DType::i8 || type == DType::i16 || type == DType::i32 || type == DType::i64;
  const uint64_t all = ~uint64_t{0} >> (64 - bits);
  return static_cast<int64_t>(is_signed ? all >> 1 : all);
}
int64_t lowest_integer(DType type) {
  const bool is_signed = type == DType::i8 || type == DType::i16 || type == DType::i32 || type == DType::i64;
  return is_signed ? -highest_integer(type) - 1 : 0;
}

// Sums and products wrap modulo 2^64, which is right modulo every narrower range too.
int64_t reduce_integers(Reduction kind, const std::vector<int64_t>& x, DType type) {
  const bool wide = type == DType::u64;
  auto less = [wide](int64_t a, int64_t b) {
    return wide ? static_cast<uint64_t>(a) < static_cast<uint64_t>(b) : a < b;
  };
  if (kind == Reduction::max || kind == Reduction::min) {
    int64_t result = kind == Reduction::max ? lowest_integer(type) : highest_integer(type);
    for (const int64_t value : x) {
      if (kind == Reduction::max ? less(result, value) : less(value, result)) result = value;
    }
    return result;
  }
  uint64_t result = kind == Reduction::prod;
  for (const int64_t value : x) {
    const auto element = static_cast<uint64_t>(value);
    switch (kind) {
      case Reduction::prod: result *= element; break;
      case Reduction::l1: result += value < 0 && !wide ? -element : element; break;
      case Reduction::sum_square: result += element * element; break;
      default: result += element;
    }
  }
  if (kind != Reduction::mean) return static_cast<int64_t>(result);
  if (x.empty()) return 0;
  return wide ? static_cast<int64_t>(result / x.size()) : static_cast<int64_t>(result) / static_cast<int64_t>(x.size());
}

bool exact_on_integers(Reduction kind) {
  return kind != Reduction::l2 && kind != Reduction::log_sum && kind != Reduction::log_sum_exp;
}

void reduce(Reduction kind, ReferenceContext& c) {
  const auto& a = c.attributes<ReduceAttributes>();
  const Tensor &x = c.inputs[0], &y = c.outputs[0];
  const std::vector<int64_t> bases = places_over(a, x.dims, false), steps = places_over(a, x.dims, true);
  const bool exact = !is_float(x.dtype) && exact_on_integers(kind);
  std::vector<double> floats(steps.size());
  std::vector<int64_t> integers(steps.size());
  for (size_t at = 0; at < bases.size(); ++at) {
    const auto to = static_cast<int64_t>(at);
    if (exact) {
      for (size_t i = 0; i < steps.size(); ++i) integers[i] = element_as_int(x, bases[at] + steps[i]);
      write_integer(y, to, reduce_integers(kind, integers, x.dtype));
    } else {
      for (size_t i = 0; i < steps.size(); ++i) floats[i] = element_as_double(x, bases[at] + steps[i]);
      set_element(y, to, reduce_floats(kind, floats));
    }
  }
}

template <Reduction kind>
void reference(ReferenceContext& c) {
  reduce(kind, c);
}

const ReduceAttributes& attributes_of(const Node& node) { return node.attributes<ReduceAttributes>(); }

std::vector<Value*> decompose_l1(Builder& b, const Node& n) {
  return {b.op("reduce_sum", {b.op("abs", {n.input(0)})}, attributes_of(n))};
}
std::vector<Value*> decompose_sum_square(Builder& b, const Node& n) {
  return {b.op("reduce_sum", {b.op("square", {n.input(0)})}, attributes_of(n))};
}
std::vector<Value*> decompose_l2(Builder& b, const Node& n) {
  if (!is_float(n.input(0)->dtype())) return {};
  return {b.op("sqrt", {b.op("reduce_sum", {b.op("square", {n.input(0)})}, attributes_of(n))})};
}
std::vector<Value*> decompose_log_sum(Builder& b, const Node& n) {
  if (!is_float(n.input(0)->dtype())) return {};
  return {b.op("log", {b.op("reduce_sum", {n.input(0)}, attributes_of(n))})};
}

template <Reduction kind>
OpDef reduction(const char* name, void (*infer_rule)(InferContext&),
                std::vector<Value*> (*decompose)(Builder&, const Node&)) {
  OpDef def = define_op<ReduceAttributes>(name, 1, 1, op_row_reduction, infer_rule, reference<kind>);
  def.decompose = decompose;
  return def;
}

}  // namespace

#define NARAE_REDUCTION(kind, infer_rule, decompose)                                             \
  const OpDef* reduce_##kind##_op() {                                                            \
    static const OpDef def = reduction<Reduction::kind>("reduce_" #kind, infer_rule, decompose); \
    return &def;                                                                                 \
  }
NARAE_REDUCTION(sum, infer_carrying<add_dims>, nullptr)
NARAE_REDUCTION(mean, infer, nullptr)
NARAE_REDUCTION(max, infer_carrying<max_dims>, nullptr)
NARAE_REDUCTION(min, infer_carrying<min_dims>, nullptr)
NARAE_REDUCTION(prod, infer_carrying<multiply_dims>, nullptr)
NARAE_REDUCTION(l1, infer, decompose_l1)
NARAE_REDUCTION(l2, infer, decompose_l2)
NARAE_REDUCTION(sum_square, infer, decompose_sum_square)
NARAE_REDUCTION(log_sum, infer, decompose_log_sum)
NARAE_REDUCTION(log_sum_exp, infer, nullptr)

}  // namespace narae
