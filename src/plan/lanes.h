// SPDX-License-Identifier: Apache-2.0
// Which lane each record of a Program runs on, and what is known of the order of records on different lanes.
#pragma once

#include <cstdint>
#include <vector>

#include "plan/program.h"

namespace narae {

// Spreads independent branches over 1 + auxiliary lanes; copies to and from the host go on one more. Fills lane, waits
// and awaited. With auxiliary == 0 and no copies all stays on lane 0.
void assign_lanes(Program& program, int auxiliary);

// Happens-before of records; on one lane simply their order.
class Ordering {
 public:
  explicit Ordering(const Program& program);
  bool before(int a, int b) const;
  // Every record that reads or writes the slot (or what lies in it) is over before `record` begins, or is `record`.
  bool last_reader(int slot, int record) const;

 private:
  const Program& program_;
  std::vector<std::vector<uint64_t>> reach_;  // per record: those surely over before it; empty on one lane
};

}  // namespace narae
