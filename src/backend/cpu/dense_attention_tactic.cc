// SPDX-License-Identifier: Apache-2.0
// Attention bodies: a task is some queries of one head. Operands and result are plain and are walked by the strides of
// the transposes in the body.
#include <array>
#include <cstdio>

#include "backend/attention_body.h"
#include "backend/cpu/conv_problem.h"
#include "backend/cpu/cost.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"
#include "kernels/cpu/dense_attention.h"
#include "kernels/cpu/pack.h"

namespace narae::cpu {
namespace {

constexpr size_t max_score_operands = 32;

struct DenseProblem {
  AttentionBody body;
  DenseAttention attention;
  TileSpace space;  // of the scores
  struct Axis {
    int64_t size, q, k, v, out;
  };
  std::vector<Axis> heads;  // the axes before the last two, outermost first
  int64_t images() const {
    int64_t count = 1;
    for (const Axis& axis : heads) count *= axis.size;
    return count;
  }
};

std::optional<DenseProblem> dense_problem(const Node& node, const NodeDims& dims) {
  const auto spans = [&](const Dims& scores) -> SpanOf {
    return [space = TileSpace{scores, scores.size() - 2, false, 1}](const Dims& operand) {
      return tile_class(space, operand);
    };
  };
  std::optional<AttentionBody> body = attention_body(node, dims, spans);
  if (!body || body->score_operands.size() > max_score_operands) return std::nullopt;
  const Dims& scores = body->scores.result;
  if (element_count(scores) == 0 || element_count(body->out.dims) == 0) return std::nullopt;
  DenseProblem problem;
  DenseAttention& a = problem.attention;
  a.queries = scores[scores.size() - 2], a.keys = scores.back();
  a.width = body->q.dims.back(), a.value_width = body->out.dims.back();
  a.scale = body->scale;
  a.q_row = body->q.row_stride(), a.out_row = body->out.row_stride();
  a.k_row = body->k.row_stride(), a.k_column = body->k.strides.back();
  a.v_row = body->v.row_stride(), a.v_column = body->v.strides.back();
  if (a.width == 0 || !body->q.dense_columns() || !body->out.dense_columns()) return std::nullopt;
  if (!body->k.dense_rows() && !body->k.dense_columns()) return std::nullopt;
  if (!body->v.dense_rows() && !body->v.dense_columns()) return std::nullopt;
  for (size_t i = 0; i + 2 < scores.size(); ++i) {
    const auto along = [&](const AttentionView& view) { return view.batch_stride(i, scores.size()); };
    problem.heads.push_back({scores[i], along(body->q), along(body->k), along(body->v), along(body->out)});
  }
  problem.space = {scores, scores.size() - 2, false, 1};
  problem.body = std::move(*body);
  return problem;
}

std::string config_text(const DenseAttentionConfig& c) {
  return fmt::format("rows{} keys{} nv{},{}", c.rows, c.keys, c.score_vectors, c.mix_vectors);
}
DenseAttentionConfig parse_config(const std::string& text) {
  DenseAttentionConfig config;
  long long rows = 0, keys = 0;
  if (std::sscanf(text.c_str(), "rows%lld keys%lld nv%d,%d", &rows, &keys, &config.score_vectors,
                  &config.mix_vectors) != 4) {
    fail(ErrorCode::bad_file, "the config of an attention cannot be read: \"{}\"", text);
  }
  config.rows = rows, config.keys = keys;
  return config;
}

TileEpilogue score_epilogue(const DenseProblem& problem, const DenseAttentionConfig& config, const ScalarSteps& steps) {
  return TileEpilogue(problem.body.scores, problem.body.score_dims, problem.space, steps, config.keys);
}

class DenseAttentionKernel final : public CpuKernel {
 public:
  DenseAttentionKernel(int threads, const Node& node, DenseProblem problem, const DenseAttentionConfig& config,
                       const BrgemmTiles& tiles, const AttentionKernels& kernels, const ScalarSteps& steps)
      : CpuKernel(threads),
        problem_(std::move(problem)),
        config_(config),
        tiles_(tiles),
        kernels_(kernels),
        output_(node.inputs().size()) {
    // Enough tasks for all threads, in whole blocks of rows: every further one packs the keys once more.
    const DenseAttention& a = problem_.attention;
    const int64_t parts = ceil_div(2 * threads, problem_.images());
    rows_ = std::min(a.queries, round_up(ceil_div(a.queries, parts), std::min(config_.rows, a.queries)));
    scratch_floats_ = round_up(dense_attention_scratch(a, config_, tiles_, rows_), 16);
    if (problem_.body.scores.has_rest()) epilogue_.emplace(score_epilogue(problem_, config_, steps));
    problem_.body.score_node = nullptr;  // the graph may go before the kernel
    problem_.body.scores.anchor = nullptr;
  }

