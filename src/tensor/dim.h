// SPDX-License-Identifier: Apache-2.0
// A size that may not be known yet: a number, a symbol, or an expression over symbols (+, *, floordiv, ceildiv, min,
// max) with interval bounds. Expressions are kept in one canonical form (a polynomial with sorted terms over atoms), so
// equal canonical texts mean provably equal sizes; the converse does not hold, and what cannot be proved becomes a
// Guard.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace narae {

struct DimExpr;

class Dim {
 public:
  // Bounds of a symbol unless said otherwise; far from overflow when a few are multiplied.
  static constexpr int64_t no_limit = int64_t{1} << 40;

  Dim() = default;
  Dim(int64_t value) : value_(value) {}  // NOLINT: sizes are written as plain numbers
  // Within one Graph a name is one symbol. `low` <= value <= `high` is promised to every simplification.
  static Dim symbol(std::string name, int64_t low = 0, int64_t high = no_limit);
  // Reads what text() wrote; `lookup` gives the symbol of a name. Throws Error bad_file.
  static Dim parse(std::string_view text, const std::function<Dim(std::string_view)>& lookup);

  bool is_constant() const { return !expr_; }
  int64_t value() const;  // only of a constant
  bool is_symbol() const;
  const std::string& symbol_name() const;  // only of a symbol
  int64_t low() const;                     // interval bounds, saturating at +-no_limit
  int64_t high() const;
  std::string text() const;
  uint64_t hash() const;
  // Value under an assignment of the symbols; Error does_not_fit when a division by zero comes up.
  int64_t evaluate(const std::function<int64_t(const std::string&)>& value_of) const;
  void collect_symbols(std::vector<Dim>& symbols) const;  // each once, in first-seen order, appended
  // The same expression with symbols replaced.
  Dim substitute(const std::function<Dim(const Dim& symbol)>& replacement) const;

  friend bool operator==(const Dim& a, const Dim& b);
  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  friend Dim floordiv(const Dim& a, const Dim& b);
  friend Dim ceildiv(const Dim& a, const Dim& b);
  friend Dim min(const Dim& a, const Dim& b);
  friend Dim max(const Dim& a, const Dim& b);

 private:
  friend struct DimExpr;
  explicit Dim(std::shared_ptr<const DimExpr> expr) : expr_(std::move(expr)) {}
  int64_t value_ = 0;
  std::shared_ptr<const DimExpr> expr_;  // null: constant
};

inline bool operator!=(const Dim& a, const Dim& b) { return !(a == b); }
Dim floordiv(const Dim& a, const Dim& b);
Dim ceildiv(const Dim& a, const Dim& b);
Dim min(const Dim& a, const Dim& b);
Dim max(const Dim& a, const Dim& b);

using Shape = std::vector<Dim>;     // logical sizes, outermost first; rank 0 is a scalar
using Dims = std::vector<int64_t>;  // the same with every size known

Dim element_count(const Shape& shape);
int64_t element_count(const Dims& dims);
bool is_static(const Shape& shape);
Dims static_dims(const Shape& shape);  // only of a static shape
Shape to_shape(const Dims& dims);
std::string shape_text(const Shape& shape);  // [N,3,224,224]
std::string dims_text(const Dims& dims);

}  // namespace narae
