// SPDX-License-Identifier: Apache-2.0
// Text -> graph. Engine files hold such text, so every byte is hostile: each error names line and column.
#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "graph/check_shape.h"
#include "graph/text.h"

namespace narae {
namespace {

constexpr int max_depth = 16;
constexpr int64_t element_limit = int64_t{1} << 24;

class Parser {
 public:
  Parser(std::string_view text, const OpTable& ops, const LeafSource& leaves)
      : text_(text), ops_(ops), leaves_(leaves) {}

  std::unique_ptr<Graph> run() {
    try {
      expect("graph");
      auto graph = std::make_unique<Graph>(ops_, string());
      expect("{");
      contents(*graph, 0);
      skip();
      if (at_ != text_.size()) bad("text after the graph");
      graph->verify();
      return graph;
    } catch (Error& error) {
      size_t line = 1, column = 1;
      for (size_t i = 0; i < std::min(at_, text_.size()); ++i) {
        if (text_[i] == '\n') {
          ++line;
          column = 1;
        } else {
          ++column;
        }
      }
      error.add_context(fmt::format("graph text, line {} column {}", line, column));
      throw Error(error.code() == ErrorCode::internal ? ErrorCode::bad_file : error.code(), error.what());
    }
  }

 private:
  using Names = std::unordered_map<std::string, Value*>;

