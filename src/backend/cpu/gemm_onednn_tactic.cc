// SPDX-License-Identifier: Apache-2.0
// oneDNN's product with a constant right operand, as a rival of our own: a task is some rows, or some columns, of the
// result. The one thing not to get wrong: the packed form depends on the config and the node alone, so the config holds
// the number of rows that it was chosen for; other numbers are computed with that form.
#include <cstdio>
#include <cstring>

#include "backend/cpu/gemm_problem.h"
#include "backend/cpu/onednn_kernel.h"
#include "backend/cpu/onednn_post.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"
#include "ops/matmul.h"

namespace narae::cpu {
namespace {

struct Config {
  bool by_rows = true;
  int64_t slices = 1, m = 0;  // m: what the right operand's form was chosen for
};

std::string config_text(const Config& c) {
  return fmt::format("{}{} m{}", c.by_rows ? "rows" : "columns", c.slices, c.m);
}
Config parse_config(const std::string& text) {
  char name[16];
  long long slices = 0, m = 0;
  if (std::sscanf(text.c_str(), "%15[a-z]%lld m%lld", name, &slices, &m) != 3 || slices < 1) {
    fail(ErrorCode::bad_file, "a oneDNN product's config cannot be read: \"{}\"", text);
  }
  return {name[0] == 'r', slices, m};
}

// Slices of equal size, but for the last; columns in whole cache lines.
struct Slices {
  int64_t each = 0, count = 0, last = 0;
};
Slices slices_of(const GemmShape& shape, const Config& config) {
  const int64_t whole = config.by_rows ? shape.m : shape.n;
  Slices s;
  s.each = ceil_div(whole, config.slices);
  if (!config.by_rows) s.each = std::min(whole, round_up(s.each, 16));
  s.count = ceil_div(whole, s.each);
  s.last = whole - (s.count - 1) * s.each;
  return s;
}
OnednnGemm slice_problem(const GemmShape& shape, const Config& config, int64_t size) {
  if (config.by_rows) return {size, shape.n, shape.k, shape.n};
  return {shape.m, size, shape.k, shape.n};
}

// The problem that a slice of this many rows or columns is packed for. Rows share one packed operand, in the form of
// the first slice.
OnednnGemm packing_problem(const GemmShape& shape, const Config& config, int64_t size) {
  const GemmShape packing{config.m, shape.n, shape.k};
  return slice_problem(packing, config, config.by_rows ? slices_of(packing, config).each : size);
}

// Bytes between the packed weights of the columns' slices.
size_t slice_bytes(const OnednnTable& table, const GemmShape& shape, const Config& config, const Slices& slices) {
  const size_t bytes = table.gemm_weights_bytes(packing_problem(shape, config, slices.each));
  const size_t last = table.gemm_weights_bytes(packing_problem(shape, config, slices.last));
  return bytes && last ? std::max(bytes, last) : 0;
}

class OnednnGemmKernel final : public OnednnKernel {
 public:
  OnednnGemmKernel(int threads, const Node& node, GemmProblem problem, const Config& config, const OnednnPost& post,
                   const OnednnTable& table)
      : OnednnKernel(threads, table),
        problem_(std::move(problem)),
        config_(config),
        slices_(slices_of(problem_.shape, config)),
        output_(node.inputs().size()) {
    const GemmShape& shape = problem_.shape;
    weights_bytes_ = slice_bytes(table, shape, config, slices_);
    if (!weights_bytes_) fail(ErrorCode::failed, "oneDNN refuses this product");
    const auto add = [&](int64_t size) {
      const OnednnGemm packing = packing_problem(shape, config, size);
      add_plan(table.make_gemm(slice_problem(shape, config, size), packing, post, slices_.count), "product");
    };
    add(slices_.each);
    if (slices_.last != slices_.each) add(slices_.last);
  }

 protected:
  int64_t tasks() const override { return slices_.count; }
  bool run_task(std::span<void* const> operands, void* scratch, int64_t task) const override {
    const auto at = [&](int i) { return static_cast<const float*>(operands[static_cast<size_t>(i)]); };
    const int64_t n = problem_.shape.n, k = problem_.shape.k, first = task * slices_.each;
    const bool is_last = task + 1 == slices_.count, by_rows = config_.by_rows;
    const int64_t size = is_last ? slices_.last : slices_.each, offset = by_rows ? first * n : first;
    float* out = static_cast<float*>(operands[output_]) + offset;
    if (problem_.body.residual >= 0 && at(problem_.body.residual) + offset != out) {
      const float* residual = at(problem_.body.residual) + offset;
      const int64_t rows = by_rows ? size : problem_.shape.m, columns = by_rows ? n : size;
      for (int64_t row = 0; row < rows; ++row) {
        std::memcpy(out + row * n, residual + row * n, static_cast<size_t>(columns) * sizeof(float));
      }
    }
    const float* in = at(static_cast<int>(problem_.a)) + (by_rows ? first * k : 0);
    const auto* weights = static_cast<const std::byte*>(operands[problem_.b]);
    if (!by_rows) weights += static_cast<size_t>(task) * weights_bytes_;
    const float* bias = problem_.body.bias >= 0 ? at(problem_.body.bias) + (by_rows ? 0 : first) : nullptr;
    return table_.run(plan(is_last), task, in, weights, bias, out, scratch);
  }

