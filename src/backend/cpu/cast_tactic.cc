// SPDX-License-Identifier: Apache-2.0
// cast between any two types, exactly; what goes through f32 is also a pointwise program.
#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tactics.h"
#include "kernels/cpu/cast.h"

namespace narae::cpu {
namespace {

constexpr int64_t chunk = 4096;  // elements of a task

class CastKernel final : public CpuKernel {
 public:
  CastKernel(int threads, DType from, DType to, int64_t count)
      : CpuKernel(threads), from_(from), to_(to), count_(count) {}

 protected:
  int64_t tasks() const override { return (count_ + chunk - 1) / chunk; }
  void run(std::span<void* const> operands, void*, void*, int64_t begin, int64_t end) const override {
    cast_run(from_, to_, operands[0], operands[1], begin * chunk, std::min(count_, end * chunk));
  }

 private:
  DType from_, to_;
  int64_t count_;
};

class CastTactic final : public Tactic {
 public:
  explicit CastTactic(CpuLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "cast"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims&, const Target&, std::vector<Choice>& out) const override {
    if (node.is("cast")) out.push_back(plain_choice(this, node));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    // One element at a time.
    return roofline(target, static_cast<double>(element_count(dims.inputs[0])), 0.02, node_bytes(node, choice, dims));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    return std::make_unique<CastKernel>(level_.threads, node.input(0)->dtype(), node.output(0)->dtype(),
                                        element_count(dims.inputs[0]));
  }

 private:
  CpuLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_cast_tactic(const CpuLevel& level) { return std::make_unique<CastTactic>(level); }

}  // namespace narae::cpu
