// SPDX-License-Identifier: Apache-2.0
// Measured seconds of tactics, kept on disk between builds. A key says what was timed (op and body, attributes, types,
// sizes, layouts, tactic, revision, config, threads); a file belongs to one Target fingerprint, never to a model.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "plan/selection.h"

namespace narae {

class TimingCache {
 public:
  // Reads what is there; a missing or foreign file is an empty cache, a damaged line is skipped.
  TimingCache(std::string path, const Target& target);
  TimingCache() = default;  // in memory only

  bool find(uint64_t key, double& seconds) const;
  void put(uint64_t key, double seconds);
  // Merges with what others saved meanwhile; atomic. No path: nothing.
  void save() const;
  size_t size() const;
  static uint64_t key(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target);

 private:
  std::string path_;
  uint64_t fingerprint_ = 0;
  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, double> seconds_;
};

// Timings where there are any, estimates elsewhere.
class MeasuredCosts final : public EstimatedCosts {
 public:
  explicit MeasuredCosts(const TimingCache& cache) : cache_(cache) {}
  double seconds(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target,
                 bool* measured) const override;

 private:
  const TimingCache& cache_;
};

// What a node computes, without names: equal for two nodes that differ in nothing that could matter to a timing.
std::string node_signature(const Node& node, const NodeDims& dims);

}  // namespace narae
