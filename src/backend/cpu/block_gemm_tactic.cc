// SPDX-License-Identifier: Apache-2.0
// Products with constant weights in blocks, alone, with an epilogue, or several on one input. The weights are packed at
// load and never become f32 as a whole. Or two products that make one result together (a gated unit): a task makes its
// strip of the gate first and finishes with it while it is hot. Two configs: `int8` brings the rows to 8 bits once for
// all products of the body, `fp32` leaves them; which of them is offered is the device's setting.
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

#include "backend/cpu/block_problem.h"
#include "backend/cpu/conv_problem.h"
#include "backend/cpu/cost.h"
#include "backend/cpu/cpu_kernel.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"
#include "ops/dequantize_blocks.h"

namespace narae::cpu {
namespace {

constexpr int64_t quantised_rows = 16;  // of a task
constexpr const char* pack_name = "blocks 16";

// What a node is to these kernels.
struct Products {
  std::vector<BlockProblem> problems;
  bool gated = false;  // gate and up; the node's result is up's after the rest
};

class BlockGemmKernel final : public CpuKernel {
 public:
  BlockGemmKernel(const CpuLevel& level, const Node& node, const NodeDims& dims, Products products,
                  const BlockGemmKernels& kernels, const ScalarSteps& steps, const CacheSizes& caches)
      : CpuKernel(level.threads), kernels_(kernels), gated_(products.gated) {
    for (BlockProblem& problem : products.problems) {
      Part part;
      part.plan = block_gemm_plan(gated_ ? products.problems[1].shape : problem.shape, caches, level.threads);
      part.output = node.inputs().size() + problem.part;
      part.act = kernel_act(problem.body);
      if (problem.body.has_rest()) {
        part.epilogue.emplace(problem.body, gated_ ? gate_dims(problem) : dims, problem.space, steps,
                              block_gemm_columns(part.plan));
        if (part.epilogue->error()) fail(ErrorCode::internal, "{}: {}", node.label(), part.epilogue->error());
        epilogue_bytes_ = std::max(epilogue_bytes_, part.epilogue->scratch_bytes());
      }
      scratch_floats_ = std::max(scratch_floats_, block_gemm_scratch(problem.shape));
      if (problem.shape.int8) part.rows = rows_for(problem);
      first_.push_back(first_.back() + block_gemm_tasks(problem.shape, part.plan));
      part.problem = std::move(problem);
      parts_.push_back(std::move(part));
    }
    if (!gated_) return;
    gate_at_ = shared_;
    shared_ += static_cast<size_t>(parts_[0].problem.shape.m * parts_[0].problem.shape.n) * sizeof(float);
  }

 protected:
  int64_t tasks() const override { return gated_ ? first_[1] : first_.back(); }
  size_t shared_bytes() const override { return shared_; }
  size_t scratch_bytes() const override {
    return static_cast<size_t>(scratch_floats_) * sizeof(float) + epilogue_bytes_;
  }
  int64_t preparations() const override { return static_cast<int64_t>(rows_.size()) * chunks(); }
  void prepare(std::span<void* const> operands, void* shared, int64_t begin, int64_t end) const override {
    for (int64_t i = begin; i < end; ++i) {
      const Rows& rows = rows_[static_cast<size_t>(i / chunks())];
      const BlockGemmShape& s = parts_[0].problem.shape;
      const int64_t first = i % chunks() * quantised_rows;
      kernels_.quantise(rows.form, static_cast<const float*>(operands[parts_[0].problem.a]) + first * s.k, s.k,
                        std::min(quantised_rows, s.m - first), s.k,
                        static_cast<uint8_t*>(shared) + rows.offset + quantised_bytes(rows.form, first, s.k));
    }
  }
  void run(std::span<void* const> operands, void* scratch, void* shared, int64_t begin, int64_t end) const override {
    if (gated_) return run_gated(operands, scratch, shared, begin, end);
    for (size_t i = 0; i < parts_.size(); ++i) {
      const int64_t from = std::max(begin, first_[i]), to = std::min(end, first_[i + 1]);
      if (from >= to) continue;
      const Call call{operands, operands, operands[parts_[i].output], scratch, shared};
      run_part(parts_[i], call, from - first_[i], to - first_[i]);
    }
  }

