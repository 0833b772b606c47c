// SPDX-License-Identifier: Apache-2.0
// The CPU's tactics, made from cpu_tactics.inc; each is one class in one file.
#pragma once

#include <memory>
#include <vector>

#include "backend/tactic.h"

namespace narae::cpu {

class OnednnLibrary;

// What the CPU's kernels need to know of the instruction set they were chosen for.
struct CpuLevel {
  std::string isa;  // one of known_isas()
  int threads = 1;
  std::shared_ptr<const OnednnLibrary> onednn;  // null: its tactics offer nothing
  bool deterministic = false;                   // tactics that exist for its sake offer something
};

#define NARAE_TACTIC(name, file) std::unique_ptr<Tactic> make_##name##_tactic(const CpuLevel& level);
#include "backend/cpu/cpu_tactics.inc"
#undef NARAE_TACTIC

}  // namespace narae::cpu
