// SPDX-License-Identifier: Apache-2.0
// Python's arithmetic and slices.
#include <cmath>

#include "base/error.h"
#include "text/python_text.h"
#include "text/template_interpreter.h"

namespace narae {
namespace {

constexpr int64_t kMaxRepeated = 1 << 24;  // bytes or items

[[noreturn]] void no_operator(const std::string& sign, const TemplateValue& left, const TemplateValue& right) {
  fail(ErrorCode::bad_file, "'{}' is not there between {} and {}", sign, left.type_name(), right.type_name());
}

[[noreturn]] void too_large(const std::string& sign) {
  fail(ErrorCode::does_not_fit, "the result of '{}' needs more than 64 bits", sign);
}

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0)); }

TemplateValue integer_power(int64_t base, int64_t exponent) {
  if (exponent < 0) return std::pow(static_cast<double>(base), static_cast<double>(exponent));
  int64_t out = 1;
  if (base == 0 || base == 1) return exponent == 0 ? 1 : base;
  if (base == -1) return exponent % 2 ? int64_t{-1} : int64_t{1};
  for (; exponent > 0; --exponent) {
    if (__builtin_mul_overflow(out, base, &out)) too_large("**");
  }
  return out;
}

TemplateValue integers(const std::string& sign, int64_t a, int64_t b) {
  int64_t out = 0;
  if (sign == "+"   ? __builtin_add_overflow(a, b, &out)
      : sign == "-" ? __builtin_sub_overflow(a, b, &out)
                    : sign == "*" && __builtin_mul_overflow(a, b, &out)) {
    too_large(sign);
  }
  if (sign == "+" || sign == "-" || sign == "*") return out;
  if (sign == "**") return integer_power(a, b);
  if (b == 0) fail(ErrorCode::bad_file, "division by zero");
  if (sign == "/") return static_cast<double>(a) / static_cast<double>(b);
  if (b == -1) {
    if (sign == "%") return int64_t{0};
    if (__builtin_sub_overflow(int64_t{0}, a, &out)) too_large(sign);
    return out;
  }
  if (sign == "//") return floor_divide(a, b);
  return a - floor_divide(a, b) * b;
}

TemplateValue reals(const std::string& sign, double a, double b) {
  if (sign == "+") return a + b;
  if (sign == "-") return a - b;
  if (sign == "*") return a * b;
  if (sign == "**") return std::pow(a, b);
  if (b == 0) fail(ErrorCode::bad_file, "division by zero");
  if (sign == "/") return a / b;
  if (sign == "//") return std::floor(a / b);
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

TemplateValue repeated(const TemplateValue& value, int64_t count, TemplateBudget& budget) {
  const size_t size = value.is_text() ? value.text().size() : value.list()->items.size();
  count = std::max<int64_t>(count, 0);
  if (size > 0 && count > kMaxRepeated / static_cast<int64_t>(size)) {
    fail(ErrorCode::does_not_fit, "a value repeated {} times is too large", count);
  }
  budget.charge(size * static_cast<size_t>(count) / (value.is_text() ? 8 : 1) + 1);
  if (value.is_text()) {
    std::string out;
    for (int64_t i = 0; i < count && size > 0; ++i) out += value.text();
    return out;
  }
  std::vector<TemplateValue> out;
  for (int64_t i = 0; i < count && size > 0; ++i) {
    out.insert(out.end(), value.list()->items.begin(), value.list()->items.end());
  }
  return TemplateValue::list(std::move(out), value.list()->tuple);
}

// Indices that a slice takes of `count`.
std::vector<size_t> slice_indices(int64_t count, const TemplateValue& from, const TemplateValue& to, int64_t step) {
  const auto place = [&](const TemplateValue& value, int64_t otherwise) {
    int64_t index = 0;
    if (value.is_none()) return otherwise;
    if (!as_integer(value, index)) fail(ErrorCode::bad_file, "a slice goes from int to int, not {}", value.type_name());
    if (index < 0) index = std::max(index + count, step < 0 ? int64_t{-1} : int64_t{0});
    return std::min(index, step < 0 ? count - 1 : count);
  };
  const int64_t begin = place(from, step < 0 ? count - 1 : 0), end = place(to, step < 0 ? -1 : count);
  std::vector<size_t> out;
  for (int64_t i = begin; step > 0 ? i < end : i > end;) {
    out.push_back(static_cast<size_t>(i));
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return out;
}

}  // namespace

TemplateValue template_arithmetic(const std::string& sign, const TemplateValue& left, const TemplateValue& right,
                                  TemplateBudget& budget) {
  int64_t a = 0, b = 0;
  const bool left_integer = as_integer(left, a), right_integer = as_integer(right, b);
  if (left_integer && right_integer) return integers(sign, a, b);
  if (is_number(left) && is_number(right)) return reals(sign, number_of(left), number_of(right));
  if (sign == "+" && left.is_text() && right.is_text()) {
    budget.charge_text(left.text().size() + right.text().size());
    return left.text() + right.text();
  }
  if (sign == "+" && left.list() && right.list() && left.list()->tuple == right.list()->tuple) {
    std::vector<TemplateValue> out = left.list()->items;
    out.insert(out.end(), right.list()->items.begin(), right.list()->items.end());
    budget.charge(out.size());
    return TemplateValue::list(std::move(out), left.list()->tuple);
  }
  if (sign == "*" && (left.is_text() || left.list()) && right_integer) return repeated(left, b, budget);
  if (sign == "*" && (right.is_text() || right.list()) && left_integer) return repeated(right, a, budget);
  no_operator(sign, left, right);
}

TemplateValue template_slice(const TemplateValue& value, const TemplateValue& from, const TemplateValue& to,
                             const TemplateValue& step, TemplateBudget& budget) {
  int64_t stride = 1;
  if (!step.is_none() && !as_integer(step, stride)) fail(ErrorCode::bad_file, "the step of a slice is an int");
  if (stride == 0) fail(ErrorCode::bad_file, "the step of a slice cannot be 0");
  if (const TemplateList* list = value.list()) {
    budget.charge(list->items.size());
    std::vector<TemplateValue> out;
    for (const size_t i : slice_indices(static_cast<int64_t>(list->items.size()), from, to, stride)) {
      out.push_back(list->items[i]);
    }
    return TemplateValue::list(std::move(out), list->tuple);
  }
  if (!value.is_text()) fail(ErrorCode::bad_file, "a {} cannot be sliced", value.type_name());
  budget.charge(value.text().size() / 2 + 1);
  const std::vector<std::string_view> all = characters(value.text());
  std::string out;
  for (const size_t i : slice_indices(static_cast<int64_t>(all.size()), from, to, stride)) out += all[i];
  return out;
}

}  // namespace narae
