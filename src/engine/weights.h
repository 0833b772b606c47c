// SPDX-License-Identifier: Apache-2.0
// Constants in the forms that kernels read, made once per engine and device and shared by all Sessions. Source pages of
// mapped files are given back when a constant has been brought into its run-time form.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/memory_budget.h"
#include "plan/program.h"

namespace narae {

// Where a packed constant may come from instead of being made: the engine file's section for this target.
class PackedSource {
 public:
  virtual ~PackedSource() = default;
  // Bytes of the form, or a Tensor without data.
  virtual Tensor find(const Value& value, const std::string& form) const = 0;
};

class Weights {
 public:
  Weights() = default;
  ~Weights();
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  // Pointer in the device's memory, valid while Weights lives. Thread-safe.
  const void* get(const ConstantUse& use, const Selection& selection, Device& device);
  // All that the selected kernels of the graph read, so that what follows neither packs nor runs out of memory.
  void load_all(const Graph& graph, const Selection& selection, Device& device);
  // Every form made from now on is taken from `budget`, which must live as long.
  void set_budget(MemoryBudget* budget) { budget_ = budget; }
  void set_source(std::shared_ptr<const PackedSource> source) { source_ = std::move(source); }

  // Everything made or mapped so far: form name -> bytes.
  struct Form {
    const Value* value;
    std::string form;
    Tensor tensor;                   // host bytes; empty once moved to a device of its own memory
    std::shared_ptr<Buffer> buffer;  // device bytes, where the device does not read host memory
  };
  std::vector<Form> forms() const;
  int64_t bytes() const;  // in run-time form
  static std::string form_name(const ConstantUse& use);

 private:
  Tensor make(const ConstantUse& use, const Selection& selection, Device& device) const;
  mutable std::mutex mutex_;
  std::map<std::pair<const Value*, std::string>, Form> forms_;
  std::shared_ptr<const PackedSource> source_;
  MemoryBudget* budget_ = nullptr;
  int64_t taken_ = 0;  // from the budget
};

}  // namespace narae