 private:
  struct Part {
    BlockProblem problem;
    BlockGemmPlan plan;
    KernelAct act;
    std::optional<TileEpilogue> epilogue;
    size_t output = 0, rows = 0;
  };
  // The rows in 8 bits as weights of one form want them.
  struct Rows {
    BlockForm form;
    size_t offset;
  };

  int64_t chunks() const {
    const int64_t m = parts_[0].problem.shape.m;
    return (m + quantised_rows - 1) / quantised_rows;
  }
  size_t rows_for(const BlockProblem& problem) {
    const BlockForm& form = problem.shape.form;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const BlockForm& other = rows_[i].form;
      if (other.zero == form.zero && other.mins == form.mins && other.scale == form.scale) return i;
    }
    rows_.push_back({form, shared_});
    shared_ += (static_cast<size_t>(quantised_bytes(form, problem.shape.m, problem.shape.k)) + 63) / 64 * 64;
    return rows_.size() - 1;
  }
  struct Call {
    std::span<void*const> operands, rest;  // the node's; what the epilogue reads
    void* output;
    void* scratch;
    const void* shared;
  };
  void run_part(const Part& part, const Call& at, int64_t begin, int64_t end) const {
    const BlockProblem& problem = part.problem;
    EpilogueCall call{part.epilogue ? &*part.epilogue : nullptr, at.rest,
                      static_cast<float*>(at.scratch) + scratch_floats_};
    auto epilogue = call.bind<GemmEpilogue>(part.act, problem.body.bias, problem.body.residual);
    epilogue.ldr = problem.shape.n;
    const void* a =
        problem.shape.int8 ? static_cast<const uint8_t*>(at.shared) + rows_[part.rows].offset : at.operands[problem.a];
    block_gemm_run(kernels_, problem.shape, part.plan, a, static_cast<const uint8_t*>(at.operands[problem.blocks]),
                   static_cast<float*>(at.output), epilogue, static_cast<float*>(at.scratch), begin, end);
  }
  // Both products are cut alike, so a task of one is the same strip as that task of the other.
  void run_gated(std::span<void* const> operands, void* scratch, void* shared, int64_t begin, int64_t end) const {
    void* const gate = static_cast<std::byte*>(shared) + gate_at_;
    void* const rest[] = {gate};
    for (int64_t task = begin; task < end; ++task) {
      run_part(parts_[0], {operands, {}, gate, scratch, shared}, task, task + 1);
      run_part(parts_[1], {operands, rest, operands[parts_[1].output], scratch, shared}, task, task + 1);
    }
  }

