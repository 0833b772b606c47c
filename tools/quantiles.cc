// SPDX-License-Identifier: Apache-2.0
#include "quantiles.h"

#include <algorithm>
#include <numeric>

namespace narae {
namespace {

double at(const std::vector<double>& sorted, double share) {
  return sorted.empty() ? 0 : sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

nlohmann::ordered_json quantiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {{"p50", at(values, 0.5)}, {"p90", at(values, 0.9)}, {"p99", at(values, 0.99)}};
}

nlohmann::ordered_json quantiles_and_mean(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  return {{"min", at(values, 0)},
          {"mean", values.empty() ? 0.0 : sum / static_cast<double>(values.size())},
          {"p50", at(values, 0.5)},
          {"p90", at(values, 0.9)},
          {"p99", at(values, 0.99)}};
}

}  // namespace narae
