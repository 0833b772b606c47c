// SPDX-License-Identifier: Apache-2.0
// dims, fill, range and other nodes without operands: what they give follows from the sizes alone, so it is computed
// when these are bound, and copied.
#include <cstring>

#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tactics.h"
#include "backend/reference_tactic.h"

namespace narae::cpu {
namespace {

constexpr int64_t chunk_bytes = 64 << 10;

class HostValuesKernel final : public CpuKernel {
 public:
  HostValuesKernel(int threads, std::vector<Tensor> values) : CpuKernel(threads), values_(std::move(values)) {
    for (const Tensor& value : values_) tasks_ += chunks(value);
  }

 protected:
  int64_t tasks() const override { return tasks_; }
  void run(std::span<void* const> operands, void*, void*, int64_t begin, int64_t end) const override {
    int64_t first = 0;
    for (size_t i = 0; i < values_.size(); ++i) {
      const auto bytes = static_cast<int64_t>(values_[i].bytes());
      const int64_t from = std::max(begin - first, int64_t{0}) * chunk_bytes;
      const int64_t to = std::min(bytes, (end - first) * chunk_bytes);
      if (from < to) {
        std::memcpy(static_cast<char*>(operands[i]) + from, static_cast<const char*>(values_[i].data) + from,
                    static_cast<size_t>(to - from));
      }
      first += chunks(values_[i]);
    }
  }

 private:
  static int64_t chunks(const Tensor& value) {
    return (static_cast<int64_t>(value.bytes()) + chunk_bytes - 1) / chunk_bytes;
  }
  std::vector<Tensor> values_;
  int64_t tasks_ = 0;
};

class HostValuesTactic final : public Tactic {
 public:
  explicit HostValuesTactic(CpuLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "host_values"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims&, const Target&, std::vector<Choice>& out) const override {
    if (!node.inputs().empty() || node.op().has(op_random) || node.op().has(op_has_body)) return;
    out.push_back(plain_choice(this, node));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    return roofline(target, 0, 1, 2 * node_bytes(node, choice, dims));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    std::vector<Tensor> values;
    std::vector<void*> pointers;
    for (size_t i = 0; i < dims.outputs.size(); ++i) {
      values.push_back(Tensor::allocate(node.output(i)->dtype(), dims.outputs[i]));
      pointers.push_back(values.back().data);
    }
    BoundReference(node, dims).run(pointers);
    return std::make_unique<HostValuesKernel>(level_.threads, std::move(values));
  }

 private:
  CpuLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_host_values_tactic(const CpuLevel& level) {
  return std::make_unique<HostValuesTactic>(level);
}

}  // namespace narae::cpu
