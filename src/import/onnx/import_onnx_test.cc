// SPDX-License-Identifier: Apache-2.0
// Hand-made models: wiring, functions, symbols, and what must be refused in one clear error.
#include "import/onnx/import_onnx.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "import/onnx/onnx_ops.h"
#include "import/onnx/wire_bytes_test.h"
#include "ops/interpret.h"
#include "ops/ops.h"

namespace narae {
namespace {

using onnx::as_bytes;
using onnx::field;
using onnx::integer_field;

std::string attribute_ints(const std::string& name, const std::vector<int64_t>& values) {
  std::string out = field(1, name) + integer_field(20, 7);
  for (const int64_t value : values) out += integer_field(8, static_cast<uint64_t>(value));
  return field(5, out);
}

std::string node(const std::string& op, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
                 const std::string& more = "") {
  std::string out = field(4, op) + more;
  for (const std::string& name : inputs) out += field(1, name);
  for (const std::string& name : outputs) out += field(2, name);
  return field(1, out);
}

// dims: "3" is a number, anything else a dim_param.
std::string value(int place, const std::string& name, const std::vector<std::string>& dims, int type = 1) {
  std::string shape;
  for (const std::string& dim : dims) {
    const bool number = dim.find_first_not_of("0123456789") == std::string::npos && !dim.empty();
    shape += field(1, number ? integer_field(1, static_cast<uint64_t>(std::stoll(dim))) : field(2, dim));
  }
  const std::string tensor = field(1, integer_field(1, static_cast<uint64_t>(type)) + field(2, shape));
  return field(static_cast<uint32_t>(place), field(1, name) + field(2, tensor));
}
std::string input(const std::string& name, const std::vector<std::string>& dims, int type = 1) {
  return value(11, name, dims, type);
}
std::string output(const std::string& name) { return value(12, name, {}); }
std::string initializer(const std::string& name, const std::vector<int64_t>& values) {
  std::string out = integer_field(1, values.size()) + integer_field(2, 7) + field(8, name);
  for (const int64_t v : values) out += integer_field(7, static_cast<uint64_t>(v));
  return field(5, out);
}

class ImportOnnx : public ::testing::Test {
 protected:
  ImportOnnx() { add_all_ops(ops_); }
  std::unique_ptr<Graph> import(const std::string& graph, const std::string& more = "") {
    bytes_ = integer_field(1, 8) + field(8, integer_field(2, 17)) + field(7, graph) + more;
    auto made = import_onnx(as_bytes(bytes_), nullptr, ".", ops_);
    made->verify();
    return made;
  }
  std::string error(const std::string& graph, const std::string& more = "") {
    try {
      import(graph, more);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_file) << error.what();
      return error.what();
    }
    return "";
  }
  OpTable ops_;
  std::string bytes_;
};

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(ImportOnnx, ListIsSorted) {
  std::vector<std::string_view> names;
#define ONNX_OP(name, file, function, narae_op) names.push_back(#name);
#include "import/onnx/onnx_ops.inc"
#undef ONNX_OP
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const std::string_view name : names) EXPECT_NE(onnx::find_onnx_op("", name), nullptr) << name;
  EXPECT_EQ(onnx::find_onnx_op("com.example", names[0]), nullptr);
}

TEST_F(ImportOnnx, RunsNodesInAnyOrder) {
  const auto graph = import(node("Relu", {"a"}, {"y"}) + node("Neg", {"x"}, {"a"}) + input("x", {"2"}) + output("y"));
  const std::vector<Tensor> got = interpret(*graph, {Tensor::of<float>(DType::f32, {2}, {1, -3})});
  EXPECT_EQ(got[0].as<float>()[0], 0.0f);
  EXPECT_EQ(got[0].as<float>()[1], 3.0f);
  EXPECT_EQ(graph->output_names()[0], "y");
}

TEST_F(ImportOnnx, DimNamesAreSymbolsUnlessTheySayNothing) {
  const auto graph = import(node("Add", {"x", "z"}, {"y"}) + input("x", {"batch", "?", "", "-1"}) +
                            input("z", {"batch", "?", "", "-1"}) + output("y"));
  const Shape &x = graph->inputs()[0]->shape(), &z = graph->inputs()[1]->shape();
  EXPECT_EQ(x[0], z[0]);
  for (size_t i = 1; i < 4; ++i) {
    EXPECT_TRUE(x[i].is_symbol());
    EXPECT_NE(x[i], z[i]) << i;
    for (size_t k = 0; k < i; ++k) EXPECT_NE(x[i], x[k]);
  }
  EXPECT_EQ(graph->guards().size(), 3u);
}

