// SPDX-License-Identifier: Apache-2.0
// What a Session runs: records on lanes, each naming what it waits for, over slots whose places are fixed. Made for
// concrete sizes; running it walks no graph, looks nothing up and allocates nothing.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "plan/memory_plan.h"
#include "plan/selection.h"

namespace narae {

// A constant in the form some tactic wants it.
struct ConstantUse {
  const Value* value = nullptr;
  Layout layout;
  std::string pack;            // empty: as it is, in `layout`
  const Node* node = nullptr;  // who asked first, and for which operand: what Tactic::pack needs
  size_t input = 0;
};

enum class SlotPlace : uint8_t { arena, input, output, constant, state };

// One form (layout) of one value in memory.
struct Slot {
  const Value* value = nullptr;
  Layout layout;
  Dims dims;
  int64_t bytes = 0;
  SlotPlace place = SlotPlace::arena;
  int index = -1;      // of the input, output, constant or state
  int parent = -1;     // lies inside this slot, or
  int64_t offset = 0;  // in the parent, else in the arena
  int first = -1, last = -1;
};

enum class RecordKind : uint8_t { launch, copy_in, copy_out };

struct Record {
  RecordKind kind = RecordKind::launch;
  int lane = 0;
  std::vector<int> waits;  // earlier records on other lanes
  std::unique_ptr<Kernel> kernel;
  std::vector<int> operands;  // slots; -1: an absent optional operand. copy_in / copy_out: one slot
  int external = -1;          // copy_in / copy_out: which input or output of the graph
  int64_t workspace_offset = -1;
  std::vector<int> dead;       // slots of the arena nobody needs after this record
  const Node* node = nullptr;  // null: a reformat or copy
  std::vector<bool> aliased;   // for each operand: it lies where the tactic's alias has it, so nothing moves it
  std::string what;            // for profiles: tactic, or "reformat"
  double seconds = 0;          // predicted
};

struct Program {
  std::vector<Slot> slots;
  std::vector<Record> records;
  std::vector<ConstantUse> constants;
  std::vector<Dims> input_dims, output_dims;
  int lanes = 1;
  int64_t arena_bytes = 0, lower_bound_bytes = 0;
  std::vector<int> awaited;  // records that some other lane waits for
  // Taken where what was selected does not cover these sizes.
  std::list<Choice> others;

  // The slot's root and its offset from the root's start.
  int root(int slot, int64_t* offset = nullptr) const;
};

Program make_program(const Graph& graph, const Selection& selection, Device& device, const SymbolValues& sizes);

}  // namespace narae
