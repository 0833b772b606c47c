// SPDX-License-Identifier: Apache-2.0
// Canonical polynomials over atoms. Every operation ends in make(), which sorts and merges; nothing else builds a Dim.
#include "tensor/dim.h"

#include <algorithm>
#include <limits>
#include <map>

#include "base/error.h"
#include "base/hash.h"

namespace narae {

namespace {
enum class AtomKind { symbol, floordiv, ceildiv, min, max };

// Above what models need (a Reshape to sizes that are all inputs takes 1.6 MB). Expressions that contain each other
// twice, and products of sums, grow without end.
constexpr size_t text_limit = 1 << 22, term_limit = 1 << 12;

int64_t clamp_wide(__int128 value) {
  if (value > Dim::no_limit) return Dim::no_limit;
  if (value < -Dim::no_limit) return -Dim::no_limit;
  return static_cast<int64_t>(value);
}

// Sizes come out of files: arithmetic that would leave 64 bits is an error of theirs, never an overflow here.
[[noreturn]] void too_large() {
  fail(ErrorCode::bad_file, "a size cannot be computed in 64 bits; the file is damaged, or its sizes make no sense");
}
int64_t plus(int64_t a, int64_t b) {
  int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) too_large();
  return sum;
}
int64_t times(int64_t a, int64_t b) {
  int64_t product;
  if (__builtin_mul_overflow(a, b, &product)) too_large();
  return product;
}
int64_t floor_quotient(int64_t a, int64_t b) {
  if (b == -1) return times(a, -1);
  int64_t q = a / b;
  return (a % b != 0 && ((a < 0) != (b < 0))) ? q - 1 : q;
}
int64_t ceil_quotient(int64_t a, int64_t b) {
  if (b == -1) return times(a, -1);
  int64_t q = a / b;
  return (a % b != 0 && ((a < 0) == (b < 0))) ? q + 1 : q;
}
}  // namespace

struct DimAtom {
  AtomKind kind;
  std::string text;
  int64_t low, high;
  Dim a, b;  // operands of everything but a symbol
};
using AtomPtr = std::shared_ptr<const DimAtom>;

struct DimTerm {
  int64_t factor;
  std::vector<AtomPtr> atoms;  // sorted by text
};

struct DimExpr {
  int64_t constant = 0;
  std::vector<DimTerm> terms;  // sorted by the texts of their atoms, factors not zero
  std::string text;
  uint64_t hash = 0;
  int64_t low = 0, high = 0;

  static Dim wrap(std::shared_ptr<const DimExpr> expr) { return Dim(std::move(expr)); }
};

