// SPDX-License-Identifier: Apache-2.0
// A Graph as an Engine without any pass, selected by the cost model. For tests.
#pragma once

#include <memory>

#include "engine/engine.h"

namespace narae {

inline std::shared_ptr<Engine> lowered_engine(std::unique_ptr<Graph> graph, Device& device, Profile profile = {}) {
  auto made = std::make_shared<Engine>(std::move(graph), std::move(profile));
  auto copy = made->portable().clone();
  copy->verify();
  const SymbolValues opt = opt_sizes(*copy, made->profile());
  made->set_section(lower_engine(std::move(copy), device, opt, EstimatedCosts()));
  return made;
}

}  // namespace narae
