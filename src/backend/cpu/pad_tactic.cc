// SPDX-License-Identifier: Apache-2.0
// pad in all modes. On channel blocks only where padding lanes stay zero: rows and columns are padded, with zeros or
// with what is there.
#include <cstring>
#include <optional>

#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tactics.h"
#include "backend/operand_placement.h"
#include "base/error.h"
#include "kernels/cpu/pad.h"
#include "ops/pad.h"

namespace narae::cpu {
namespace {

std::optional<PadMode> mode_of(const std::string& name) {
  if (name == "constant") return PadMode::constant;
  if (name == "edge") return PadMode::edge;
  if (name == "reflect") return PadMode::reflect;
  if (name == "wrap") return PadMode::wrap;
  return std::nullopt;
}

std::optional<PadPlan> pad_plan(const Node& node, const NodeDims& dims, const Layout& layout) {
  const auto& a = node.attributes<PadAttributes>();
  const std::optional<PadMode> mode = mode_of(a.mode);
  if (!mode || element_count(dims.inputs[0]) == 0 || element_count(dims.outputs[0]) == 0) return std::nullopt;
  const size_t rank = dims.inputs[0].size();
  std::vector<int64_t> before, after;
  for (size_t i = 0; i < rank; ++i) {
    before.push_back(dims.evaluate(a.pads[i]));
    after.push_back(dims.evaluate(a.pads[rank + i]));
    // The kernels fill from the whole operand, the op from what is left of it.
    if (*mode != PadMode::constant && (before.back() < 0 || after.back() < 0)) return std::nullopt;
  }
  if (!layout.is_plain()) {
    if (before[1] != 0 || after[1] != 0) return std::nullopt;
    double value = 0;
    const bool zero = !node.input(1) || (node.input(1)->scalar_constant(value) && value == 0);
    if (*mode == PadMode::constant && !zero && dims.inputs[0][1] % layout.block != 0) return std::nullopt;
    before.push_back(0), after.push_back(0);
  }
  PadPlan plan = make_pad_plan(stored_dims(dims.inputs[0], layout), before, after, *mode,
                               static_cast<int64_t>(dtype_size(node.input(0)->dtype())));
  if (plan.error) return std::nullopt;
  return plan;
}

class PadKernel final : public CpuKernel {
 public:
  PadKernel(int threads, const PadPlan& plan, bool has_value, size_t inputs)
      : CpuKernel(threads), plan_(plan), has_value_(has_value), inputs_(inputs) {}

 protected:
  int64_t tasks() const override { return plan_.tasks; }
  void run(std::span<void* const> operands, void*, void*, int64_t begin, int64_t end) const override {
    const uint64_t zero = 0;
    pad_run(plan_, operands[0], operands[inputs_], has_value_ ? operands[1] : &zero, begin, end);
  }

 private:
  PadPlan plan_;
  bool has_value_;
  size_t inputs_;
};

class PadTactic final : public Tactic {
 public:
  explicit PadTactic(CpuLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "pad"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override {
    if (!node.is("pad")) return;
    const auto offer = [&](const Layout& layout) {
      if (!pad_plan(node, dims, layout)) return;
      out.push_back(plain_choice(this, node));
      out.back().inputs[0] = out.back().outputs[0] = layout;
    };
    offer(Layout::plain());
    const size_t rank = dims.inputs[0].size();
    if (target.channel_block <= 1 || rank < 3 || rank > 5 || dims.inputs[0][1] == 1) return;
    if (dtype_size(node.input(0)->dtype()) == 4) offer(Layout::blocked(1, target.channel_block));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    return roofline(target, 0, 1, node_bytes(node, choice, dims));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    const std::optional<PadPlan> plan = pad_plan(node, dims, choice.inputs[0]);
    if (!plan)
      fail(ErrorCode::does_not_fit, "{}: pads of {} that these sizes do not allow", node.label(),
           dims_text(dims.inputs[0]));
    return std::make_unique<PadKernel>(level_.threads, *plan, node.input(1) != nullptr, node.inputs().size());
  }

 private:
  CpuLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_pad_tactic(const CpuLevel& level) { return std::make_unique<PadTactic>(level); }

}  // namespace narae::cpu