 protected:
  int64_t parts() const { return ceil_div(problem_.attention.queries, rows_); }
  int64_t tasks() const override { return problem_.images() * parts(); }
  size_t scratch_bytes() const override {
    return static_cast<size_t>(scratch_floats_) * sizeof(float) + (epilogue_ ? epilogue_->scratch_bytes() : 0);
  }
  void run(std::span<void* const> operands, void* scratch, void*, int64_t begin, int64_t end) const override {
    const AttentionBody& body = problem_.body;
    const auto at = [&](size_t i) { return static_cast<const float*>(operands[i]); };
    std::array<void*, max_score_operands> own{};
    for (size_t i = 0; i < body.score_operands.size(); ++i) {
      if (body.score_operands[i] >= 0) own[i] = operands[static_cast<size_t>(body.score_operands[i])];
    }
    EpilogueCall call{epilogue_ ? &*epilogue_ : nullptr, own, static_cast<float*>(scratch) + scratch_floats_};
    const auto epilogue = call.bind<GemmEpilogue>(kernel_act(body.scores), body.scores.bias, -1);
    for (; begin < end; ++begin) {
      const int64_t image = begin / parts(), first = begin % parts() * rows_;
      int64_t q = 0, k = 0, v = 0, out = 0, rest = image;
      for (size_t i = problem_.heads.size(); i-- > 0;) {
        const DenseProblem::Axis& axis = problem_.heads[i];
        const int64_t index = rest % axis.size;
        rest /= axis.size;
        q += index * axis.q, k += index * axis.k, v += index * axis.v, out += index * axis.out;
      }
      dense_attention_run(tiles_, kernels_, problem_.attention, config_, at(body.q.operand) + q, at(body.k.operand) + k,
                          at(body.v.operand) + v, static_cast<float*>(operands[output_]) + out, epilogue, image,
                          static_cast<float*>(scratch), first, std::min(problem_.attention.queries, first + rows_));
    }
  }

 private:
  DenseProblem problem_;
  DenseAttentionConfig config_;
  const BrgemmTiles& tiles_;
  const AttentionKernels& kernels_;
  size_t output_;
  int64_t rows_ = 1, scratch_floats_ = 0;
  std::optional<TileEpilogue> epilogue_;
};

class DenseAttentionTactic final : public Tactic {
 public:
  explicit DenseAttentionTactic(CpuLevel level)
      : level_(std::move(level)),
        tiles_(brgemm_tiles(level_.isa)),
        kernels_(attention_kernels(level_.isa)),
        steps_(scalar_steps(level_.isa)) {}
  const char* name() const override { return "attention"; }

  void propose(const Node& node, const NodeDims& dims, const Target& target, std::vector<Choice>& out) const override {
    const std::optional<DenseProblem> problem = dense_problem(node, dims);
    if (!problem) return;
    for (const DenseAttentionConfig& config :
         dense_attention_configs(problem->attention, *tiles_, cache_sizes(target))) {
      if (problem->body.scores.has_rest() && score_epilogue(*problem, config, *steps_).error()) return;
      out.push_back(plain_choice(this, node, config_text(config)));
    }
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<DenseProblem> problem = dense_problem(node, dims);
    require_covered(problem.has_value(), node);
    const DenseAttention& a = problem->attention;
    const auto images = static_cast<double>(problem->images());
    const auto columns = static_cast<double>(a.width * round_up(a.keys, tiles_->lanes) +
                                             a.keys * round_up(a.value_width, tiles_->lanes));
    const double scores = images * static_cast<double>(a.queries * a.keys);
    double seconds = roofline(target, 2 * images * static_cast<double>(a.queries) * columns,
                              a.queries >= 12 ? 0.65 : 0.15, node_bytes(node, choice, dims));
    // Keys and values are packed for every head, the exponentials are softmax's.
    const double packing = images * static_cast<double>(a.keys * (a.width + a.value_width)) * 8;
    seconds += packing / (target.l2_bytes_per_s * target.cores);
    seconds += scores * 16 / (target.fma_flops * target.cores * 0.25);
    return seconds + rest_seconds(problem->body.scores, scores, target);
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    std::optional<DenseProblem> problem = dense_problem(node, dims);
    require_covered(problem.has_value(), node);
    return std::make_unique<DenseAttentionKernel>(level_.threads, node, std::move(*problem),
                                                  parse_config(choice.config), *tiles_, *kernels_, *steps_);
  }

 private:
  CpuLevel level_;
  const BrgemmTiles* tiles_;
  const AttentionKernels* kernels_;
  const ScalarSteps* steps_;
};

}  // namespace

std::unique_ptr<Tactic> make_dense_attention_tactic(const CpuLevel& level) {
  return std::make_unique<DenseAttentionTactic>(level);
}

}  // namespace narae::cpu
