// SPDX-License-Identifier: Apache-2.0
// A candidate is run as selection would run it: operands of seeded values in the layouts it wants, constants packed,
// workspace from the device. Nodes that compute the same are timed once.
#include "compile/tuner.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "base/clock.h"
#include "base/error.h"
#include "graph/inline_body.h"

namespace narae {
namespace {

struct Budget {
  double near = 1;        // candidates up to (1 + near) times the best estimate
  size_t most = 4;        // of them
  double seconds = 0.01;  // for all of one node's
  int rounds = 3;
};

constexpr double unusable_seconds = 1e5;  // of a candidate whose library refuses it
constexpr double hopeless = 8;            // times the best warm-up

Budget budget_of(int level) {
  if (level <= 3) return {1.0, 4, 0.02, 3};
  if (level == 4) return {2.0, 8, 0.06, 5};
  return {4.0, 16, 0.2, 9};
}

// One candidate, ready to launch.
class Trial {
 public:
  Trial(const Node& node, const Choice& choice, const NodeDims& dims, Device& device) {
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      add(node.input(i), choice.inputs[i], choice.packs[i], dims.inputs[i], node, choice, i, device);
    }
    for (size_t i = 0; i < node.outputs().size(); ++i) {
      add(node.output(i), choice.outputs[i], {}, dims.outputs[i], node, choice, i, device);
    }
    kernel_ = choice.tactic->specialise(node, choice, dims, device);
    workspace_ = device.allocate(kernel_->workspace_bytes() + 64);
  }
  void run(Stream& stream) const { kernel_->launch(stream, operands_, workspace_->data()); }

 private:
  void add(const Value* value, const Layout& layout, const std::string& pack, const Dims& dims, const Node& node,
           const Choice& choice, size_t slot, Device& device) {
    if (!value) {
      operands_.push_back(nullptr);
      return;
    }
    Tensor host;
    if (value->is_constant() && !pack.empty()) {
      host = choice.tactic->pack(node, choice, slot, value->tensor(), device.target());
    } else if (value->is_constant() && layout.is_plain()) {
      host = value->tensor();
    } else {
      host = Tensor::allocate(value->dtype(), {layout.stored_count(dims)});
      if (is_float(value->dtype())) {
        fill_normal(host, slot + 1);
      } else {
        std::memset(host.data, 0, host.bytes());  // indices: 0 is a legal one everywhere
      }
    }
    buffers_.push_back(device.allocate(host.bytes() + 64));
    const auto stream = device.make_stream();
    stream->copy(buffers_.back()->data(), host.data, host.bytes());
    stream->synchronize();
    operands_.push_back(buffers_.back()->data());
  }
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::vector<void*> operands_;
  std::unique_ptr<Kernel> kernel_;
  std::unique_ptr<Buffer> workspace_;
};

class NodeTuner {
 public:
  NodeTuner(Runtime& runtime, const SymbolValues& sizes, Budget budget)
      : cache_(runtime.timing_cache()),
        device_(*runtime.device()),
        sizes_(sizes),
        budget_(budget),
        stream_(device_.make_stream()) {}

  void tune(const Node& node) {
    const NodeDims dims = node_dims(node, sizes_);
    if (!seen_.insert(node_signature(node, dims)).second) return;
    std::vector<Candidate> candidates = near_best(node);
    std::vector<std::unique_ptr<Trial>> trials(candidates.size());
    std::vector<double> best(candidates.size(), 1e30);
    std::vector<size_t> open;
    for (size_t i = 0; i < candidates.size(); ++i) {
      double known;
      if (cache_.find(TimingCache::key(node, candidates[i].choice, dims, device_.target()), known)) {
        ++result.cached;
        continue;
      }
      try {
        trials[i] = std::make_unique<Trial>(node, candidates[i].choice, dims, device_);
        open.push_back(i);
      } catch (const Error& error) {
        if (error.code() == ErrorCode::internal) throw;
        cache_.put(TimingCache::key(node, candidates[i].choice, dims, device_.target()), unusable_seconds);
      }
    }
    if (open.empty()) return;
    const double share = budget_.seconds / static_cast<double>(open.size() * static_cast<size_t>(budget_.rounds));
    for (const size_t i : open) best[i] = time(*trials[i], share);  // warms up; what is far behind stops here
    const double least =
        best[*std::min_element(open.begin(), open.end(), [&](size_t a, size_t b) { return best[a] < best[b]; })];
    for (int round = 0; round < budget_.rounds; ++round) {
      for (const size_t i : open) {
        if (best[i] <= least * hopeless) best[i] = std::min(best[i], time(*trials[i], share));
      }
    }
    for (const size_t i : open) {
      cache_.put(TimingCache::key(node, candidates[i].choice, dims, device_.target()), best[i]);
      ++result.timed;
    }
  }

  TuneResult result;

 private:
  std::vector<Candidate> near_best(const Node& node) {
    const EstimatedCosts costs;
    std::vector<Candidate> all = candidates_for(node, device_, sizes_, costs);
    all.erase(std::remove_if(all.begin(), all.end(),
                             [](const Candidate& c) { return c.choice.tactic->is_reference() || c.seconds <= 0; }),
              all.end());
    std::stable_sort(all.begin(), all.end(),
                     [](const Candidate& a, const Candidate& b) { return a.seconds < b.seconds; });
    size_t keep = 0;
    while (keep < all.size() && keep < budget_.most && all[keep].seconds <= all[0].seconds * (1 + budget_.near)) ++keep;
    // Each tactic shows its best at least once: the model may be wrong about a whole family.
    std::unordered_set<const Tactic*> shown;
    std::vector<Candidate> picked;
    for (size_t i = 0; i < all.size(); ++i) {
      if (shown.insert(all[i].choice.tactic).second || i < keep) picked.push_back(std::move(all[i]));
    }
    return picked;
  }

  // Median-free: the least of the rounds counts, because other load only ever adds.
  double time(const Trial& trial, double share) {
    const DeviceTurn turn(device_);
    double total = 0;
    int runs = 0;
    do {
      const double start = now_seconds();
      trial.run(*stream_);
      stream_->synchronize();
      total += now_seconds() - start;
      ++runs;
    } while (total < share && runs < 1000);
    return total / runs;
  }

  TimingCache& cache_;
  Device& device_;
  const SymbolValues& sizes_;
  Budget budget_;
  std::unique_ptr<Stream> stream_;
  std::unordered_set<std::string> seen_;
};

// All nodes, and those that would stand in the place of fused ones; `bodies` keeps the latter.
void collect(const Graph& graph, std::vector<const Node*>& nodes, std::vector<std::unique_ptr<Graph>>& bodies) {
  for (const Node* node = graph.first(); node; node = node->next()) {
    nodes.push_back(node);
    if (node->bodies().empty()) continue;
    bodies.push_back(body_on_operands(*node));
    collect(*bodies.back(), nodes, bodies);
  }
}

}  // namespace

TuneResult tune(const Graph& graph, Runtime& runtime, const SymbolValues& sizes, int level, Progress* progress) {
  NodeTuner tuner(runtime, sizes, budget_of(level));
  std::vector<const Node*> nodes;
  std::vector<std::unique_ptr<Graph>> bodies;
  collect(graph, nodes, bodies);
  for (size_t i = 0; i < nodes.size(); ++i) {
    tuner.tune(*nodes[i]);
    if (!progress) continue;
    progress->report("tuning", static_cast<long>(i + 1), static_cast<long>(nodes.size()));
    if (progress->cancelled()) fail(ErrorCode::failed, "the build was cancelled");
  }
  return tuner.result;
}

}  // namespace narae
