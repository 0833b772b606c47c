// SPDX-License-Identifier: Apache-2.0
// sample, a row a task. Changes and masks are data: one outside is reported after the launch.
#include "backend/cpu/cost.h"
#include "backend/cpu/index_kernel.h"
#include "backend/cpu/tactics.h"
#include "kernels/cpu/sample.h"
#include "ops/sample.h"
#include "tensor/noise.h"

namespace narae::cpu {
namespace {

class SampleKernel final : public IndexKernel {
 public:
  SampleKernel(int threads, const ReduceKernels& reduce, const NodeDims& dims, const std::string& label)
      : IndexKernel(threads, fmt::format("{}: a change or a mask lies outside its list", label)),
        reduce_(reduce),
        rows_(dims.inputs[0][0]),
        vocabulary_(dims.inputs[0][1]),
        changes_(dims.inputs[static_cast<size_t>(SampleOperand::change_tokens)][0]),
        masks_(dims.inputs[static_cast<size_t>(SampleOperand::masks)][0]),
        words_(dims.inputs[static_cast<size_t>(SampleOperand::masks)][1]) {}

 protected:
  int64_t tasks() const override { return vocabulary_ ? rows_ : 0; }
  size_t scratch_bytes() const override { return sample_scratch(vocabulary_); }
  void run(std::span<void* const> operands, void* scratch, void*, int64_t begin, int64_t end) const override {
    auto* tokens = static_cast<int32_t*>(operands[sample_operands]);
    auto* logprobs = static_cast<float*>(operands[sample_operands + 1]);
    for (int64_t i = begin; i < end; ++i) {
      SampleRow row;
      if (!bind(operands, i, row)) {
        note_outside();
        continue;
      }
      const Sampled sampled = sample_row(reduce_, row, scratch);
      tokens[i] = sampled.token, logprobs[i] = sampled.logprob;
    }
  }

 private:
  // False: a list names something outside.
  bool bind(std::span<void* const> operands, int64_t i, SampleRow& row) const {
    using enum SampleOperand;
    const auto floats = [&](SampleOperand at) { return static_cast<const float*>(operands[static_cast<size_t>(at)]); };
    const auto ints = [&](SampleOperand at) { return static_cast<const int32_t*>(operands[static_cast<size_t>(at)]); };
    row.logits = floats(logit_rows) + i * vocabulary_, row.vocabulary = vocabulary_;
    row.temperature = floats(temperatures)[i], row.top_p = floats(top_ps)[i], row.min_p = floats(min_ps)[i];
    row.top_k = ints(top_ks)[i];
    row.key = noise_key(static_cast<const uint64_t*>(operands[static_cast<size_t>(seeds)])[i], ints(branches)[i],
                        ints(positions)[i]);
    const int64_t from = ints(change_starts)[i], to = ints(change_starts)[i + 1];
    if (from < 0 || to < from || to > changes_) return false;
    row.changes = to - from;
    row.tokens = ints(change_tokens) + from, row.scales = floats(change_scales) + from;
    row.adds = floats(change_adds) + from;
    for (int64_t k = 0; k < row.changes; ++k) {
      if (row.tokens[k] < 0 || row.tokens[k] >= vocabulary_) return false;
    }
    const int64_t mask = ints(mask_rows)[i];
    if (mask < 0) return true;
    row.mask = ints(masks) + mask * words_;
    return mask < masks_ && words_ * 32 >= vocabulary_;
  }
  const ReduceKernels& reduce_;
  int64_t rows_, vocabulary_, changes_, masks_, words_;
};

class SampleTactic final : public Tactic {
 public:
  explicit SampleTactic(CpuLevel level) : level_(std::move(level)), reduce_(reduce_kernels(level_.isa)) {}
  const char* name() const override { return "sample"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims&, const Target&, std::vector<Choice>& out) const override {
    if (node.is("sample")) out.push_back(plain_choice(this, node));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const auto elements = static_cast<double>(element_count(dims.inputs[0]));
    return roofline(target, 20 * elements, 0.2, node_bytes(node, choice, dims),
                    static_cast<double>(std::max<int64_t>(1, dims.inputs[0][0])));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    return std::make_unique<SampleKernel>(level_.threads, *reduce_, dims, node.label());
  }

 private:
  CpuLevel level_;
  const ReduceKernels* reduce_;
};

}  // namespace

std::unique_ptr<Tactic> make_sample_tactic(const CpuLevel& level) { return std::make_unique<SampleTactic>(level); }

}  // namespace narae::cpu
