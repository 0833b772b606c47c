// SPDX-License-Identifier: Apache-2.0
// The runner of the golden graphs. A file holds cases:
//
//   === name
//   passes: fold_constants,dead_code
//   sizes: N=2 M=3          (values of symbols when numbers are compared; 2 otherwise)
//   tolerance: 1e-5         (relative L2 between the outputs before and after; 1e-6 otherwise)
//   graph "g" { .. }
//   --- expected
//   graph "g" { .. }
//   epilogue conv + relu -> relu
//   epilogue conv refused: its result has 2 readers
//
// What follows `--- expected` is compared as text with the graph and the fusions that the passes made; the numbers of
// both graphs are compared on seeded inputs, so an expected text that is wrong in meaning fails too, and so are those
// of the graph compiled with these passes on the checking device. --update writes what is expected anew; read the
// difference before committing it.
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "compile/compiler.h"
#include "engine/session.h"
#include "graph/text.h"
#include "ops/interpret.h"
#include "ops/ops.h"

namespace narae {
namespace {

bool update = false;

struct Case {
  std::string name, header, graph, expected;
  std::string passes = "all";
  SymbolValues sizes;
  double tolerance = 1e-6;
};

void read_header(Case& c, const std::string& line) {
  const auto value = [&](std::string_view key) {
    return line.substr(0, key.size()) == key ? line.substr(line.find_first_not_of(' ', key.size())) : std::string();
  };
  if (const std::string passes = value("passes:"); !passes.empty()) c.passes = passes;
  if (const std::string tolerance = value("tolerance:"); !tolerance.empty()) c.tolerance = std::stod(tolerance);
  std::istringstream sizes(value("sizes:"));
  for (std::string word; sizes >> word;) {
    const size_t equals = word.find('=');
    c.sizes[word.substr(0, equals)] = std::stoll(word.substr(equals + 1));
  }
}

// The text before the first case, and the cases.
std::vector<Case> read_cases(const std::filesystem::path& path, std::string& preamble) {
  std::ifstream in(path);
  std::vector<Case> cases;
  enum { header, graph, expected } part = header;
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("=== ", 0) == 0) {
      cases.emplace_back().name = line.substr(4);
      part = header;
    } else if (cases.empty()) {
      preamble += line + "\n";
    } else if (line == "--- expected") {
      part = expected;
    } else {
      if (part == header && line.rfind("graph ", 0) == 0) part = graph;
      Case& c = cases.back();
      if (part == header) read_header(c, line);
      (part == header ? c.header : part == graph ? c.graph : c.expected) += line + "\n";
    }
  }
  return cases;
}

std::string fusion_text(const std::vector<FusionRecord>& fusions) {
  std::string text;
  for (const FusionRecord& f : fusions) {
    const std::string nodes = fmt::format("{}", fmt::join(f.nodes, " + "));
    text += f.done ? fmt::format("{} {} -> {}\n", f.kind, nodes, f.into)
                   : fmt::format("{} {} refused: {}\n", f.kind, nodes, f.reason);
  }
  return text;
}

std::vector<Tensor> seeded_inputs(const Graph& graph, const SymbolValues& sizes) {
  const auto value_of = [&](const std::string& name) {
    const auto it = sizes.find(name);
    return it == sizes.end() ? int64_t{2} : it->second;
  };
  std::vector<Tensor> inputs;
  for (const Value* value : graph.inputs()) {
    Dims dims;
    for (const Dim& dim : value->shape()) dims.push_back(dim.evaluate(value_of));
    inputs.push_back(Tensor::allocate(value->dtype(), dims));
    fill_normal(inputs.back(), inputs.size());
    if (!value->contents()) continue;
    for (size_t i = 0; i < value->contents()->size(); ++i) {
      set_element(inputs.back(), static_cast<int64_t>(i),
                  static_cast<double>((*value->contents())[i].evaluate(value_of)));
    }
  }
  return inputs;
}

void expect_close(const Tensor& expected, const Tensor& got, double tolerance, size_t output) {
  ASSERT_EQ(dims_text(expected.dims), dims_text(got.dims)) << "output " << output;
  ASSERT_EQ(dtype_name(expected.dtype), dtype_name(got.dtype)) << "output " << output;
  if (same_contents(expected, got)) return;
  ASSERT_TRUE(is_float(expected.dtype)) << "output " << output << " differs";
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < expected.count(); ++i) {
    const double a = element_as_double(expected, i), b = element_as_double(got, i);
    if (std::isnan(a) && std::isnan(b)) continue;
    difference += (a - b) * (a - b);
    norm += a * a;
  }
  EXPECT_LE(std::sqrt(difference), tolerance * std::sqrt(norm)) << "output " << output << ": numbers differ";
}

void run_case(Case& c) {
  RuntimeOptions device;
  device.device = "fake";
  Runtime runtime(device);
  const auto graph = parse_graph(c.graph, runtime.ops());
  const auto before = graph->clone();
  PassOptions options;
  options.selection = PassSelection::parse(c.passes);
  PassReport report = run_portable_passes(*graph, options);
  report.append(run_target_passes(*graph, Target(), options));
  PrintOptions print;
  print.inline_limit = 4;
  const std::string got = print_graph(*graph, print) + fusion_text(report.fusions);
  if (update) {
    c.expected = got;
  } else {
    EXPECT_EQ(c.expected, got);
  }
  const std::vector<Tensor> inputs = seeded_inputs(*before, c.sizes);
  const auto expected = interpret(*before, inputs), results = interpret(*graph, inputs);
  ASSERT_EQ(expected.size(), results.size());
  for (size_t i = 0; i < expected.size(); ++i) expect_close(expected[i], results[i], c.tolerance, i);
  SCOPED_TRACE("on the checking device");
  CompileOptions compile_options;
  compile_options.passes = options;
  Session session(compile(before->clone(), runtime, compile_options), runtime.device());
  const std::vector<Tensor>& run = session.run(inputs);
  ASSERT_EQ(expected.size(), run.size());
  for (size_t i = 0; i < expected.size(); ++i) expect_close(expected[i], run[i], c.tolerance, i);
}

class Golden : public ::testing::Test {
 public:
  explicit Golden(std::filesystem::path path) : path_(std::move(path)) {}
  void TestBody() override {
    std::string preamble;
    std::vector<Case> cases = read_cases(path_, preamble);
    EXPECT_FALSE(cases.empty()) << path_ << " holds no case";
    for (Case& c : cases) {
      SCOPED_TRACE(c.name);
      try {
        run_case(c);
      } catch (const Error& error) {
        ADD_FAILURE() << c.name << ": " << error.what();
      }
    }
    if (!update) return;
    std::ofstream out(path_);
    out << preamble;
    for (const Case& c : cases)
      out << "=== " << c.name << "\n" << c.header << c.graph << "--- expected\n" << c.expected;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace
}  // namespace narae

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) narae::update = narae::update || std::string_view(argv[i]) == "--update";
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(NARAE_SOURCE "/tests/graph")) {
    if (entry.path().extension() == ".txt" && entry.path().filename() != "CMakeLists.txt")
      paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) {
    ::testing::RegisterTest("Golden", path.stem().c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [path]() -> ::testing::Test* { return new narae::Golden(path); });
  }
  return RUN_ALL_TESTS();
}