TEST_F(ImportOnnx, ShapeArithmeticNeedsNoNode) {
  const auto graph = import(
      node("Shape", {"x"}, {"s"}) + node("Slice", {"s", "zero", "one"}, {"n"}) +
      node("Concat", {"n", "rest"}, {"t"}, field(5, field(1, "axis") + integer_field(3, 0) + integer_field(20, 2))) +
      node("Reshape", {"x", "t"}, {"y"}) + initializer("zero", {0}) + initializer("one", {1}) +
      initializer("rest", {-1, 2}) + input("x", {"N", "4"}) + output("y"));
  EXPECT_EQ(graph->node_count(), 1u);  // the reshape alone
  EXPECT_EQ(shape_text(graph->outputs()[0]->shape()), "[N,2,2]");
}

TEST_F(ImportOnnx, ReshapeByAGraphInput) {
  const auto graph =
      import(node("Reshape", {"x", "t"}, {"y"}) + input("x", {"2", "6"}) + input("t", {"2"}, 7) + output("y"));
  const Tensor x = Tensor::of<float>(DType::f32, {2, 6}, std::vector<float>(12, 1));
  const auto run = [&](int64_t a, int64_t b) {
    return interpret(*graph, {x, Tensor::of<int64_t>(DType::i64, {2}, {a, b})})[0].dims;
  };
  EXPECT_EQ(run(3, 4), (Dims{3, 4}));
  EXPECT_EQ(run(-1, 3), (Dims{4, 3}));
  EXPECT_EQ(run(0, -1), (Dims{2, 6}));
  EXPECT_THROW(run(5, 3), Error);
}

TEST_F(ImportOnnx, LocalFunctionsAreInlined) {
  // twice(a) { k } = a * k added to itself, k by attribute reference.
  const std::string reference = field(5, field(1, "alpha") + field(21, "slope") + integer_field(20, 1));
  const std::string body = field(7, field(4, "LeakyRelu") + field(1, "a") + field(2, "l") + reference) +
                           field(7, field(4, "Add") + field(1, "l") + field(1, "l") + field(2, "b"));
  const std::string function = field(25, field(1, "twice") + field(10, "my") + field(4, "a") + field(5, "b") +
                                             field(6, "slope") + body + field(9, integer_field(2, 17)));
  const std::string slope =
      field(5, field(1, "slope") + onnx::key(2, 5) + std::string("\0\0\0\x3f", 4) + integer_field(20, 1));
  const auto graph =
      import(node("twice", {"x"}, {"y"}, field(7, "my") + slope) + input("x", {"2"}) + output("y"), function);
  const std::vector<Tensor> got = interpret(*graph, {Tensor::of<float>(DType::f32, {2}, {1, -4})});
  EXPECT_EQ(got[0].as<float>()[0], 2.0f);
  EXPECT_EQ(got[0].as<float>()[1], -4.0f);
}

TEST_F(ImportOnnx, AFunctionThatCallsItselfIsRefused) {
  const std::string function = field(25, field(1, "f") + field(10, "my") + field(4, "a") + field(5, "b") +
                                             field(7, field(4, "f") + field(7, "my") + field(1, "a") + field(2, "b")));
  EXPECT_HAS(error(node("f", {"x"}, {"y"}, field(7, "my")) + input("x", {"2"}) + output("y"), function),
             "calls itself");
}

TEST_F(ImportOnnx, AllMissingOperatorsInOneError) {
  const std::string what =
      error(node("Loop", {"x"}, {"a"}) + node("LSTM", {"a"}, {"b"}) + node("LSTM", {"b"}, {"c"}) +
            node("Fancy", {"c"}, {"y"}, field(7, "com.example")) + input("x", {"2"}) + output("y"));
  EXPECT_HAS(what, "3 operators are not supported");
  EXPECT_HAS(what, "Loop [control flow] (1 node");
  EXPECT_HAS(what, "LSTM [recurrent layer] (2 nodes, first \"LSTM -> b\")");
  EXPECT_HAS(what, "com.example.Fancy");
}

