// SPDX-License-Identifier: Apache-2.0
// The parts of what `explain` says, as JSON; docs/cli.md promises the keys.
#pragma once

#include <nlohmann/json.hpp>

#include "compile/pass_driver.h"
#include "engine/engine.h"
#include "plan/program.h"

namespace narae {

nlohmann::ordered_json passes_json(const PassReport& report);
// What passes fused or refused to fuse, and every concat: done where all operands are made in their place.
nlohmann::ordered_json fusions_json(const PassReport& report, const Program& program);
// Bodies that selection kept whole or split, with both predicted times.
nlohmann::ordered_json bodies_json(const Engine& engine);
// Every node's choice, how many of its operands and results alias others, and what else was offered. Candidates of an
// engine that was loaded are asked for anew.
nlohmann::ordered_json tactics_json(const Engine& engine, const Program& program, Device& device,
                                    const CostSource& costs);
// Nodes that run on reference kernels: correct, but slow.
nlohmann::ordered_json reference_nodes_json(const Engine& engine);

// A piece of the arena and when it is taken.
struct Region {
  std::string value;
  int64_t offset = 0, bytes = 0;
  int first = 0, last = 0;  // records
};
std::vector<Region> regions_of(const Program& program);
nlohmann::ordered_json memory_json(const Program& program, const Engine& engine);

}  // namespace narae
