// SPDX-License-Identifier: Apache-2.0
// Bodies of rotations and writes into states (passes/fuse_rope_kv.cc): the angles of the rows are formed once, a head
// is turned straight into its place. A task is one head of all rows, in order, because the last of several rows for a
// place stays; so two threads never write to one element.
#include <cstring>

#include "backend/cpu/cost.h"
#include "backend/cpu/index_kernel.h"
#include "backend/cpu/tactics.h"
#include "backend/rope_kv_problem.h"
#include "kernels/cpu/cast.h"
#include "kernels/cpu/rope.h"

namespace narae::cpu {
namespace {

constexpr int64_t turned_rows = 16;  // of a task that forms angles

std::optional<RopeKvProblem> f32_problem(const Node& node, const NodeDims& dims) {
  std::optional<RopeKvProblem> problem = rope_kv_problem(node, dims);
  const auto is_f32 = [](const RopePart& part) { return part.from == DType::f32; };
  if (problem && !std::all_of(problem->parts.begin(), problem->parts.end(), is_f32)) return std::nullopt;
  return problem;
}

class RopeKvKernel final : public IndexKernel {
 public:
  RopeKvKernel(int threads, const RopeParts& kernels, RopeKvProblem problem, const std::string& label)
      : IndexKernel(threads, fmt::format("{}: a place lies outside the state", label)),
        kernels_(kernels),
        problem_(std::move(problem)) {
    args_.pairs = problem_.pairs, args_.width = problem_.width;
    args_.interleaved = problem_.rope.interleaved;
    args_.scale = static_cast<float>(problem_.rope.scale);
  }

 protected:
  int64_t preparations() const override { return (problem_.rows + turned_rows - 1) / turned_rows; }
  size_t shared_bytes() const override {
    return static_cast<size_t>(problem_.rows * 2 * problem_.pairs) * sizeof(float);
  }
  size_t scratch_bytes() const override { return static_cast<size_t>(problem_.width) * sizeof(float); }
  void prepare(std::span<void* const> operands, void* shared, int64_t begin, int64_t end) const override {
    RopeArgs args = args_;
    args.positions = static_cast<const int32_t*>(operands[problem_.positions]);
    args.frequencies = static_cast<const float*>(operands[problem_.frequencies]);
    kernels_.turns(args, static_cast<float*>(shared), begin * turned_rows, std::min(problem_.rows, end * turned_rows));
  }
  // A row alone is not worth a hand-over.
  int64_t tasks() const override { return problem_.rows > 1 ? problem_.heads : 1; }
  void run(std::span<void* const> operands, void* scratch, void* shared, int64_t begin, int64_t end) const override {
    if (tasks() == 1) begin = 0, end = problem_.heads;
    int64_t first = 0;
    for (const RopePart& part : problem_.parts) {
      for (int64_t head = std::max(begin, first); head < std::min(end, first + part.heads); ++head) {
        if (part.state < 0) {
          turn(part, head - first, operands, static_cast<const float*>(shared));
        } else {
          write(part, head - first, operands, static_cast<float*>(scratch), static_cast<const float*>(shared));
        }
      }
      first += part.heads;
    }
  }

 private:
  const float* turns_of(const float* turns, int64_t row) const { return turns + row * 2 * problem_.pairs; }
  RopeArgs args_of(const RopePart& part) const {
    RopeArgs args = args_;
    args.width = part.width;
    return args;
  }
  void turn(const RopePart& part, int64_t head, std::span<void* const> operands, const float* turns) const {
    const RopeArgs args = args_of(part);
    for (int64_t row = 0; row < problem_.rows; ++row) {
      const int64_t at = (row * part.heads + head) * part.width;
      kernels_.head(args, turns_of(turns, row), static_cast<const float*>(operands[part.x]) + at,
                    static_cast<float*>(operands[part.output]) + at);
    }
  }
  void write(const RopePart& part, int64_t head, std::span<void* const> operands, float* scratch,
             const float* turns) const {
    const RopeArgs args = args_of(part);
    const auto* places = static_cast<const int32_t*>(operands[problem_.targets]);
    auto* state = static_cast<std::byte*>(operands[part.output]);
    const auto bytes = static_cast<size_t>(part.width) * dtype_size(part.to);
    const auto at = [&](int64_t place) { return static_cast<size_t>(place * part.heads + head) * bytes; };
    if (const auto* old = static_cast<const std::byte*>(operands[static_cast<size_t>(part.state)]); old != state) {
      for (int64_t place = 0; place < part.places; ++place) std::memcpy(state + at(place), old + at(place), bytes);
    }
    for (int64_t row = 0; row < problem_.rows; ++row) {
      if (places[row] < 0 || places[row] >= part.places) {
        note_outside();
        continue;
      }
      const float* x = static_cast<const float*>(operands[part.x]) + (row * part.heads + head) * part.width;
      std::byte* place = state + at(places[row]);
      if (part.turned) {
        float* to = part.to == DType::f32 ? reinterpret_cast<float*>(place) : scratch;
        kernels_.head(args, turns_of(turns, row), x, to);
        x = to;
      }
      if (part.to != DType::f32) {
        cast_run(DType::f32, part.to, x, place, 0, part.width);
      } else if (!part.turned) {
        std::memcpy(place, x, bytes);
      }
    }
  }

  RopeParts kernels_;
  RopeKvProblem problem_;
  RopeArgs args_;
};

class RopeKvTactic final : public Tactic {
 public:
  explicit RopeKvTactic(CpuLevel level) : level_(std::move(level)), kernels_(rope_parts(level_.isa)) {}
  const char* name() const override { return "rope_kv"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    const std::optional<RopeKvProblem> problem = f32_problem(node, dims);
    if (!problem) return;
    Choice choice = plain_choice(this, node);
    for (const RopePart& part : problem->parts) {
      choice.in_place[part.output - node.inputs().size()] = part.state >= 0 ? part.state : static_cast<int>(part.x);
    }
    out.push_back(std::move(choice));
  }
  // States stay where they are: only the rows move.
  double estimate(const Node& node, const Choice&, const NodeDims& dims, const Target& target) const override {
    const std::optional<RopeKvProblem> problem = f32_problem(node, dims);
    require_covered(problem.has_value(), node);
    double elements = 0;
    for (const RopePart& part : problem->parts) {
      elements += static_cast<double>(problem->rows * part.heads * part.width);
    }
    return roofline(target, 6 * elements, 0.1, 8 * elements);
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    std::optional<RopeKvProblem> problem = f32_problem(node, dims);
    require_covered(problem.has_value(), node);
    return std::make_unique<RopeKvKernel>(level_.threads, kernels_, std::move(*problem), node.label());
  }

 private:
  CpuLevel level_;
  RopeParts kernels_;
};

}  // namespace

std::unique_ptr<Tactic> make_rope_kv_tactic(const CpuLevel& level) { return std::make_unique<RopeKvTactic>(level); }

}  // namespace narae::cpu