namespace {

std::string atoms_text(const std::vector<AtomPtr>& atoms) {
  std::string text;
  for (const AtomPtr& atom : atoms) {
    if (!text.empty()) text += '*';
    text += atom->text;
  }
  return text;
}

void term_bounds(const DimTerm& term, int64_t& low, int64_t& high) {
  __int128 lo = 1, hi = 1;
  for (const AtomPtr& atom : term.atoms) {
    const __int128 products[4] = {lo * atom->low, lo * atom->high, hi * atom->low, hi * atom->high};
    lo = clamp_wide(*std::min_element(products, products + 4));
    hi = clamp_wide(*std::max_element(products, products + 4));
  }
  lo *= term.factor;
  hi *= term.factor;
  if (lo > hi) std::swap(lo, hi);
  low = clamp_wide(lo);
  high = clamp_wide(hi);
}

Dim make(int64_t constant, const std::vector<DimTerm>& terms) {
  std::map<std::string, DimTerm> merged;
  for (const DimTerm& term : terms) {
    auto [it, fresh] = merged.try_emplace(atoms_text(term.atoms), term);
    if (!fresh) it->second.factor = plus(it->second.factor, term.factor);
  }
  auto expr = std::make_shared<DimExpr>();
  expr->constant = constant;
  __int128 low = constant, high = constant;
  for (auto& [text, term] : merged) {
    if (term.factor == 0) continue;
    if (!expr->text.empty()) expr->text += '+';
    expr->text += term.factor == 1 ? text : fmt::format("{}*{}", term.factor, text);
    int64_t lo, hi;
    term_bounds(term, lo, hi);
    low += lo;
    high += hi;
    expr->terms.push_back(std::move(term));
  }
  if (expr->terms.empty()) return Dim(constant);
  if (constant != 0) expr->text += fmt::format("{}{}", constant > 0 ? "+" : "", constant);
  if (expr->text.size() > text_limit) {
    fail(ErrorCode::bad_file,
         "a size is an expression of {} characters; the file is damaged, or its shapes make no sense",
         expr->text.size());
  }
  expr->hash = hash_string(expr->text);
  expr->low = clamp_wide(low);
  expr->high = clamp_wide(high);
  if (expr->low == expr->high && expr->low > -Dim::no_limit && expr->high < Dim::no_limit) return Dim(expr->low);
  return DimExpr::wrap(std::move(expr));
}

Dim make_atom(AtomKind kind, std::string text, int64_t low, int64_t high, Dim a, Dim b) {
  if (low == high) return Dim(low);
  auto atom = std::make_shared<DimAtom>(DimAtom{kind, std::move(text), low, high, std::move(a), std::move(b)});
  return make(0, {DimTerm{1, {atom}}});
}

// The two operands as polynomials without caring whether they are constants.
struct Poly {
  int64_t constant = 0;
  std::vector<DimTerm> terms;
};

}  // namespace

// Access to the expression for the functions below.
struct DimAccess {
  static Poly poly(const Dim& dim, const DimExpr* expr) {
    if (!expr) return {dim.is_constant() ? dim.value() : 0, {}};
    return {expr->constant, expr->terms};
  }
};

int64_t Dim::value() const {
  NARAE_CHECK(is_constant());
  return value_;
}
bool Dim::is_symbol() const {
  return expr_ && expr_->constant == 0 && expr_->terms.size() == 1 && expr_->terms[0].factor == 1 &&
         expr_->terms[0].atoms.size() == 1 && expr_->terms[0].atoms[0]->kind == AtomKind::symbol;
}
const std::string& Dim::symbol_name() const {
  NARAE_CHECK(is_symbol());
  return expr_->terms[0].atoms[0]->text;
}
int64_t Dim::low() const { return expr_ ? expr_->low : value_; }
int64_t Dim::high() const { return expr_ ? expr_->high : value_; }
std::string Dim::text() const { return expr_ ? expr_->text : fmt::format("{}", value_); }
uint64_t Dim::hash() const { return expr_ ? expr_->hash : hash_mix(static_cast<uint64_t>(value_)); }

bool operator==(const Dim& a, const Dim& b) {
  if (a.expr_ == b.expr_) return a.expr_ ? true : a.value_ == b.value_;
  if (!a.expr_ || !b.expr_) return false;
  return a.expr_->hash == b.expr_->hash && a.expr_->text == b.expr_->text;
}

Dim Dim::symbol(std::string name, int64_t low, int64_t high) {
  if (low == high) return Dim(low);
  auto atom = std::make_shared<DimAtom>(DimAtom{AtomKind::symbol, std::move(name), low, high, {}, {}});
  return make(0, {DimTerm{1, {atom}}});
}

Dim operator+(const Dim& a, const Dim& b) {
  if (a.is_constant() && b.is_constant()) return Dim(plus(a.value_, b.value_));
  Poly x = DimAccess::poly(a, a.expr_.get());
  const Poly y = DimAccess::poly(b, b.expr_.get());
  x.terms.insert(x.terms.end(), y.terms.begin(), y.terms.end());
  return make(plus(x.constant, y.constant), x.terms);
}

Dim operator-(const Dim& a, const Dim& b) { return a + b * Dim(-1); }

