// SPDX-License-Identifier: Apache-2.0
// Every case x every tactic that proposes for it x each of its choices, on the checking device and on every instruction
// set of this machine, against the references. The safety net of all tactics: a new one is tested by being listed.
#include "backend/tactic_cases_test.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "backend/backends.h"
#include "backend/cpu/cpu_device.h"
#include "backend/fake/fake_device.h"
#include "backend/run_choice_test.h"
#include "base/error.h"
#include "kernels/cpu/cpu_features.h"
#include "ops/interpret.h"
#include "ops/op_case.h"

namespace narae {
namespace {

std::vector<TacticCase> all_cases() {
  std::vector<TacticCase> cases;
  add_pointwise_cases(cases);
  add_conv_cases(cases);
  add_gemm_cases(cases);
  add_horizontal_cases(cases);
  add_move_cases(cases);
  add_attention_cases(cases);
  return cases;
}

Tensor case_input(const Value& value, uint64_t seed) {
  Tensor tensor = Tensor::allocate(value.dtype(), static_dims(value.shape()));
  fill_normal(tensor, seed);
  return tensor;
}

class TacticCases : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "fake") {
      device_ = std::make_unique<fake::FakeDevice>();
      return;
    }
    if (GetParam() == "cuda") {
      const std::vector<DeviceInfo> devices = list_devices();
      const auto found = std::find_if(devices.begin(), devices.end(), [](const auto& d) { return d.name == "cuda"; });
      if (!found->available) GTEST_SKIP() << "hardware: " << found->reason;
      DeviceOptions options;
      options.name = "cuda";
      device_ = make_device(options);
      return;
    }
    if (!cpu::supports_isa(cpu::detect_cpu_features(), GetParam())) {
      GTEST_SKIP() << "hardware: this machine has no " << GetParam();
    }
    cpu::CpuOptions options;
    options.isa = GetParam();
    options.threads = 2;
    device_ = std::make_unique<cpu::CpuDevice>(options);
  }
  struct Problem {
    std::string name;
    const Graph* graph;
    std::vector<Tensor> inputs;
    double tolerance = 1e-5;
  };
  // Returns how many choices were run.
  int run(const Problem& one) {
    one.graph->verify();
    const Node& node = *one.graph->first();
    EXPECT_EQ(node.next(), nullptr) << one.name;
    const std::vector<Value*>& names = one.graph->inputs();
    const std::vector<Tensor> wanted = interpret(*one.graph, one.inputs);
    std::vector<Tensor> operands;
    for (const Value* value : node.inputs()) {
      const auto at = std::find(names.begin(), names.end(), value) - names.begin();
      operands.push_back(!value                                       ? Tensor()
                         : at == static_cast<ptrdiff_t>(names.size()) ? value->tensor()
                                                                      : one.inputs[static_cast<size_t>(at)]);
    }
    const SymbolValues symbols = bind_symbols(*one.graph, one.inputs);
    const NodeDims dims = node_dims(node, symbols);
    int runs = 0;
    for (const Tactic* tactic : device_->tactics()) {
      if (tactic->is_reference()) continue;
      std::vector<Choice> choices;
      tactic->propose(node, dims, device_->target(), choices);
      for (const Choice& choice : choices) {
        SCOPED_TRACE(one.name + ": " + choice_text(choice));
        const double tolerance = choice.config.rfind("winograd", 0) == 0 ? 1e-3 : one.tolerance;
        check(node, choice, dims, operands, wanted, tolerance);
        ++runs;
      }
    }
    return runs;
  }
  void check(const Node& node, const Choice& choice, const NodeDims& dims, const std::vector<Tensor>& operands,
             const std::vector<Tensor>& wanted, double tolerance) {
    const double seconds = choice.tactic->estimate(node, choice, dims, device_->target());
    EXPECT_TRUE(std::isfinite(seconds) && seconds >= 0) << seconds;
    for (const RunOptions& options : {RunOptions{}, RunOptions{true, false}, RunOptions{false, true}}) {
      SCOPED_TRACE(options.in_place ? "in place" : options.aliased ? "aliased" : "apart");
      try {
        const std::vector<Tensor> got = run_choice(*device_, node, choice, dims, operands, options);
        for (size_t i = 0; i < got.size(); ++i) {
          EXPECT_LE(relative_l2(got[i], wanted[i]), tolerance) << "result " << i;
        }
      } catch (const Error& error) {
        // A vendor's library has as many kernels for a problem as it likes; a choice beyond them is refused so.
        if (GetParam() != "cuda" || error.code() != ErrorCode::does_not_fit) ADD_FAILURE() << error.what();
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    }
  }
  std::shared_ptr<Device> device_;
};

TEST_P(TacticCases, AgreeWithTheReferences) {
  for (const TacticCase& one : all_cases()) {
    const auto graph = one.build(case_ops());
    std::vector<Tensor> inputs;
    for (const Value* value : graph->inputs()) inputs.push_back(case_input(*value, inputs.size() + 11));
    const int runs = run({one.name, graph.get(), inputs, one.tolerance});
    if (GetParam() == "cuda" && runs == 0) {
      fmt::print("{} runs on the host\n", one.name);
      continue;
    }
    if (one.everywhere) EXPECT_GT(runs, 0) << one.name << " runs on no tactic but the reference";
  }
}

// The ops' own cases. Small ones on odd types may be left to the references; how many is on record.
TEST_P(TacticCases, CasesOfOpsAgree) {
  int covered = 0;
  std::set<std::string> missing, found;
  const std::vector<OpCase> cases = all_op_cases();
  for (const OpCase& one : cases) {
    const auto graph = build_case_graph(one, case_ops());
    const int runs = run({one.op + "/" + one.name, graph.get(), case_inputs(one), std::max(one.tolerance, 1e-6)});
    covered += runs > 0;
    (runs > 0 ? found : missing).insert(one.op);
  }
  std::string names;
  for (const std::string& op : missing) names += found.count(op) ? "" : " " + op;
  RecordProperty("ops_on_references", names);
  fmt::print("{} of {} cases run on tactics; ops on references only:{}\n", covered, cases.size(), names);
  EXPECT_GT(covered, 0);
}

INSTANTIATE_TEST_SUITE_P(Devices, TacticCases,
                         testing::Values("fake", "portable", "avx2", "avx512", "avx512_vnni", "cuda"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace narae