  const BlockGemmKernels& kernels_;
  std::vector<Part> parts_;
  std::vector<Rows> rows_;
  std::vector<int64_t> first_{0};  // task of every part, and the end
  bool gated_;
  size_t shared_ = 0, epilogue_bytes_ = 0, gate_at_ = 0;
  int64_t scratch_floats_ = 0;
};

// Bytes of host memory, on large pages where there are many: weights stream, and a page's entry is soon gone.
Tensor packed_tensor(int64_t bytes) {
  constexpr size_t large = size_t{2} << 20;
  const auto size = static_cast<size_t>(bytes);
  if (size < 2 * large) return Tensor::allocate(DType::u8, {bytes});
  Tensor tensor;
  tensor.dtype = DType::u8;
  tensor.dims = {bytes};
  void* data = std::aligned_alloc(large, (size + large - 1) / large * large);
  if (!data) fail(ErrorCode::does_not_fit, "out of memory: {} bytes for packed weights", bytes);
  ::madvise(data, size, MADV_HUGEPAGE);
  tensor.owner = std::shared_ptr<const void>(data, [](const void* p) { std::free(const_cast<void*>(p)); });
  tensor.data = data;
  return tensor;
}

class BlockGemmTactic final : public Tactic {
 public:
  explicit BlockGemmTactic(CpuLevel level)
      : level_(std::move(level)), kernels_(block_gemm_kernels(level_.isa)), steps_(scalar_steps(level_.isa)) {}
  const char* name() const override { return "block_gemm"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override {
    if (!kernels_ || !node.is("fused")) return;
    const std::optional<Products> products = products_of(node, dims, target.int8_activations);
    if (!products) return;
    Choice choice = plain_choice(this, node, target.int8_activations ? "int8" : "fp32");
    for (const BlockProblem& problem : products->problems) {
      const BlockGemmPlan widest{16, 1};
      if (problem.body.has_rest() && TileEpilogue(problem.body, products->gated ? gate_dims(problem) : dims,
                                                  problem.space, *steps_, block_gemm_columns(widest))
                                         .error()) {
        return;
      }
      choice.packs[problem.blocks] = pack_name;
    }
    out.push_back(std::move(choice));
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<Products> products = products_of(node, dims, choice.config == "int8");
    require_covered(products.has_value(), node);
    double seconds = 0;
    for (const BlockProblem& problem : products->problems) seconds += block_gemm_seconds(problem, target);
    return seconds - static_cast<double>(products->problems.size() - 1) * launch_seconds;
  }

  Tensor pack(const Node& node, const Choice&, size_t input, const Tensor& constant, const Target&) const override {
    for (const Node* decoder = node.bodies()[0]->first(); decoder; decoder = decoder->next()) {
      if (!decoder->is("dequantize_blocks") || decoder->input(0) != node.bodies()[0]->inputs()[input]) continue;
      const BlockFormatInfo& info =
          block_format_info(block_format_from_name(decoder->attributes<DequantizeBlocksAttributes>().format));
      const int64_t k = constant.dims.back() / info.bytes * info.values;
      const int64_t n = element_count(constant.dims) / constant.dims.back();
      const BlockForm form = block_form(info.format);
      Tensor packed = packed_tensor(packed_blocks_bytes(form, n, k));
      if (constant.data) pack_blocks(form, constant.as<uint8_t>(), n, k, packed.as<uint8_t>());
      return packed;
    }
    return Tactic::pack(node, plain_choice(this, node), input, constant, {});
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device& device) const override {
    std::optional<Products> products = products_of(node, dims, choice.config == "int8");
    require_covered(products.has_value() && kernels_, node);
    return std::make_unique<BlockGemmKernel>(level_, node, dims, std::move(*products), *kernels_, *steps_,
                                             cache_sizes(device.target()));
  }

 private:
  // Empty where one of the node's results is something else, or reads other rows.
  static std::optional<Products> products_of(const Node& node, const NodeDims& dims, bool int8) {
    Products products;
    if (std::optional<std::array<BlockProblem, 2>> gated = gated_block_problems(node, dims)) {
      products = {{std::move((*gated)[0]), std::move((*gated)[1])}, true};
    } else {
      for (size_t part = 0; part < node.outputs().size(); ++part) {
        std::optional<BlockProblem> problem = block_problem(node, dims, part);
        if (!problem || (part > 0 && problem->a != products.problems[0].a)) return std::nullopt;
        products.problems.push_back(std::move(*problem));
      }
    }
    for (BlockProblem& problem : products.problems) problem.shape.int8 = int8;
    return products;
  }

  CpuLevel level_;
  const BlockGemmKernels* kernels_;
  const ScalarSteps* steps_;
};

}  // namespace

std::unique_ptr<Tactic> make_block_gemm_tactic(const CpuLevel& level) {
  return std::make_unique<BlockGemmTactic>(level);
}

}  // namespace narae::cpu