Dim operator*(const Dim& a, const Dim& b) {
  if (a.is_constant() && b.is_constant()) return Dim(clamp_wide(static_cast<__int128>(a.value_) * b.value_));
  const Poly x = DimAccess::poly(a, a.expr_.get());
  const Poly y = DimAccess::poly(b, b.expr_.get());
  if (x.terms.size() * y.terms.size() > term_limit) {
    fail(ErrorCode::bad_file, "a size is a product of sums of {} and {} terms; the file's shapes make no sense",
         x.terms.size(), y.terms.size());
  }
  std::vector<DimTerm> terms;
  for (const DimTerm& s : x.terms) {
    if (y.constant) terms.push_back({times(s.factor, y.constant), s.atoms});
    for (const DimTerm& t : y.terms) {
      DimTerm product{times(s.factor, t.factor), s.atoms};
      product.atoms.insert(product.atoms.end(), t.atoms.begin(), t.atoms.end());
      std::sort(product.atoms.begin(), product.atoms.end(),
                [](const AtomPtr& p, const AtomPtr& q) { return p->text < q->text; });
      terms.push_back(std::move(product));
    }
  }
  if (x.constant) {
    for (const DimTerm& t : y.terms) terms.push_back({times(x.constant, t.factor), t.atoms});
  }
  return make(times(x.constant, y.constant), terms);
}

namespace {

// a / b when b is one term that divides every term of a; nothing is rounded then.
bool divide_exactly(const Poly& a, const Poly& b, Dim& quotient) {
  const bool constant = b.terms.empty();
  if (!constant && (b.terms.size() != 1 || b.constant != 0)) return false;
  const int64_t factor = constant ? b.constant : b.terms[0].factor;
  // By -1 through times(): the least integer has no negative, and even its remainder is undefined.
  const auto divides = [factor](int64_t x) { return factor == -1 || x % factor == 0; };
  const auto part = [factor](int64_t x) { return factor == -1 ? times(x, -1) : x / factor; };
  if (factor == 0 || !divides(a.constant) || (!constant && a.constant != 0)) return false;
  std::vector<DimTerm> terms;
  for (const DimTerm& term : a.terms) {
    if (!divides(term.factor)) return false;
    DimTerm left{part(term.factor), term.atoms};
    if (!constant) {
      for (const AtomPtr& atom : b.terms[0].atoms) {
        auto it = std::find_if(left.atoms.begin(), left.atoms.end(),
                               [&](const AtomPtr& other) { return other->text == atom->text; });
        if (it == left.atoms.end()) return false;
        left.atoms.erase(it);
      }
    }
    terms.push_back(std::move(left));
  }
  quotient = make(part(a.constant), terms);
  return true;
}

Dim divide(const Dim& a, const Dim& b, const Poly& x, const Poly& y, bool up) {
  Dim exact;
  if (divide_exactly(x, y, exact)) return exact;
  Dim whole(0), rest = a;
  if (b.is_constant() && b.value() > 0) {  // floor((k q + r) / k) = q + floor(r / k)
    const int64_t k = b.value();
    Poly q, r;
    for (const DimTerm& term : x.terms) (term.factor % k == 0 ? q : r).terms.push_back(term);
    for (DimTerm& term : q.terms) term.factor /= k;
    q.constant = floor_quotient(x.constant, k);
    whole = make(q.constant, q.terms);
    rest = make(x.constant - q.constant * k, r.terms);
  }
  const std::string text = fmt::format("{}({},{})", up ? "ceildiv" : "floordiv", rest.text(), b.text());
  int64_t low = -Dim::no_limit, high = Dim::no_limit;
  if (b.low() > 0) {
    auto quotient = up ? ceil_quotient : floor_quotient;
    const int64_t ends[4] = {quotient(rest.low(), b.low()), quotient(rest.low(), b.high()),
                             quotient(rest.high(), b.low()), quotient(rest.high(), b.high())};
    low = *std::min_element(ends, ends + 4);
    high = *std::max_element(ends, ends + 4);
  }
  return whole + make_atom(up ? AtomKind::ceildiv : AtomKind::floordiv, text, low, high, rest, b);
}

}  // namespace

