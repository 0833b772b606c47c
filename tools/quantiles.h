// SPDX-License-Identifier: Apache-2.0
// Times as bench and load tell them.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

namespace narae {

// {p50, p90, p99}; 0 where there are no values.
nlohmann::ordered_json quantiles(std::vector<double> values);
// {min, mean, p50, p90, p99} of the same.
nlohmann::ordered_json quantiles_and_mean(std::vector<double> values);

}  // namespace narae
