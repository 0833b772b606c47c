// SPDX-License-Identifier: Apache-2.0
// A Tactic is one way to run a node or a whole fused body. Selection asks it what it could do (propose), how long that
// might take (estimate) and, once chosen, for a Kernel bound to concrete sizes (specialise). Tactics are immutable,
// stateless and shared by all Sessions.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backend/device.h"
#include "graph/graph.h"
#include "graph/profile.h"

namespace narae {

// Launches read operand pointers in the order inputs, outputs. Immutable once made; one Kernel may be launched by one
// thread at a time.
class Kernel {
 public:
  virtual ~Kernel() = default;
  // Device memory that one launch needs besides its operands; the planner puts it into the arena.
  virtual size_t workspace_bytes() const { return 0; }
  // launch() waits for the stream and works on the host: what a device may not record and replay.
  virtual bool on_host() const { return false; }
  // Absent optional operands are null. Allocates nothing; throws Error only for what the operands hold (an index that
  // lies outside) and where a library failed.
  virtual void launch(Stream& stream, std::span<void* const> operands, void* workspace) const = 0;
};

// Sizes of a node's operands and results under concrete values of the symbols.
struct NodeDims {
  std::vector<Dims> inputs, outputs;  // absent operands: empty
  const SymbolValues* symbols = nullptr;
  int64_t evaluate(const Dim& dim) const { return narae::evaluate(dim, *symbols); }
};
NodeDims node_dims(const Node& node, const SymbolValues& symbols);

class Tactic;

// What a result's bits depend on. Deterministic devices offer only tactics that are the same across all three.
struct Numerics {
  bool same_across_runs = true;
  bool same_across_threads = true;
  bool same_across_rows = false;
};

// One thing that a tactic offers to do for a node.
struct Choice {
  const Tactic* tactic = nullptr;
  // Which variant of the tactic (tile sizes, algorithm); means something to the tactic only. Stable between runs: it is
  // stored in timing caches and engine files.
  std::string config;
  std::vector<Layout> inputs, outputs;  // what each operand must be and each result will be
  // For operands that are constants: name of the packed form wanted, empty = as it is. One entry per input.
  std::vector<std::string> packs;
  // in_place[i] >= 0: result i may share memory with that input where nobody reads it afterwards.
  std::vector<int> in_place;
};

class Tactic {
 public:
  virtual ~Tactic() = default;
  virtual const char* name() const = 0;
  virtual int revision() const { return 1; }  // raised when its timings or packed forms change meaning
  virtual Numerics numerics() const { return {}; }
  // Runs by an op's reference: correct, not fast; explain lists such nodes.
  virtual bool is_reference() const { return false; }

  // Adds what it can do for this node at these sizes (none: it does not cover the node).
  virtual void propose(const Node& node, const NodeDims& dims, const Target& target,
                       std::vector<Choice>& out) const = 0;
  // Seconds on all cores of the target, from its peaks.
  virtual double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const = 0;
  // Results that need no work of their own: input i of a concat may be written straight into the result at this byte
  // offset, result i of a split or reshape may lie in its input. The kernel must still do the copy when the planner
  // could not arrange it (pointers differ).
  struct Alias {
    int input = 0, output = 0;
    bool input_in_output = false;  // else the output lies in the input
    int64_t offset = 0;            // bytes
  };
  virtual void aliases(const Node& node, const Choice& choice, const NodeDims& dims, std::vector<Alias>& out) const {}
  // A constant operand in the form that the choice asked for, as opaque bytes in host memory. Called at load. Of
  // a constant without bytes: a result of that size, whatever it holds.
  virtual Tensor pack(const Node& node, const Choice& choice, size_t input, const Tensor& constant,
                      const Target& target) const;
  // The kernel for concrete sizes; prepare time, may allocate.
  virtual std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                             Device& device) const = 0;
};

// Text of a choice for explain, the timing cache and engine files: `tactic/config in(plain,..) out(block1x16)`.
std::string choice_text(const Choice& choice);

// For tactics: a choice with plain layouts and no packs.
Choice plain_choice(const Tactic* tactic, const Node& node, std::string config = {});
// Sum of the bytes of all operands and results, as stored.
double node_bytes(const Node& node, const Choice& choice, const NodeDims& dims);

}  // namespace narae
