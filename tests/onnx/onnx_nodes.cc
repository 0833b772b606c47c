// SPDX-License-Identifier: Apache-2.0
// Runs the ONNX backend node tests and holds the result against the committed list of passing ones: losing one fails.
//
//   onnx_nodes --data DIR --passing FILE [--update] [--only TEXT] [--verbose] [--engine interpret|cpu|fake] [--isa
//   ISA]
//                  [--passes all|none] [--opt N] [--atol ERROR]
//
// A graph input is never turned into a constant. Passed / failed / unsupported are told apart: unsupported means the
// importer (or the reader of the data) refused with an Error, failed means it ran and gave something else.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "base/error.h"
#include "kernels/cpu/cpu_features.h"
#include "node_case.h"
#include "node_runner.h"

namespace narae {
namespace {

enum class Outcome { passed, failed, unsupported };

struct Result {
  Outcome outcome = Outcome::passed;
  std::string why;
};

struct Count {
  int passed = 0, failed = 0, unsupported = 0;
  void add(Outcome outcome) {
    ++(outcome == Outcome::passed ? passed : outcome == Outcome::failed ? failed : unsupported);
  }
};

std::string compare_set(NodeModel& model, const NodeCase& node_case, const NodeDataSet& set, double atol) {
  const std::vector<Tensor> got = model.run(set.inputs);
  if (got.size() != set.wanted.size()) return fmt::format("{} outputs instead of {}", got.size(), set.wanted.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const std::string what = difference(got[i], set.wanted[i], node_case.wanted_by_value, atol);
    if (!what.empty()) return fmt::format("output {}: {}", i, what);
  }
  return {};
}

Result run_case(const NodeCase& node_case, const NodeRunner& runner, double atol) {
  std::vector<NodeDataSet> sets;
  std::unique_ptr<NodeModel> model;
  try {
    sets = read_data_sets(node_case);
    model = runner.load(node_case.model);
  } catch (const Error& error) {
    return {error.code() == ErrorCode::internal ? Outcome::failed : Outcome::unsupported, error.what()};
  }
  try {
    for (const NodeDataSet& set : sets) {
      const std::string what = compare_set(*model, node_case, set, atol);
      if (!what.empty()) return {Outcome::failed, what};
    }
  } catch (const std::exception& error) {
    return {Outcome::failed, error.what()};
  }
  return {};
}

std::set<std::string> read_list(const std::string& path) {
  std::set<std::string> names;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line[0] != '#') names.insert(line);
  }
  return names;
}

void write_list(const std::string& path, const std::set<std::string>& names) {
  std::ofstream out(path);
  out << "# The ONNX backend node tests that pass, written by onnx_nodes --update. Losing one fails.\n";
  for (const std::string& name : names) out << name << '\n';
}

void print_by_op(const std::map<std::string, Count>& by_op) {
  std::printf("%-32s %7s %7s %11s\n", "op", "passed", "failed", "unsupported");
  for (const auto& [op, count] : by_op) {
    if (count.failed + count.unsupported == 0) continue;
    std::printf("%-32s %7d %7d %11d\n", op.c_str(), count.passed, count.failed, count.unsupported);
  }
}

struct Options {
  std::string data, passing, only;
  RunnerOptions runner;
  double atol = 1e-7;
  bool update = false, verbose = false;
};

int run(const Options& options) {
  if (!std::filesystem::is_directory(options.data)) {
    std::printf("data: the ONNX node tests are not at \"%s\"\n", options.data.c_str());
    return 77;
  }
  const std::vector<std::string>& isas = cpu::known_isas();
  const std::string& isa = options.runner.isa;
  if (std::find(isas.begin(), isas.end(), isa) != isas.end() && !cpu::supports_isa(cpu::detect_cpu_features(), isa)) {
    std::printf("hardware: this machine has no %s\n", isa.c_str());
    return 77;
  }
  const std::unique_ptr<NodeRunner> runner = make_node_runner(options.runner);
  std::map<std::string, Count> by_op;
  std::set<std::string> passed, seen;
  Count total;
  for (const NodeCase& node_case : find_node_cases(options.data)) {
    if (node_case.name.find(options.only) == std::string::npos) continue;
    const Result result = run_case(node_case, *runner, options.atol);
    total.add(result.outcome);
    seen.insert(node_case.name);
    for (const std::string& op : node_case.op_types) by_op[op].add(result.outcome);
    if (result.outcome == Outcome::passed) passed.insert(node_case.name);
    if (options.verbose && result.outcome != Outcome::passed) {
      std::printf("%s %s: %s\n", result.outcome == Outcome::failed ? "FAILED" : "unsupported", node_case.name.c_str(),
                  result.why.c_str());
    }
  }
  print_by_op(by_op);
  int lost = 0, gained = 0;
  const std::set<std::string> expected = read_list(options.passing);
  for (const std::string& name : expected) {
    if (passed.count(name) > 0 || (seen.count(name) == 0 && !options.only.empty())) continue;
    ++lost;
    std::printf("LOST %s\n", name.c_str());
  }
  for (const std::string& name : passed) gained += expected.count(name) == 0;
  const RunnerOptions& how = options.runner;
  std::printf("%s, isa %s, passes %s, opt %d: %d passed, %d failed, %d unsupported; %d lost, %d not yet in the list\n",
              how.engine.c_str(), how.isa.c_str(), how.passes.c_str(), how.opt_level, total.passed, total.failed,
              total.unsupported, lost, gained);
  if (options.update) write_list(options.passing, passed);
  return lost > 0 && !options.update ? 1 : 0;
}

}  // namespace
}  // namespace narae

int main(int argc, char** argv) {
  narae::Options options;
  CLI::App app("ONNX backend node tests");
  app.add_option("--data", options.data, "folder with test_*")->required();
  app.add_option("--passing", options.passing, "the committed list")->required();
  app.add_option("--only", options.only, "run names that contain this");
  app.add_option("--engine", options.runner.engine, "interpret (references alone), or a device");
  app.add_option("--isa", options.runner.isa, "instruction set of the device");
  app.add_option("--passes", options.runner.passes, "which passes run: all, none, -name, name");
  app.add_option("--opt", options.runner.opt_level, "optimisation level");
  app.add_option("--atol", options.atol, "absolute error allowed on top of 1e-3 of each element");
  app.add_flag("--update", options.update, "rewrite the list");
  app.add_flag("--verbose", options.verbose, "say why each other one did not pass");
  CLI11_PARSE(app, argc, argv);
  if (options.update && !options.only.empty()) {
    std::fprintf(stderr, "--update needs all tests: leave out --only\n");
    return 2;
  }
  try {
    return narae::run(options);
  } catch (const narae::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
