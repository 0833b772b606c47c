// SPDX-License-Identifier: Apache-2.0
// What a shape rule may ask and say, and the table of ops.
#include <algorithm>

#include "base/error.h"
#include "graph/check_shape.h"
#include "graph/graph.h"

namespace narae {

size_t InferContext::input_count() const { return node_.inputs().size(); }
bool InferContext::has_input(size_t i) const { return node_.input(i) != nullptr; }

const Value& InferContext::input(size_t i) const {
  if (!node_.input(i)) fail(ErrorCode::bad_file, "operand {} is missing", i);
  return *node_.input(i);
}
const Shape& InferContext::shape(size_t i) const { return input(i).shape(); }
DType InferContext::dtype(size_t i) const { return input(i).dtype(); }

void InferContext::set_output(size_t i, DType dtype, Shape shape) {
  if (i >= node_.outputs().size()) fail(ErrorCode::bad_file, "has more than {} results", node_.outputs().size());
  check_shape(shape);
  Value* value = node_.output(i);
  value->dtype_ = dtype;
  value->shape_ = std::move(shape);
}

void InferContext::set_contents(size_t i, std::vector<Dim> contents) {
  node_.output(i)->contents_ = std::make_unique<std::vector<Dim>>(std::move(contents));
}

const std::vector<Dim>* InferContext::contents(size_t i) const {
  const Value* value = node_.input(i);
  return value ? value->contents() : nullptr;
}

void InferContext::require_equal(const Dim& a, const Dim& b, std::string_view what) {
  if (a == b) return;
  const Dim difference = a - b;
  if (difference.low() > 0 || difference.high() < 0)
    fail(ErrorCode::bad_file, "{}: {} != {}", what, a.text(), b.text());
  graph_.add_guard(a, b, fmt::format("{}: {}", node_.label(), what));
}

Shape InferContext::broadcast(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape result(rank);
  for (size_t i = 0; i < rank; ++i) {
    const Dim x = i + a.size() < rank ? Dim(1) : a[i + a.size() - rank];
    const Dim y = i + b.size() < rank ? Dim(1) : b[i + b.size() - rank];
    if (x == y || y == Dim(1)) {
      result[i] = x;
    } else if (x == Dim(1)) {
      result[i] = y;
    } else {
      if (x.is_constant() && y.is_constant()) {
        fail(ErrorCode::bad_file, "shapes {} and {} do not broadcast", shape_text(a), shape_text(b));
      }
      require_equal(x, y, fmt::format("sizes of axis {} broadcast", i));
      result[i] = x.is_constant() ? x : y;
    }
  }
  return result;
}

void OpTable::add(const OpDef* def) {
  NARAE_CHECK(by_name_.emplace(def->name, def).second);
  all_.push_back(def);
}
const OpDef* OpTable::find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}
const OpDef* OpTable::get(std::string_view name) const {
  const OpDef* def = find(name);
  if (!def) fail(ErrorCode::usage, "there is no op \"{}\"", name);
  return def;
}

}  // namespace narae
