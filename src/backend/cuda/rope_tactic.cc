// SPDX-License-Identifier: Apache-2.0
// rope alone, and the body of an attention's rotations and writes.
#include "backend/cuda/own_kernel.h"
#include "backend/cuda/tactics.h"
#include "backend/rope_kv_problem.h"
#include "base/error.h"
#include "kernels/cuda/rope.h"

namespace narae::cuda {
namespace {

// Queries that turn, keys that turn into their places, values that go to theirs.
struct RopeKv {
  RopeKvProblem problem;
  const RopePart *q = nullptr, *k = nullptr, *v = nullptr;
};

std::optional<RopeKv> rope_kv_of(const Node& node, const NodeDims& dims) {
  std::optional<RopeKvProblem> problem = rope_kv_problem(node, dims);
  if (!problem || problem->parts.size() != 3) return std::nullopt;
  RopeKv made{std::move(*problem)};
  for (const RopePart& part : made.problem.parts) {
    const RopePart*& role = part.state < 0 ? made.q : part.turned ? made.k : made.v;
    if (role || (part.state < 0 && !part.turned)) return std::nullopt;
    role = &part;
  }
  const RopePart &q = *made.q, &k = *made.k, &v = *made.v;
  const bool alike = q.from == k.from && k.from == v.from && k.to == v.to && k.heads == v.heads && q.width == k.width &&
                     k.width == v.width && k.places == v.places;
  return alike ? std::optional(std::move(made)) : std::nullopt;
}

class RopeTactic final : public Tactic {
 public:
  explicit RopeTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "rope"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (node.is("rope") && 2 * dims.inputs[2][0] <= dims.inputs[0][2]) {
      out.push_back(plain_choice(this, node));
      out.back().in_place = {0};
      return;
    }
    const std::optional<RopeKv> body = rope_kv_of(node, dims);
    if (!body) return;
    out.push_back(plain_choice(this, node));
    for (const RopePart* part : {body->q, body->k, body->v}) {
      int& in_place = out.back().in_place[part->output - node.inputs().size()];
      in_place = part->state >= 0 ? part->state : part->from == part->to ? static_cast<int>(part->x) : -1;
    }
  }
  double estimate(const Node& node, const Choice&, const NodeDims& dims, const Target& target) const override {
    const auto rows = static_cast<double>(element_count(dims.inputs[0]));
    return launch_seconds(target, 0, 1, 8 * (node.is("rope") ? rows : 2 * rows));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    if (node.is("rope")) return alone(node, dims);
    std::optional<RopeKv> body = rope_kv_of(node, dims);
    if (!body) fail(ErrorCode::does_not_fit, "these sizes are no rotation of queries and keys");
    return with_states(node, *body);
  }

 private:
  static std::unique_ptr<Kernel> alone(const Node& node, const NodeDims& dims) {
    const auto& attributes = node.attributes<RopeAttributes>();
    const Dims& x = dims.inputs[0];
    RopeArgs args;
    args.type = node.input(0)->dtype(), args.y_type = node.output(0)->dtype();
    args.rows = x[0], args.heads = x[1], args.width = x[2], args.pairs = dims.inputs[2][0];
    args.interleaved = attributes.interleaved, args.scale = static_cast<float>(attributes.scale);
    return std::make_unique<OwnKernel<RopeArgs>>(
        rope, args, "a rotation", [](RopeArgs& a, std::span<void* const> operands, void*) {
          a.x = at(operands, 0), a.positions = at(operands, 1), a.frequencies = at(operands, 2);
          a.y = at(operands, 3);
        });
  }
  std::unique_ptr<Kernel> with_states(const Node& node, const RopeKv& body) const {
    const RopeKvProblem& problem = body.problem;
    RopeKvArgs args;
    args.type = body.q->from, args.q_type = body.q->to, args.kv_type = body.k->to;
    args.rows = problem.rows, args.heads = body.q->heads, args.kv_heads = body.k->heads, args.width = body.q->width;
    args.pairs = problem.pairs, args.place_count = body.k->places;
    args.interleaved = problem.rope.interleaved, args.scale = static_cast<float>(problem.rope.scale);
    args.outside = level_.faults->flag(fmt::format("{}: a place lies outside [0, {})", node.label(), args.place_count));
    auto kernel = std::make_unique<OwnKernel<RopeKvArgs>>(
        rope_kv, args, "rotations and writes into states",
        [q = *body.q, k = *body.k, v = *body.v, positions = problem.positions, frequencies = problem.frequencies,
         targets = problem.targets](RopeKvArgs& a, std::span<void* const> operands, void*) {
          const auto from = [&](size_t i) { return Pointer{operands[i]}; };
          a.q = from(q.x), a.k = from(k.x), a.v = from(v.x), a.q_out = from(q.output);
          a.k_state = from(k.output), a.v_state = from(v.output);
          a.positions = from(positions), a.places = from(targets), a.frequencies = from(frequencies);
        });
    for (const RopePart* part : {body.k, body.v}) {
      const auto elements = static_cast<size_t>(part->places * part->heads * part->width);
      kernel->carry(static_cast<size_t>(part->state), part->output, elements * dtype_size(part->to));
    }
    return kernel;
  }

  CudaLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_rope_tactic(const CudaLevel& level) { return std::make_unique<RopeTactic>(level); }

}  // namespace narae::cuda
