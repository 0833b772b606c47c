// SPDX-License-Identifier: Apache-2.0
// Every case of every op: shape rule against reference, symbolic sizes against fixed ones, text, decomposition, the
// scalar program and contents.
#include "ops/ops.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error.h"
#include "graph/builder.h"
#include "graph/text.h"
#include "ops/interpret.h"
#include "ops/op_case.h"

namespace narae {
namespace {

std::vector<Tensor> results_of(const Graph& graph, const std::vector<Tensor>& inputs) {
  return interpret(graph, inputs);
}

struct OpCaseTest : ::testing::TestWithParam<OpCase> {
  void compare(const std::vector<Tensor>& got, const std::vector<Tensor>& wanted, double tolerance) {
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < got.size(); ++i) EXPECT_EQ(case_difference(got[i], wanted[i], tolerance), "") << "y" << i;
  }
};

TEST_P(OpCaseTest, GivesTheExpectedNumbers) {
  auto graph = build_case_graph(GetParam(), case_ops());
  graph->verify();
  const auto got = results_of(*graph, case_inputs(GetParam()));
  ASSERT_LE(GetParam().expected.size(), got.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_TRUE(is_static(graph->outputs()[i]->shape()));
    EXPECT_EQ(to_shape(got[i].dims), graph->outputs()[i]->shape());
    if (i >= GetParam().expected.size()) continue;
    const std::vector<double>& expected = GetParam().expected[i];
    ASSERT_EQ(static_cast<int64_t>(expected.size()), got[i].count());
    Tensor wanted = Tensor::allocate(got[i].dtype, got[i].dims);
    for (size_t k = 0; k < expected.size(); ++k) set_element(wanted, static_cast<int64_t>(k), expected[k]);
    EXPECT_EQ(case_difference(got[i], wanted, GetParam().tolerance), "") << "y" << i;
  }
}

TEST_P(OpCaseTest, SymbolicSizesGiveTheSame) {
  if (GetParam().fixed_shapes) return;
  auto fixed = build_case_graph(GetParam(), case_ops()), symbolic = build_case_graph(GetParam(), case_ops(), true);
  symbolic->verify();
  compare(results_of(*symbolic, case_inputs(GetParam())), results_of(*fixed, case_inputs(GetParam())), 0.0);
}

TEST_P(OpCaseTest, TextGivesTheSameGraph) {
  auto graph = build_case_graph(GetParam(), case_ops(), !GetParam().fixed_shapes);
  PrintOptions options;
  options.inline_limit = 1 << 20;
  const std::string text = print_graph(*graph, options);
  auto parsed = parse_graph(text, case_ops());
  EXPECT_EQ(print_graph(*parsed, options), text);
  EXPECT_TRUE(same_attributes(parsed->first()->attribute_box(), graph->first()->attribute_box()));
  compare(results_of(*parsed, case_inputs(GetParam())), results_of(*graph, case_inputs(GetParam())), 0.0);
}

TEST_P(OpCaseTest, DecompositionGivesTheSame) {
  auto graph = build_case_graph(GetParam(), case_ops(), !GetParam().fixed_shapes);
  Node* node = graph->last();
  if (!node->op().decompose) return;
  const auto wanted = results_of(*graph, case_inputs(GetParam()));
  Builder builder(*graph, node);
  const std::vector<Value*> results = node->op().decompose(builder, *node);
  if (results.empty()) return;  // not for these types
  ASSERT_EQ(results.size(), node->outputs().size());
  for (size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i]->dtype(), node->output(i)->dtype());
    graph->replace_uses(node->output(i), results[i]);
  }
  graph->erase(node);
  graph->verify();
  compare(results_of(*graph, case_inputs(GetParam())), wanted, GetParam().tolerance);
}

// Contents, where a result has some, are what the reference computes.
TEST_P(OpCaseTest, ContentsAreTrue) {
  auto graph = build_case_graph(GetParam(), case_ops(), !GetParam().fixed_shapes);
  const std::vector<Tensor> inputs = case_inputs(GetParam());
  const SymbolValues values = bind_symbols(*graph, inputs);
  const auto results = results_of(*graph, inputs);
  for (size_t i = 0; i < results.size(); ++i) {
    const auto* contents = graph->outputs()[i]->contents();
    EXPECT_TRUE(contents || !GetParam().carries_contents) << "y" << i << " knows no contents";
    if (!contents) continue;
    ASSERT_EQ(static_cast<int64_t>(contents->size()), results[i].count());
    for (size_t k = 0; k < contents->size(); ++k) {
      EXPECT_EQ(static_cast<double>(evaluate((*contents)[k], values)),
                element_as_double(results[i], static_cast<int64_t>(k)));
    }
  }
}

