// SPDX-License-Identifier: Apache-2.0
// token_source and kv_write. Places and slots are data: one outside is reported after the launch. Rows are written by
// one task, because the last of several rows for a place stays.
#include <cstring>

#include "backend/cpu/cost.h"
#include "backend/cpu/index_kernel.h"
#include "backend/cpu/tactics.h"
#include "kernels/cpu/cast.h"

namespace narae::cpu {
namespace {

class TokenKernel final : public IndexKernel {
 public:
  TokenKernel(int threads, int64_t rows, int64_t slots, const std::string& label)
      : IndexKernel(threads, fmt::format("{}: a slot lies outside [0, {})", label, slots)),
        rows_(rows),
        slots_(slots) {}

 protected:
  int64_t tasks() const override { return 1; }
  void run(std::span<void* const> operands, void*, void*, int64_t, int64_t) const override {
    const auto *ids = static_cast<const int32_t*>(operands[0]), *slots = static_cast<const int32_t*>(operands[1]);
    const auto* last = static_cast<const int32_t*>(operands[2]);
    auto* out = static_cast<int32_t*>(operands[3]);
    for (int64_t i = 0; i < rows_; ++i) {
      const bool known = ids[i] >= 0, inside = slots[i] >= 0 && slots[i] < slots_;
      if (!known && !inside) note_outside();
      out[i] = known ? ids[i] : inside ? last[slots[i]] : 0;
    }
  }

 private:
  int64_t rows_, slots_;
};

class WriteKernel final : public IndexKernel {
 public:
  WriteKernel(int threads, const Dims& state, int64_t rows, DType from, DType to, const std::string& label)
      : IndexKernel(threads, fmt::format("{}: a place lies outside [0, {})", label, state[0])),
        places_(state[0]),
        width_(element_count(state) / std::max<int64_t>(1, state[0])),
        rows_(rows),
        from_(from),
        to_(to) {}

 protected:
  int64_t tasks() const override { return 1; }
  void run(std::span<void* const> operands, void*, void*, int64_t, int64_t) const override {
    const auto* x = static_cast<const std::byte*>(operands[1]);
    const auto* places = static_cast<const int32_t*>(operands[2]);
    auto* state = static_cast<std::byte*>(operands[3]);
    const auto from = static_cast<size_t>(width_) * dtype_size(from_),
               to = static_cast<size_t>(width_) * dtype_size(to_);
    if (operands[0] != operands[3]) std::memcpy(state, operands[0], to * static_cast<size_t>(places_));
    for (int64_t row = 0; row < rows_; ++row) {
      if (places[row] < 0 || places[row] >= places_) {
        note_outside();
        continue;
      }
      const std::byte* source = x + static_cast<size_t>(row) * from;
      std::byte* place = state + static_cast<size_t>(places[row]) * to;
      if (from_ == to_) {
        std::memcpy(place, source, to);
      } else {
        cast_run(from_, to_, source, place, 0, width_);
      }
    }
  }

 private:
  int64_t places_, width_, rows_;
  DType from_, to_;
};

class KvTactic final : public Tactic {
 public:
  explicit KvTactic(CpuLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "kv"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims&, const Target&, std::vector<Choice>& out) const override {
    if (!node.is("token_source") && !node.is("kv_write")) return;
    out.push_back(plain_choice(this, node));
    if (node.is("kv_write")) out.back().in_place = {0};
  }
  // A state stays where it is: only the rows move.
  double estimate(const Node& node, const Choice&, const NodeDims& dims, const Target& target) const override {
    const size_t rows = node.is("kv_write") ? 1 : 0;
    return roofline(target, 0, 1, 8.0 * static_cast<double>(element_count(dims.inputs[rows])));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    if (node.is("token_source")) {
      return std::make_unique<TokenKernel>(level_.threads, dims.inputs[0][0], dims.inputs[2][0], node.label());
    }
    return std::make_unique<WriteKernel>(level_.threads, dims.inputs[0], dims.inputs[1][0], node.input(1)->dtype(),
                                         node.input(0)->dtype(), node.label());
  }

 private:
  CpuLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_kv_tactic(const CpuLevel& level) { return std::make_unique<KvTactic>(level); }

}  // namespace narae::cpu