Dim floordiv(const Dim& a, const Dim& b) {
  if (a.is_constant() && b.is_constant() && b.value_ != 0) return Dim(floor_quotient(a.value_, b.value_));
  return divide(a, b, DimAccess::poly(a, a.expr_.get()), DimAccess::poly(b, b.expr_.get()), false);
}

Dim ceildiv(const Dim& a, const Dim& b) {
  if (a.is_constant() && b.is_constant() && b.value_ != 0) return Dim(ceil_quotient(a.value_, b.value_));
  return divide(a, b, DimAccess::poly(a, a.expr_.get()), DimAccess::poly(b, b.expr_.get()), true);
}

Dim min(const Dim& a, const Dim& b) {
  const Dim difference = a - b;
  if (difference.high() <= 0) return a;
  if (difference.low() >= 0) return b;
  const bool swap = b.text() < a.text();
  const Dim &x = swap ? b : a, &y = swap ? a : b;
  return make_atom(AtomKind::min, fmt::format("min({},{})", x.text(), y.text()), std::min(a.low(), b.low()),
                   std::min(a.high(), b.high()), x, y);
}

Dim max(const Dim& a, const Dim& b) {
  const Dim difference = a - b;
  if (difference.low() >= 0) return a;
  if (difference.high() <= 0) return b;
  const bool swap = b.text() < a.text();
  const Dim &x = swap ? b : a, &y = swap ? a : b;
  return make_atom(AtomKind::max, fmt::format("max({},{})", x.text(), y.text()), std::max(a.low(), b.low()),
                   std::max(a.high(), b.high()), x, y);
}

int64_t Dim::evaluate(const std::function<int64_t(const std::string&)>& value_of) const {
  if (!expr_) return value_;
  const auto multiply = [this](int64_t& product, int64_t by) {
    if (__builtin_mul_overflow(product, by, &product)) fail(ErrorCode::does_not_fit, "the size {} overflows", text());
  };
  int64_t sum = expr_->constant;
  for (const DimTerm& term : expr_->terms) {
    int64_t product = term.factor;
    for (const AtomPtr& atom : term.atoms) {
      if (atom->kind == AtomKind::symbol) {
        multiply(product, value_of(atom->text));
        continue;
      }
      const int64_t a = atom->a.evaluate(value_of), b = atom->b.evaluate(value_of);
      if (atom->kind == AtomKind::min) {
        multiply(product, std::min(a, b));
      } else if (atom->kind == AtomKind::max) {
        multiply(product, std::max(a, b));
      } else if (b == 0) {
        fail(ErrorCode::does_not_fit, "division by zero in the size {}", text());
      } else {
        multiply(product, atom->kind == AtomKind::floordiv ? floor_quotient(a, b) : ceil_quotient(a, b));
      }
    }
    if (__builtin_add_overflow(sum, product, &sum)) fail(ErrorCode::does_not_fit, "the size {} overflows", text());
  }
  return sum;
}

void Dim::collect_symbols(std::vector<Dim>& symbols) const {
  if (!expr_) return;
  for (const DimTerm& term : expr_->terms) {
    for (const AtomPtr& atom : term.atoms) {
      if (atom->kind == AtomKind::symbol) {
        const Dim symbol = make(0, {DimTerm{1, {atom}}});
        if (std::find(symbols.begin(), symbols.end(), symbol) == symbols.end()) symbols.push_back(symbol);
      } else {
        atom->a.collect_symbols(symbols);
        atom->b.collect_symbols(symbols);
      }
    }
  }
}

