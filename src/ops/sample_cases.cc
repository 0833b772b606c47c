// SPDX-License-Identifier: Apache-2.0
// Rows of several kinds of sampling side by side. Expected tokens of rows without noise are by hand.
#include <cmath>

#include "ops/op_case.h"
#include "ops/sample.h"

namespace narae {
namespace {

// One way to sample; the rest of the operands are lists of these.
struct Way {
  double temperature = 0, top_k = 0, top_p = 1, min_p = 0, seed = 0, branch = 0, position = 0, mask = -1;
};

struct Change {
  int row;
  double token, scale, add;
};

std::vector<CaseInput> operands(CaseInput logits, const std::vector<Way>& ways, const std::vector<Change>& changes = {},
                                std::vector<double> masks = {}) {
  const auto rows = static_cast<int64_t>(ways.size());
  const int64_t words = (logits.dims[1] + 31) / 32;
  std::vector<CaseInput> inputs = {logits};
  const auto column = [&](DType dtype, double Way::*field) {
    std::vector<double> values;
    for (const Way& way : ways) values.push_back(way.*field);
    inputs.push_back(given(dtype, {rows}, values));
  };
  column(DType::f32, &Way::temperature);
  column(DType::i32, &Way::top_k);
  column(DType::f32, &Way::top_p);
  column(DType::f32, &Way::min_p);
  column(DType::i64, &Way::seed);
  column(DType::i32, &Way::branch);
  column(DType::i32, &Way::position);
  std::vector<double> starts(static_cast<size_t>(rows) + 1), tokens, scales, adds;
  for (const Change& change : changes) {
    for (size_t row = static_cast<size_t>(change.row) + 1; row < starts.size(); ++row) ++starts[row];
    tokens.push_back(change.token), scales.push_back(change.scale), adds.push_back(change.add);
  }
  const auto count = static_cast<int64_t>(changes.size());
  inputs.push_back(given(DType::i32, {rows + 1}, starts));
  inputs.push_back(given(DType::i32, {count}, tokens));
  inputs.push_back(given(DType::f32, {count}, scales));
  inputs.push_back(given(DType::f32, {count}, adds));
  column(DType::i32, &Way::mask);
  const int64_t mask_rows = static_cast<int64_t>(masks.size()) / words;
  inputs.push_back(given(DType::i32, {mask_rows, words}, std::move(masks)));
  return inputs;
}

}  // namespace

void add_sample_cases(std::vector<OpCase>& cases) {
  const auto add = [&](const std::string& name, std::vector<CaseInput> inputs) {
    cases.push_back({"sample", name, make_attributes(NoAttributes{}), std::move(inputs), 2});
    cases.back().fixed_shapes = true;  // sizes of the lists hang together
  };
  // Nothing, a penalty that reverses the order, a bias, a mask, top_k 1 at a high temperature.
  const std::vector<double> row = {1, 3, 2, -1};
  std::vector<double> five;
  for (int i = 0; i < 5; ++i) five.insert(five.end(), row.begin(), row.end());
  const double lse = std::log(std::exp(1) + std::exp(3) + std::exp(2) + std::exp(-1));
  add("greedy", operands(given(DType::f32, {5, 4}, five), {{}, {}, {}, {.mask = 1}, {.temperature = 9, .top_k = 1}},
                         {{1, 1, 2, 0}, {2, 3, 2, 6}}, {-1, 9}));
  cases.back().expected = {{1, 2, 3, 0, 1}, {3 - lse, 2 - lse, -1 - lse, 1 - lse, 3 - lse}};
  add("nothing_can_come", operands(given(DType::f32, {2, 4}, {1, 2, 3, 4, 4, 3, 2, 1}),
                                   {{.mask = 0}, {.temperature = 1, .mask = 0}}, {}, {0}));
  cases.back().expected = {{-1, -1}, {-INFINITY, -INFINITY}};
  add("equals", operands(given(DType::f32, {1, 5}, {2, 7, 7, 1, 7}), {{}}));
  cases.back().expected = {{1}};
  const std::vector<Way> ways = {{.temperature = 1, .seed = 7},
                                 {.temperature = 0.7, .top_k = 40, .seed = 8, .position = 3},
                                 {.temperature = 1.3, .top_p = 0.8, .seed = -9, .branch = 2},
                                 {.temperature = 1, .min_p = 0.2, .seed = 1e15},
                                 {.temperature = 2, .top_k = 300, .top_p = 0.95, .min_p = 0.01, .position = 99},
                                 {.temperature = 1, .top_k = 5, .top_p = 0.01, .seed = 3},
                                 {.temperature = 1e-3, .seed = 4},
                                 {}};
  for (const int64_t vocabulary : {3, 50, 5000}) {
    add("ways_" + std::to_string(vocabulary),
        operands(normal({8, vocabulary}), ways, {{0, 1, 1.3, -0.5}, {3, 2, 2, 9}}));
    add("sharp_" + std::to_string(vocabulary), operands(uniform({8, vocabulary}, -20, 20), ways));
    cases.back().tolerance = 5e-4;  // of the logprob, a small difference of large numbers
  }
  // Only the temperature: most tokens are ruled out by their noise alone.
  std::vector<Way> seeds;
  for (int i = 0; i < 64; ++i) seeds.push_back({.temperature = 0.5 + i % 4, .seed = 1000.0 + i});
  add("seeds", operands(uniform({64, 3000}, -9, 9), seeds));
  cases.back().tolerance = 5e-4;
}

}  // namespace narae