float element_as_float(const Tensor& tensor, int64_t i) { return static_cast<float>(element_as_double(tensor, i)); }

// One element by the scalar program; operands broadcast as numpy does.
TEST_P(OpCaseTest, ScalarProgramGivesTheSame) {
  auto graph = build_case_graph(GetParam(), case_ops());
  const Node& node = *graph->last();
  if (!node.op().scalar) return;
  const std::vector<Tensor> inputs = case_inputs(GetParam());
  if (inputs.size() != node.inputs().size()) return;
  for (const Tensor& input : inputs) {
    if (input.dtype != DType::f32 && input.dtype != DType::boolean) return;
  }
  const Tensor wanted = results_of(*graph, inputs)[0];
  if (wanted.dtype != DType::f32 && wanted.dtype != DType::boolean) return;
  ScalarProgram program;
  std::vector<uint16_t> registers;
  for (size_t i = 0; i < inputs.size(); ++i) registers.push_back(program.input());
  program.output(node.op().scalar(node, program, registers));
  ASSERT_EQ(scalar_program_error(program), "");
  Tensor got = Tensor::allocate(wanted.dtype, wanted.dims);
  Dims index(wanted.dims.size(), 0);
  for (int64_t at = 0; at < wanted.count(); ++at) {
    int64_t rest = at;
    for (size_t axis = index.size(); axis-- > 0; rest /= wanted.dims[axis]) index[axis] = rest % wanted.dims[axis];
    std::vector<float> elements;
    for (const Tensor& input : inputs) {
      int64_t offset = 0;
      for (size_t axis = 0; axis < input.dims.size(); ++axis) {
        const int64_t place = index[axis + index.size() - input.dims.size()];
        offset = offset * input.dims[axis] + (input.dims[axis] == 1 ? 0 : place);
      }
      elements.push_back(element_as_float(input, offset));
    }
    std::vector<ScalarOperand> operands;
    for (const float& element : elements) operands.push_back({&element, 1});
    float result = 0.0f;
    float* const out = &result;
    evaluate_row(program, 1, operands.data(), &out);
    set_element(got, at, result);
  }
  EXPECT_EQ(case_difference(got, wanted, GetParam().tolerance), "");
}

std::string case_name(const ::testing::TestParamInfo<OpCase>& info) { return info.param.op + "_" + info.param.name; }
INSTANTIATE_TEST_SUITE_P(Ops, OpCaseTest, ::testing::ValuesIn(all_op_cases()), case_name);

TEST(OpTableTest, EveryFileAndEveryOpHasCases) {
  for (const CaseFile& file : case_files()) {
    EXPECT_TRUE(file.add) << "ops/" << file.file << "_cases.cc does not define add_" << file.file << "_cases";
  }
  std::map<std::string, int> counts;
  std::set<std::string> names;
  for (const OpCase& op_case : all_op_cases()) {
    ++counts[op_case.op];
    EXPECT_TRUE(names.insert(op_case.op + "/" + op_case.name).second) << op_case.op << "/" << op_case.name << " twice";
  }
  for (const OpDef* def : case_ops().all()) {
    EXPECT_GT(counts[def->name], 0) << def->name << " has no case";
    EXPECT_TRUE(def->infer && def->reference && def->parse_attributes) << def->name;
    EXPECT_EQ(def->has(op_pointwise), def->scalar != nullptr) << def->name;
  }
}

TEST(OpTableTest, CasesThatDifferAreFound) {
  const Tensor a = Tensor::of<float>(DType::f32, {2}, {1.0f, 2.0f}),
               b = Tensor::of<float>(DType::f32, {2}, {1.0f, 2.1f});
  EXPECT_EQ(case_difference(a, a, 0.0), "");
  EXPECT_NE(case_difference(a, b, 1e-3), "");
  EXPECT_EQ(case_difference(a, b, 0.1), "");
}

}  // namespace
}  // namespace narae