  [[noreturn]] void bad(const std::string& what) const { fail(ErrorCode::bad_file, "{}", what); }
  void skip() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (isspace(static_cast<unsigned char>(text_[at_]))) {
        ++at_;
      } else {
        return;
      }
    }
  }
  bool take(std::string_view token) {
    skip();
    if (text_.substr(at_, token.size()) != token) return false;
    if (isalnum(static_cast<unsigned char>(token.back())) && at_ + token.size() < text_.size() &&
        is_word(text_[at_ + token.size()])) {
      return false;
    }
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) bad(fmt::format("\"{}\" expected", token));
  }
  static bool is_word(char c) { return isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.'; }
  std::string word() {
    skip();
    const size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    if (begin == at_) bad("a name expected");
    return std::string(text_.substr(begin, at_ - begin));
  }
  bool at_string() {
    skip();
    return at_ < text_.size() && text_[at_] == '"';
  }
  std::string string() {
    if (!at_string()) bad("a quoted string expected");
    std::string value;
    parse_field(raw_string(), {}, value);
    return value;
  }
  std::string_view raw_string() {
    const size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) bad("the string does not end");
    ++at_;
    return text_.substr(begin, at_ - begin);
  }
  std::string_view bracketed(char open, char close) {
    skip();
    const size_t begin = at_;
    if (at_ >= text_.size() || text_[at_] != open) bad(fmt::format("\"{}\" expected", open));
    while (at_ < text_.size() && text_[at_] != close) ++at_;
    if (at_ >= text_.size()) bad(fmt::format("\"{}\" expected", close));
    ++at_;
    return text_.substr(begin, at_ - begin);
  }
  int64_t integer() {
    skip();
    const size_t begin = at_;
    while (at_ < text_.size() && (is_word(text_[at_]) || text_[at_] == '-')) ++at_;
    int64_t value;
    parse_field(text_.substr(begin, at_ - begin), {}, value);
    return value;
  }
  // A size up to white space.
  Dim size(const SymbolLookup& lookup) {
    skip();
    const size_t begin = at_;
    while (at_ < text_.size() && !isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
    return Dim::parse(text_.substr(begin, at_ - begin), lookup);
  }
  std::string reference() {
    expect("%");
    return word();
  }
  void type(const SymbolLookup& lookup, DType& dtype, Shape& shape) {
    dtype = dtype_from_name(word());
    parse_field(bracketed('[', ']'), lookup, shape);
    check_shape(shape);
  }
  void define(Names& names, const std::string& id, Value* value) {
    if (!names.emplace(id, value).second) bad(fmt::format("%{} is defined twice", id));
  }
  Value* find(const Names& names, const std::string& id) {
    const auto it = names.find(id);
    if (it == names.end()) bad(fmt::format("%{} is not defined", id));
    return it->second;
  }

  void input(Graph& graph, Names& names, const SymbolLookup& lookup, bool state) {
    const std::string id = reference();
    const std::string name = at_string() ? string() : std::string();
    DType dtype;
    Shape shape;
    type(lookup, dtype, shape);
    Value* value = state ? graph.add_state(name, dtype, shape) : graph.add_input(name, dtype, shape);
    define(names, id, value);
    if (!state && take("contents")) {
      std::vector<Dim> contents;
      parse_field(bracketed('[', ']'), lookup, contents);
      if (contents.size() > 64) bad("too many contents");
      graph.set_input_contents(value, std::move(contents));
    }
  }

  void constant(Graph& graph, Names& names, const SymbolLookup& lookup) {
    const std::string id = reference();
    const std::string name = at_string() ? string() : std::string();
    DType dtype;
    Shape shape;
    type(lookup, dtype, shape);
    if (!is_static(shape)) bad("a constant's sizes must be numbers");
    const Dims dims = static_dims(shape);
    Tensor tensor;
    if (take("leaf")) {
      const std::string leaf = word();
      if (!leaves_) bad("this text refers to leaves, and none were given");
      tensor = leaves_(leaf, dtype, dims);
      if (tensor.dtype != dtype || tensor.dims != dims) bad("the leaf has another type");
    } else if (take("normal")) {
      const int64_t seed = integer();
      take_elements(dims);
      tensor = Tensor::allocate(dtype, dims);
      fill_normal(tensor, static_cast<uint64_t>(seed));
    } else {
      tensor = inline_tensor(dtype, dims);
    }
    define(names, id, graph.add_constant(std::move(tensor), name));
  }

  // The elements of a constant that this text makes itself; a short text must not fill the memory.
  int64_t take_elements(const Dims& dims) {
    const int64_t count = element_count(dims);
    if (count > element_limit - elements_) bad("its constants are too large for the text form");
    elements_ += count;
    return count;
  }

  Tensor inline_tensor(DType dtype, const Dims& dims) {
    std::string list(bracketed('{', '}'));
    list.front() = '[';
    list.back() = ']';
    std::string packed;
    for (const char c : list) {
      if (!isspace(static_cast<unsigned char>(c))) packed += c;
    }
    std::vector<double> values;
    std::vector<int64_t> integers;
    const bool real = is_float(dtype);
    if (real) {
      parse_field(packed, {}, values);
    } else {
      parse_field(packed, {}, integers);
    }
    const size_t found = real ? values.size() : integers.size();
    if (static_cast<size_t>(take_elements(dims)) != found)
      bad(fmt::format("{} elements for shape {}", found, dims_text(dims)));
    Tensor tensor = Tensor::allocate(dtype, dims);
    for (size_t i = 0; i < found; ++i) {
      const auto at = static_cast<int64_t>(i);
      if (real) {
        set_element(tensor, at, values[i]);
      } else if (dtype == DType::i64 || dtype == DType::u64) {
        tensor.as<int64_t>()[i] = integers[i];  // a double would lose bits
      } else {
        set_element(tensor, at, static_cast<double>(integers[i]));
      }
    }
    return tensor;
  }

  FieldTexts fields() {
    FieldTexts texts;
    if (!take("{")) return texts;
    while (!take("}")) {
      std::string name = word();
      expect("=");
      skip();
      const size_t begin = at_;
      if (at_string()) {
        raw_string();
      } else {
        int depth = 0;
        while (at_ < text_.size()) {
          const char c = text_[at_];
          if (c == '[' || c == '(') ++depth;
          if (c == ']' || c == ')') --depth;
          if (depth == 0 && (c == ',' || c == '}')) break;
          ++at_;
        }
      }
      texts.emplace_back(std::move(name), std::string(text_.substr(begin, at_ - begin)));
      take(",");
    }
    return texts;
  }

  void node(Graph& graph, Names& names, const SymbolLookup& lookup, int depth) {
    struct Result {
      std::string id, name;
      DType dtype;
      Shape shape;
    };
    std::vector<Result> results;
    do {
      Result result;
      result.id = reference();
      if (at_string()) result.name = string();
      type(lookup, result.dtype, result.shape);
      results.push_back(std::move(result));
    } while (take(","));
    expect("=");
    const OpDef* op = ops_.find(word());
    if (!op) bad("there is no such op");
    expect("(");
    std::vector<Value*> operands;
    while (!take(")")) {
      operands.push_back(take("_") ? nullptr : find(names, reference()));
      take(",");
    }
    Attributes attributes = op->parse_attributes(fields(), lookup);
    std::set<std::string> origins;
    if (take("from")) {
      while (at_string()) origins.insert(string());
    }
    std::unique_ptr<Graph> body;
    if (take("body")) {
      if (depth >= max_depth) bad("bodies are nested too deep");
      expect("{");
      body = std::make_unique<Graph>(ops_);
      contents(*body, depth + 1);
    }
    Node* made = graph.add_node(op, std::move(attributes), std::move(operands), static_cast<int>(results.size()),
                                nullptr, std::move(body));
    made->add_origins(origins);
    for (size_t i = 0; i < results.size(); ++i) {
      Value* value = made->output(i);
      if (value->dtype() != results[i].dtype || value->shape() != results[i].shape) {
        bad(fmt::format("%{} is {}{}, not as written", results[i].id, dtype_name(value->dtype()),
                        shape_text(value->shape())));
      }
      value->set_name(results[i].name);
      define(names, results[i].id, value);
    }
  }

  void source(Graph& graph, const SymbolLookup& lookup) {
    SymbolSource source;
    source.symbol = size(lookup);
    expect("input");
    source.input = static_cast<int>(integer());
    const bool axis = take("axis");
    if (!axis) expect("element");
    const int64_t place = integer();
    if (axis) {
      source.axis = static_cast<int>(std::clamp<int64_t>(place, 0, 1000));
    } else {
      source.element = place;
    }
    if (!source.symbol.is_symbol() || source.input < 0 || source.input >= static_cast<int>(graph.inputs().size())) {
      bad("a source of what is not a symbol, or of no input");
    }
    const Value& input = *graph.inputs()[static_cast<size_t>(source.input)];
    const bool fits = axis ? source.axis < input.rank()
                           : source.element >= 0 && input.rank() <= 1 && is_static(input.shape()) &&
                                 source.element < element_count(static_dims(input.shape()));
    if (!fits) bad("a source beyond its input");
    for (const SymbolSource& known : graph.symbol_sources()) {
      if (known.symbol == source.symbol) return;
    }
    graph.add_symbol_source(std::move(source));
  }

  void contents(Graph& graph, int depth) {
    Names names;
    std::unordered_map<std::string, Dim> symbols;
    const SymbolLookup lookup = [&](std::string_view name) {
      const auto it = symbols.find(std::string(name));
      if (it == symbols.end()) fail(ErrorCode::bad_file, "the symbol {} is not declared", name);
      return it->second;
    };
    while (!take("}")) {
      skip();
      if (at_ < text_.size() && text_[at_] == '%') {
        node(graph, names, lookup, depth);
        continue;
      }
      const std::string keyword = word();
      if (keyword == "symbol") {
        const std::string name = word();
        const int64_t low = integer(), high = integer();
        if (low >= high || low < -Dim::no_limit || high > Dim::no_limit) bad("bounds of a symbol must be low < high");
        symbols[name] = Dim::symbol(name, low, high);
        graph.add_symbol(symbols[name]);
      } else if (keyword == "input" || keyword == "state") {
        input(graph, names, lookup, keyword == "state");
      } else if (keyword == "const") {
        constant(graph, names, lookup);
      } else if (keyword == "keep") {
        find(names, reference())->set_keep(true);
      } else if (keyword == "output") {
        Value* value = find(names, reference());
        graph.add_output(value, at_string() ? string() : std::string());
      } else if (keyword == "source") {
        source(graph, lookup);
      } else if (keyword == "guard") {
        const Dim a = size(lookup);
        expect("==");
        const Dim b = size(lookup);
        graph.add_guard(a, b, string());
      } else if (keyword == "metadata") {
        std::string key = string();
        graph.metadata().emplace_back(std::move(key), string());
      } else {
        bad(fmt::format("unknown word \"{}\"", keyword));
      }
    }
  }

  std::string_view text_;
  const OpTable& ops_;
  const LeafSource& leaves_;
  size_t at_ = 0;
  int64_t elements_ = 0;
};

}  // namespace

std::unique_ptr<Graph> parse_graph(std::string_view text, const OpTable& ops, const LeafSource& leaves) {
  return Parser(text, ops, leaves).run();
}

}  // namespace narae
