// SPDX-License-Identifier: Apache-2.0
// A record goes to the lane whose last record it depends on, else to the lane that has been idle longest. Dependences
// are read from slots: whoever writes a root before whoever reads it, and readers before the next writer.
#include "plan/lanes.h"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace narae {

void assign_lanes(Program& program, int auxiliary) {
  const bool copies = std::any_of(program.records.begin(), program.records.end(),
                                  [](const Record& record) { return record.kind != RecordKind::launch; });
  program.lanes = 1 + auxiliary + (copies ? 1 : 0);
  if (program.lanes == 1) return;
  const int compute = 1 + auxiliary, copy_lane = program.lanes - 1;
  std::unordered_map<int, std::vector<int>> touched;  // root -> records that touched it
  std::vector<int> last_on_lane(static_cast<size_t>(program.lanes), -1);
  std::set<int> awaited;
  for (size_t r = 0; r < program.records.size(); ++r) {
    Record& record = program.records[r];
    std::set<int> depends;
    for (const int operand : record.operands) {
      if (operand < 0) continue;
      std::vector<int>& users = touched[program.root(operand)];
      depends.insert(users.begin(), users.end());
      users.push_back(static_cast<int>(r));
    }
    int lane = copy_lane;
    if (record.kind == RecordKind::launch) {
      lane = static_cast<int>(std::min_element(last_on_lane.begin(), last_on_lane.begin() + compute) -
                              last_on_lane.begin());
      for (int candidate = 0; candidate < compute; ++candidate) {
        if (last_on_lane[static_cast<size_t>(candidate)] >= 0 &&
            depends.count(last_on_lane[static_cast<size_t>(candidate)])) {
          lane = candidate;
          break;
        }
      }
    }
    record.lane = lane;
    for (const int other : depends) {
      if (program.records[static_cast<size_t>(other)].lane == lane) continue;
      record.waits.push_back(other);
      awaited.insert(other);
    }
    last_on_lane[static_cast<size_t>(lane)] = static_cast<int>(r);
  }
  program.awaited.assign(awaited.begin(), awaited.end());
}

Ordering::Ordering(const Program& program) : program_(program) {
  if (program.lanes == 1) return;
  const size_t count = program.records.size(), words = (count + 63) / 64;
  reach_.assign(count, std::vector<uint64_t>(words, 0));
  std::vector<int> last_on_lane(static_cast<size_t>(program.lanes), -1);
  for (size_t r = 0; r < count; ++r) {
    auto add = [&](int other) {
      if (other < 0) return;
      const auto from = static_cast<size_t>(other);
      for (size_t w = 0; w < words; ++w) reach_[r][w] |= reach_[from][w];
      reach_[r][from / 64] |= uint64_t{1} << (from % 64);
    };
    int& last = last_on_lane[static_cast<size_t>(program.records[r].lane)];
    add(last);
    for (const int wait : program.records[r].waits) add(wait);
    last = static_cast<int>(r);
  }
}

bool Ordering::before(int a, int b) const {
  if (reach_.empty()) return a < b;
  return (reach_[static_cast<size_t>(b)][static_cast<size_t>(a) / 64] >> (a % 64)) & 1;
}

bool Ordering::last_reader(int slot, int record) const {
  if (reach_.empty()) return true;  // the caller compared the last record already
  for (size_t r = 0; r < program_.records.size(); ++r) {
    if (static_cast<int>(r) == record) continue;
    for (const int operand : program_.records[r].operands) {
      if (operand >= 0 && program_.root(operand) == slot && !before(static_cast<int>(r), record)) return false;
    }
  }
  return true;
}

}  // namespace narae
