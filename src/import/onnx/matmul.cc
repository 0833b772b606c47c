// SPDX-License-Identifier: Apache-2.0
// Matrix products: MatMul, Gemm, their integer forms, Einsum of two operands and of one.
#include "ops/matmul.h"

#include <algorithm>

#include "base/error.h"
#include "import/onnx/onnx_ops.h"

namespace narae::onnx {

Results onnx_matmul(OnnxNode& n) { return {n.emit().matmul(n.in(0), n.in(1))}; }

Results onnx_gemm(OnnxNode& n) {
  const Emit& e = n.emit();
  if (n.in(0)->rank() != 2 || n.in(1)->rank() != 2) fail(ErrorCode::bad_file, "operands must have rank 2");
  const double alpha = n.number("alpha", 1.0), beta = n.number("beta", 1.0);
  const MatmulAttributes attributes{n.integer("transA", 0) != 0, n.integer("transB", 0) != 0};
  Value* y = e.builder().op("matmul", {n.in(0), n.in(1)}, attributes);
  if (alpha != 1.0) y = e.mul(y, alpha);
  if (!n.has(2) || beta == 0.0) return {y};
  Value* c = n.in(2);
  return {e.add(y, beta == 1.0 ? c : e.mul(c, beta))};
}

namespace {

// x - zero_point in i32; a zero point per row of a (or column of b) broadcasts along its axis.
Value* without_zero_point(const Emit& e, Value* x, Value* zero_point, bool rows) {
  Value* wide = e.cast(x, DType::i32);
  if (!zero_point) return wide;
  if (zero_point->rank() == 1 && rows && zero_point->shape()[0] != Dim(1)) zero_point = e.unsqueeze(zero_point, {1});
  return e.sub(wide, e.cast(zero_point, DType::i32));
}

}  // namespace

Results onnx_matmul_integer(OnnxNode& n) {
  const Emit& e = n.emit();
  return {e.matmul(without_zero_point(e, n.in(0), n.optional(2), true),
                   without_zero_point(e, n.in(1), n.optional(3), false))};
}

namespace {

std::string without_spaces(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  return text;
}

// One operand of an Einsum: its value and the letter of each axis.
struct Term {
  Value* value;
  std::string axes;
};

std::vector<std::string> split_terms(const std::string& text) {
  std::vector<std::string> terms(1);
  for (const char c : text) {
    if (c == ',')
      terms.emplace_back();
    else
      terms.back() += c;
  }
  return terms;
}

// "..." becomes capital letters that the equation does not use, aligned at the right.
std::string spell_ellipsis(std::string term, size_t rank, const std::string& letters) {
  const size_t at = term.find("...");
  if (at == std::string::npos) return term;
  const size_t named = term.size() - 3;
  if (named > rank || rank - named > letters.size())
    fail(ErrorCode::bad_file, "term {} for a value of rank {}", term, rank);
  return term.substr(0, at) + letters.substr(letters.size() - (rank - named)) + term.substr(at + 3);
}

// A letter twice in one term takes the diagonal.
Term with_diagonals(const Emit& e, Term term) {
  for (size_t i = 0; i < term.axes.size(); ++i) {
    const size_t again = term.axes.find(term.axes[i], i + 1);
    if (again == std::string::npos) continue;
    const Dim size = term.value->shape()[i];
    Shape rows(term.axes.size(), Dim(1)), columns = rows;
    rows[i] = size;
    columns[again] = size;
    Value* at = e.iota(size, DType::i64);
    Value* equal = e.binary("eq", e.reshape(at, rows), e.reshape(at, columns));
    Value* kept = e.where(equal, term.value, e.number(0, term.value));
    term.value = e.reduce("sum", kept, {static_cast<int64_t>(again)}, false);
    term.axes.erase(again, 1);
    i = static_cast<size_t>(-1);
  }
  return term;
}

// The term with axes in the order of `letters`, size 1 where it has none of them.
Value* arranged(const Emit& e, const Term& term, const std::string& letters) {
  std::vector<int64_t> permutation;
  Shape shape;
  for (const char letter : letters) {
    const size_t at = term.axes.find(letter);
    if (at != std::string::npos) permutation.push_back(static_cast<int64_t>(at));
    shape.push_back(at == std::string::npos ? Dim(1) : term.value->shape()[at]);
  }
  return e.reshape(e.transpose(term.value, permutation), shape);
}

Term sum_out(const Emit& e, const Term& term, const std::string& kept) {
  std::vector<int64_t> axes;
  std::string left;
  for (size_t i = 0; i < term.axes.size(); ++i) {
    if (kept.find(term.axes[i]) == std::string::npos)
      axes.push_back(static_cast<int64_t>(i));
    else
      left += term.axes[i];
  }
  return axes.empty() ? term : Term{e.reduce("sum", term.value, axes, false), left};
}

// a and b into one, summing the letters nobody needs later: a batched matrix product.
Term contract(const Emit& e, Term a, Term b, const std::string& kept) {
  a = sum_out(e, a, kept + b.axes);
  b = sum_out(e, b, kept + a.axes);
  std::string batch, rows, columns, inner;
  for (const char c : a.axes) {
    if (b.axes.find(c) == std::string::npos)
      rows += c;
    else
      (kept.find(c) == std::string::npos ? inner : batch) += c;
  }
  for (const char c : b.axes) {
    if (a.axes.find(c) == std::string::npos) columns += c;
  }
  const auto sizes = [](const Term& term, const std::string& letters) {
    Shape out;
    for (const char c : letters) out.push_back(term.value->shape()[term.axes.find(c)]);
    return out;
  };
  const Shape rows_shape = sizes(a, rows), columns_shape = sizes(b, columns);
  Shape left = sizes(a, batch), right = sizes(b, batch), result;
  for (size_t i = 0; i < left.size(); ++i) result.push_back(left[i] == Dim(1) ? right[i] : left[i]);
  left.push_back(element_count(rows_shape));
  left.push_back(element_count(sizes(a, inner)));
  right.push_back(element_count(sizes(b, inner)));
  right.push_back(element_count(columns_shape));
  Value* product = e.matmul(e.reshape(arranged(e, a, batch + rows + inner), left),
                            e.reshape(arranged(e, b, batch + inner + columns), right));
  result.insert(result.end(), rows_shape.begin(), rows_shape.end());
  result.insert(result.end(), columns_shape.begin(), columns_shape.end());
  return {e.reshape(product, result), batch + rows + columns};
}

}  // namespace

Results onnx_einsum(OnnxNode& n) {
  const Emit& e = n.emit();
  const std::string equation = without_spaces(n.text("equation"));
  for (const char c : equation) {
    const bool known = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ',' || c == '.' || c == '-' || c == '>';
    if (!known) fail(ErrorCode::bad_file, "the equation \"{}\" holds more than letters", equation);
  }
  const size_t arrow = equation.find("->");
  const std::vector<std::string> names = split_terms(equation.substr(0, arrow));
  if (names.size() != n.input_count())
    fail(ErrorCode::bad_file, "equation {} for {} inputs", equation, n.input_count());
  std::string spare = "ZYXWVUTSRQPONMLKJIHGFEDCBA";
  for (const char c : equation) spare.erase(std::remove(spare.begin(), spare.end(), c), spare.end());
  std::vector<Term> terms;
  std::string all, ellipsis;
  for (size_t i = 0; i < names.size(); ++i) {
    const size_t rank = n.in(i)->shape().size();
    const std::string axes = spell_ellipsis(names[i], rank, spare);
    if (axes.size() != rank) fail(ErrorCode::bad_file, "term {} for a value of rank {}", names[i], rank);
    if (names[i].find("...") != std::string::npos && rank - (names[i].size() - 3) > ellipsis.size()) {
      ellipsis = spare.substr(spare.size() - (rank - (names[i].size() - 3)));
    }
    all += axes;
    terms.push_back(with_diagonals(e, {n.in(i), axes}));
  }
  std::string result;
  if (arrow != std::string::npos) {
    result = equation.substr(arrow + 2);
    const size_t at = result.find("...");
    if (at != std::string::npos) result.replace(at, 3, ellipsis);
  } else {  // letters that stand once, in alphabetical order, after the ellipsis
    for (char c = 'A'; c <= 'z'; ++c) {
      if (ellipsis.find(c) == std::string::npos && std::count(all.begin(), all.end(), c) == 1) result += c;
    }
    result = ellipsis + result;
  }
  Term left = terms[0];
  for (size_t i = 1; i < terms.size(); ++i) {
    std::string kept = result;
    for (size_t k = i + 1; k < terms.size(); ++k) kept += terms[k].axes;
    left = contract(e, left, terms[i], kept);
  }
  left = sum_out(e, left, result);
  if (left.axes.size() != result.size())
    fail(ErrorCode::bad_file, "equation {} has a result axis that no term has", equation);
  return {arranged(e, left, result)};
}

}  // namespace narae::onnx