TEST_F(ImportOnnx, ErrorsNameTheNodeAndTheOperand) {
  EXPECT_HAS(error(node("Unsqueeze", {"x", "a"}, {"y"}) + input("x", {"2"}) + input("a", {"1"}, 7) + output("y")),
             "node \"Unsqueeze -> y\" (Unsqueeze) > input 1 (axes) \"a\" must be a constant");
  EXPECT_HAS(error(node("Relu", {"x"}, {"y"}, attribute_ints("extra", {1})) + input("x", {"2"}) + output("y")),
             "attribute extra of Relu");
  EXPECT_HAS(
      error(node("Transpose", {"x"}, {"y"}, attribute_ints("perm", {0, 0})) + input("x", {"2", "3"}) + output("y")),
      "axis 0 is given twice");
  EXPECT_HAS(error(node("Relu", {"x"}, {"y"}) + input("x", {"2"}, 8) + output("y")),
             "input \"x\" > element type string");
  EXPECT_HAS(error(node("Add", {"x"}, {"y"}) + input("x", {"2"}) + output("y")), "input 1 is missing");
  EXPECT_HAS(error(node("Relu", {"x"}, {"y"}) + input("x", {"2"}) + output("z")), "output \"z\" is given by no node");
  EXPECT_HAS(error(node("Relu", {"x"}, {"y"}) + input("x", {"2"}) + input("x", {"2"}) + output("y")), "given twice");
  EXPECT_HAS(error(node("Add", {"x", "w"}, {"y"}) + input("x", {"2"}) + input("w", {"3"}) + output("y")),
             "do not broadcast");
}

// What fuzzing found: ranks that an operator takes for granted, sizes and attributes that overflow.
TEST_F(ImportOnnx, RanksAreCheckedBeforeAxesAreUsed) {
  EXPECT_HAS(error(node("SoftmaxCrossEntropyLoss", {"x", "t"}, {"y"}) + input("x", {"2", "3"}) + input("t", {}, 7) +
                   output("y")),
             "axis 1 is outside the rank 1");
  const std::string heads = input("q", {"1", "2", "3", "4"}) + input("k", {"1", "2", "3", "4"});
  EXPECT_HAS(error(node("Attention", {"q", "k", "k", "", "p", "p"}, {"y"}) + heads + input("p", {"5"}) + output("y")),
             "has no axis 2");
  EXPECT_HAS(error(node("Attention", {"q", "k", "k", "m"}, {"y"}) + heads + input("m", {}) + output("y")),
             "the mask is a scalar");
  EXPECT_HAS(error(node("Squeeze", {"x"}, {"y"}, attribute_ints("axes", {5})) + input("x", {"1", "3"}) + output("y")),
             "axis 5 is outside the rank 2");
  EXPECT_HAS(error(node("Relu", {"x"}, {"y"}) + input("x", std::vector<std::string>(17, "1")) + output("y")),
             "a value of rank 17");
}

TEST_F(ImportOnnx, SizesThatNoMemoryHoldsAreRefused) {
  const int64_t huge = int64_t{1} << 62;
  const std::string window = attribute_ints("kernel_shape", {2, 2}), x = input("x", {"1", "1", "8", "8"});
  EXPECT_HAS(error(node("Relu", {"x"}, {"y"}) + input("x", {std::to_string(huge)}) + output("y")), "is too large");
  EXPECT_HAS(
      error(node("MaxPool", {"x"}, {"y"}, window + attribute_ints("pads", {huge, 0, huge, 0})) + x + output("y")),
      "pads of 4611686018427387904");
  EXPECT_HAS(error(node("MaxPool", {"x"}, {"y"}, window + attribute_ints("dilations", {huge, 1})) + x + output("y")),
             "dilations of 4611686018427387904");
  EXPECT_HAS(error(node("MaxPool", {"x"}, {"y"}, attribute_ints("kernel_shape", {huge, 1})) + x + output("y")),
             "kernel of size 4611686018427387904");
  EXPECT_HAS(error(node("MaxUnpool", {"x", "i"}, {"y"}, attribute_ints("kernel_shape", {huge, 2})) + x +
                   input("i", {"1", "1", "8", "8"}, 7) + output("y")),
             "an attribute of 4611686018427387904");
  EXPECT_HAS(error(node("Expand", {"s", "e"}, {"y"}) + input("s", {"1"}) + initializer("e", {huge}) + output("y")),
             "which no memory holds");
  EXPECT_HAS(error(node("Tile", {"s", "h"}, {"m"}) + node("Tile", {"m", "h"}, {"y"}) + initializer("h", {huge}) +
                   input("s", {"N"}) + output("y")),
             "64 bits");
}

}  // namespace
}  // namespace narae
