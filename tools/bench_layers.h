// SPDX-License-Identifier: Apache-2.0
// The table of `bench --layers`: every record of the Program with its time, rates and share of the measured peak.
#pragma once

#include <string>
#include <vector>

#include "engine/session.h"

namespace narae {

struct LayerTime {
  std::string name, op, tactic;
  double seconds = 0;
  double flops_per_s = 0, bytes_per_s = 0;
  double share = 0;  // least possible time at the machine's peaks / this time
};

// Times each record `rounds` times, alone and synchronized; the medians, in the order they run.
std::vector<LayerTime> time_layers(Session& session, const std::vector<Tensor>& inputs, const Target& target,
                                   int rounds);
std::string layer_table(const std::vector<LayerTime>& layers);

}  // namespace narae
