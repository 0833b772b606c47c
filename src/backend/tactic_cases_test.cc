// SPDX-License-Identifier: Apache-2.0
// Every case x every tactic that proposes for it x each of its choices, on every instruction set of this machine,
// against the references. The safety net of all tactics: a new one is tested by being listed.
#include "backend/tactic_cases_test.h"

#include <gtest/gtest.h>

#include <cmath>

#include "backend/cpu/cpu_device.h"
#include "backend/run_choice_test.h"
#include "ops/interpret.h"
#include "ops/ops.h"

namespace narae {
namespace {

const OpTable& table() {
  static const OpTable* const ops = [] {
    auto* made = new OpTable;
    add_all_ops(*made);
    return made;
  }();
  return *ops;
}

std::vector<TacticCase> all_cases() {
  std::vector<TacticCase> cases;
  add_pointwise_cases(cases);
  add_conv_cases(cases);
  return cases;
}

Tensor case_input(const Value& value, uint64_t seed) {
  Tensor tensor = Tensor::allocate(value.dtype(), static_dims(value.shape()));
  fill_normal(tensor, seed);
  return tensor;
}

// The most that the numbers of a choice may differ by.
double tolerance(const Choice& choice) {
  return choice.config.rfind("winograd", 0) == 0 ? 1e-3 : 1e-5;
}

class TacticCases : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!cpu::supports_isa(cpu::detect_cpu_features(), GetParam())) {
      GTEST_SKIP() << "hardware: this machine has no " << GetParam();
    }
    cpu::CpuOptions options;
    options.isa = GetParam();
    options.threads = 2;
    device_ = std::make_unique<cpu::CpuDevice>(options);
  }
  // Returns how many choices were run.
  int run(const TacticCase& one) {
    const auto graph = one.build(table());
    graph->verify();
    const Node& node = *graph->first();
    EXPECT_EQ(node.next(), nullptr) << one.name;
    std::vector<Tensor> inputs, operands;
    for (const Value* value : graph->inputs()) inputs.push_back(case_input(*value, inputs.size() + 11));
    const std::vector<Tensor> wanted = interpret(*graph, inputs);
    for (const Value* value : node.inputs()) {
      const auto at = std::find(graph->inputs().begin(), graph->inputs().end(), value);
      operands.push_back(!value                       ? Tensor()
                         : at == graph->inputs().end() ? value->tensor()
                                                       : inputs[static_cast<size_t>(at - graph->inputs().begin())]);
    }
    const SymbolValues symbols;
    const NodeDims dims = node_dims(node, symbols);
    int runs = 0;
    for (const Tactic* tactic : device_->tactics()) {
      if (tactic->is_reference()) continue;
      std::vector<Choice> choices;
      tactic->propose(node, dims, device_->target(), choices);
      for (const Choice& choice : choices) {
        check(one.name, node, choice, dims, operands, wanted);
        ++runs;
      }
    }
    return runs;
  }
  void check(const std::string& name, const Node& node, const Choice& choice, const NodeDims& dims,
             const std::vector<Tensor>& operands, const std::vector<Tensor>& wanted) {
    SCOPED_TRACE(name + ": " + choice_text(choice));
    const double seconds = choice.tactic->estimate(node, choice, dims, device_->target());
    EXPECT_TRUE(std::isfinite(seconds) && seconds >= 0) << seconds;
    for (const RunOptions& options : {RunOptions{}, RunOptions{true, false}, RunOptions{false, true}}) {
      SCOPED_TRACE(options.in_place ? "in place" : options.aliased ? "aliased" : "apart");
      try {
        const std::vector<Tensor> got = run_choice(*device_, node, choice, dims, operands, options);
        for (size_t i = 0; i < got.size(); ++i) {
          EXPECT_LE(relative_l2(got[i], wanted[i]), tolerance(choice)) << "result " << i;
        }
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    }
  }
  std::unique_ptr<cpu::CpuDevice> device_;
};

TEST_P(TacticCases, AgreeWithTheReferences) {
  int uncovered = 0;
  for (const TacticCase& one : all_cases()) {
    const int runs = run(one);
    EXPECT_GT(runs, 0) << one.name << " runs on no tactic but the reference";
    uncovered += runs == 0;
  }
  EXPECT_EQ(uncovered, 0);
}

INSTANTIATE_TEST_SUITE_P(Isa, TacticCases, testing::Values("portable", "avx2", "avx512", "avx512_vnni"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace narae