Dim Dim::substitute(const std::function<Dim(const Dim& symbol)>& replacement) const {
  if (!expr_) return *this;
  Dim sum(expr_->constant);
  for (const DimTerm& term : expr_->terms) {
    Dim product(term.factor);
    for (const AtomPtr& atom : term.atoms) {
      Dim factor;
      if (atom->kind == AtomKind::symbol) {
        factor = replacement(make(0, {DimTerm{1, {atom}}}));
      } else {
        const Dim a = atom->a.substitute(replacement), b = atom->b.substitute(replacement);
        factor = atom->kind == AtomKind::min        ? min(a, b)
                 : atom->kind == AtomKind::max      ? max(a, b)
                 : atom->kind == AtomKind::floordiv ? floordiv(a, b)
                                                    : ceildiv(a, b);
      }
      product = product * factor;
    }
    sum = sum + product;
  }
  return sum;
}

namespace {

// sum := product (('+'|'-') product)*, product := factor ('*' factor)*, factor := number | name | f(sum,sum)
struct DimParser {
  std::string_view text;
  const std::function<Dim(std::string_view)>& lookup;
  size_t at = 0;
  int depth = 0;

  [[noreturn]] void bad() const { fail(ErrorCode::bad_file, "cannot read the size \"{}\" at column {}", text, at + 1); }
  bool take(char c) {
    if (at >= text.size() || text[at] != c) return false;
    ++at;
    return true;
  }
  Dim sum() {
    if (++depth > 64) bad();
    Dim value = product();
    for (;;) {
      if (take('+') || (at < text.size() && text[at] == '-')) {
        value = value + product();  // factor() takes the sign
      } else {
        --depth;
        return value;
      }
    }
  }
  Dim product() {
    Dim value = factor();
    while (take('*')) value = value * factor();
    return value;
  }
  Dim factor() {
    const bool negative = take('-');
    const size_t begin = at;
    int64_t number = 0;  // every int64_t is a size's end somewhere, so none may saturate
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
      const int64_t digit = text[at] - '0';
      if (__builtin_mul_overflow(number, 10, &number) ||
          __builtin_add_overflow(number, negative ? -digit : digit, &number)) {
        bad();
      }
      ++at;
    }
    if (at > begin) return Dim(number);
    if (negative && take('-')) bad();
    if (negative) return factor() * Dim(-1);
    while (at < text.size() && (isalnum(static_cast<unsigned char>(text[at])) || text[at] == '_' || text[at] == '.' ||
                                text[at] == '#' || text[at] == '$')) {
      ++at;
    }
    const std::string_view name = text.substr(begin, at - begin);
    if (name.empty()) bad();
    if (!take('(')) return lookup(name);
    const Dim a = sum();
    if (!take(',')) bad();
    const Dim b = sum();
    if (!take(')')) bad();
    if (name == "floordiv") return floordiv(a, b);
    if (name == "ceildiv") return ceildiv(a, b);
    if (name == "min") return min(a, b);
    if (name == "max") return max(a, b);
    bad();
  }
};

}  // namespace

Dim Dim::parse(std::string_view text, const std::function<Dim(std::string_view)>& lookup) {
  DimParser parser{text, lookup};
  Dim value = parser.sum();
  if (parser.at != text.size()) parser.bad();
  return value;
}

Dim element_count(const Shape& shape) {
  Dim count(1);
  for (const Dim& dim : shape) count = count * dim;
  return count;
}
int64_t element_count(const Dims& dims) {
  int64_t count = 1;
  bool overflow = false;
  for (const int64_t dim : dims) {
    if (dim == 0) return 0;
    overflow = overflow || __builtin_mul_overflow(count, dim, &count);
  }
  return overflow ? std::numeric_limits<int64_t>::max() : count;
}
bool is_static(const Shape& shape) {
  return std::all_of(shape.begin(), shape.end(), [](const Dim& dim) { return dim.is_constant(); });
}
Dims static_dims(const Shape& shape) {
  Dims dims;
  for (const Dim& dim : shape) dims.push_back(dim.value());
  return dims;
}
Shape to_shape(const Dims& dims) { return Shape(dims.begin(), dims.end()); }

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i ? "," : "") + shape[i].text();
  return text + "]";
}
std::string dims_text(const Dims& dims) { return shape_text(to_shape(dims)); }

}  // namespace narae