 private:
  GemmProblem problem_;
  Config config_;
  Slices slices_;
  size_t output_, weights_bytes_ = 0;
};

class GemmOnednnTactic final : public Tactic {
 public:
  explicit GemmOnednnTactic(CpuLevel level) : level_(std::move(level)), tiles_(brgemm_tiles(level_.isa)) {}
  const char* name() const override { return "gemm_onednn"; }
  Numerics numerics() const override { return {true, false, false}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!level_.onednn || node.outputs().size() != 1) return;
    const std::optional<GemmProblem> problem = gemm_problem(node, dims);
    if (!problem || !onednn_post(problem->body, problem->body.bias >= 0) || !level_.onednn->table()) return;
    const GemmShape& s = problem->shape;
    const int64_t threads = level_.threads;
    if (s.m >= 8 * threads) offer(node, *problem, {true, threads, s.m}, out);
    if (s.m < 8 * threads || s.n >= 64 * threads) {
      offer(node, *problem, {false, std::max<int64_t>(1, std::min(threads, s.n / 16)), s.m}, out);
    }
  }

  double estimate(const Node& node, const Choice&, const NodeDims& dims, const Target& target) const override {
    const std::optional<GemmProblem> problem = gemm_problem(node, dims);
    require_covered(problem.has_value(), node);
    return onednn_handicap * gemm_seconds(*problem, dims, *tiles_, target);
  }

  Tensor pack(const Node& node, const Choice& choice, size_t, const Tensor& constant, const Target&) const override {
    const OnednnTable& table = require_table(level_);
    const Config config = parse_config(choice.config);
    const bool transposed = contraction_anchor(node, "matmul")->attributes<MatmulAttributes>().transpose_b;
    const int64_t last = constant.dims.back(), rows = constant.dims[constant.dims.size() - 2];
    const GemmShape shape{config.m, transposed ? rows : last, transposed ? last : rows};
    const Slices slices = slices_of(shape, config);
    const size_t bytes = slice_bytes(table, shape, config, slices);
    if (!bytes) fail(ErrorCode::failed, "oneDNN refuses this product");
    const int64_t forms = config.by_rows ? 1 : slices.count;
    Tensor packed = Tensor::allocate(DType::u8, {static_cast<int64_t>(bytes) * forms});
    if (!constant.data) return packed;
    std::memset(packed.data, 0, packed.bytes());
    const int64_t stride_k = transposed ? 1 : last, stride_n = transposed ? last : 1;
    for (int64_t i = 0; i < forms; ++i) {
      const int64_t size = !config.by_rows && i + 1 == forms ? slices.last : slices.each;
      const float* b = constant.as<float>() + i * slices.each * stride_n;
      std::byte* to = packed.as<std::byte>() + static_cast<size_t>(i) * bytes;
      if (!table.pack_gemm(packing_problem(shape, config, size), b, stride_k, stride_n, to)) {
        fail(ErrorCode::failed, "oneDNN could not pack the right operand of this product");
      }
    }
    return packed;
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    std::optional<GemmProblem> problem = gemm_problem(node, dims);
    require_covered(problem.has_value(), node);
    const std::optional<OnednnPost> post = onednn_post(problem->body, problem->body.bias >= 0);
    require_covered(post.has_value(), node);
    return std::make_unique<OnednnGemmKernel>(level_.threads, node, std::move(*problem), parse_config(choice.config),
                                              *post, require_table(level_));
  }

 private:
  void offer(const Node& node, const GemmProblem& problem, const Config& config, std::vector<Choice>& out) const {
    Choice choice = plain_choice(this, node, config_text(config));
    choice.packs[problem.b] =
        fmt::format("onednn {} {}{}", level_.onednn->table()->version, choice.config, problem.b_transposed ? " t" : "");
    // oneDNN adds to what the result's memory holds; never in the left operand's, which other slices still read.
    if (problem.body.residual >= 0 && problem.body.residual != static_cast<int>(problem.a))
      choice.in_place[0] = problem.body.residual;
    out.push_back(std::move(choice));
  }

  CpuLevel level_;
  const BrgemmTiles* tiles_;
};

}  // namespace

std::unique_ptr<Tactic> make_gemm_onednn_tactic(const CpuLevel& level) {
  return std::make_unique<GemmOnednnTactic>(level);
}

}  // namespace narae::cpu
