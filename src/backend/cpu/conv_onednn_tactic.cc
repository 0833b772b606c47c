// SPDX-License-Identifier: Apache-2.0
// oneDNN's direct convolution on channel blocks, as a rival of our own kernels: a task is some output channels (with
// groups: some groups) of one image, computed by a single-threaded primitive. The one thing not to get wrong: the
// packed form depends on the config and the node alone, so the config holds the image's size and the number of slices.
#include <cstdio>
#include <cstring>
#include <numeric>

#include "backend/cpu/conv_problem.h"
#include "backend/cpu/onednn_kernel.h"
#include "backend/cpu/onednn_post.h"
#include "backend/cpu/tactics.h"
#include "base/error.h"

namespace narae::cpu {
namespace {

struct Config {
  int64_t slices = 1;                      // of the output channels
  int64_t ih = 0, iw = 0, oh = 0, ow = 0;  // what the weights' form was chosen for
};

std::string config_text(const Config& c) {
  return fmt::format("slices{} {}x{} to {}x{}", c.slices, c.ih, c.iw, c.oh, c.ow);
}
Config parse_config(const std::string& text) {
  long long slices = 0, ih = 0, iw = 0, oh = 0, ow = 0;
  const int read = std::sscanf(text.c_str(), "slices%lld %lldx%lld to %lldx%lld", &slices, &ih, &iw, &oh, &ow);
  if (read != 5 || slices < 1) fail(ErrorCode::bad_file, "a oneDNN convolution's config cannot be read: \"{}\"", text);
  return {slices, ih, iw, oh, ow};
}

bool is_dense(const ConvShape& s) { return s.groups == 1; }
// One filter per channel: whole blocks of channels are cut; else groups, or blocks of output channels.
bool one_filter_each(const ConvShape& s) { return s.groups == s.ic && s.groups == s.oc; }

// Pieces of the output channels that can be computed apart, and the channels of each.
int64_t unit_channels(const ConvShape& s, int64_t block) {
  return is_dense(s) || one_filter_each(s) ? block : s.oc / s.groups;
}

struct Slice {
  int64_t first = 0, channels = 0;  // of the output
};
std::vector<Slice> slices_of(const ConvShape& s, int64_t block, int64_t count) {
  const int64_t unit = unit_channels(s, block);
  const int64_t each = ceil_div(ceil_div(s.oc, unit), count) * unit;
  std::vector<Slice> slices;
  for (int64_t first = 0; first < s.oc; first += each) slices.push_back({first, std::min(each, s.oc - first)});
  return slices;
}

// The slice as oneDNN's problem.
OnednnConv slice_problem(const ConvShape& s, const Slice& slice, int64_t block) {
  OnednnConv c;
  const int64_t groups = is_dense(s) ? 1 : slice.channels / (s.oc / s.groups);
  c.ic = is_dense(s) ? s.ic : groups * (s.ic / s.groups);
  c.oc = slice.channels, c.groups = groups;
  c.ih = s.ih, c.iw = s.iw, c.oh = s.oh, c.ow = s.ow, c.kh = s.kh, c.kw = s.kw;
  c.stride_h = s.stride_h, c.stride_w = s.stride_w, c.dilation_h = s.dilation_h, c.dilation_w = s.dilation_w;
  c.pad_top = s.pad_top, c.pad_left = s.pad_left;
  c.block = block, c.plain_input = s.plain_input;
  return c;
}

ConvShape packing_shape_of(ConvShape shape, const Config& config) {
  shape.n = 1, shape.ih = config.ih, shape.iw = config.iw, shape.oh = config.oh, shape.ow = config.ow;
  return shape;
}

// Bytes between the slices' packed weights.
size_t slice_bytes(const OnednnTable& table, const ConvShape& packing, const std::vector<Slice>& slices,
                   int64_t block) {
  size_t bytes = table.conv_weights_bytes(slice_problem(packing, slices.front(), block));
  const size_t last = table.conv_weights_bytes(slice_problem(packing, slices.back(), block));
  return bytes && last ? std::max(bytes, last) : 0;
}

class OnednnConvKernel final : public OnednnKernel {
 public:
  OnednnConvKernel(int threads, const Node& node, ConvProblem problem, const Config& config, const OnednnPost& post,
                   const OnednnTable& table)
      : OnednnKernel(threads, table), problem_(std::move(problem)), output_(node.inputs().size()) {
    const ConvShape& shape = problem_.shape;
    const int64_t block = problem_.out.block;
    slices_ = slices_of(shape, block, config.slices);
    const ConvShape packing = packing_shape_of(shape, config);
    weights_bytes_ = slice_bytes(table, packing, slices_, block);
    if (!weights_bytes_) fail(ErrorCode::failed, "oneDNN refuses this convolution");
    const auto add = [&](const Slice& slice) {
      const OnednnConv own = slice_problem(shape, slice, block);
      add_plan(table.make_conv(own, slice_problem(packing, slice, block), post, tasks()), "convolution");
    };
    add(slices_.front());
    if (slices_.back().channels != slices_.front().channels) add(slices_.back());
  }

 protected:
  int64_t tasks() const override { return problem_.shape.n * static_cast<int64_t>(slices_.size()); }
  bool run_task(std::span<void* const> operands, void* scratch, int64_t task) const override {
    const ConvShape& s = problem_.shape;
    const auto count = static_cast<int64_t>(slices_.size()), index = task % count, image = task / count;
    const Slice& slice = slices_[static_cast<size_t>(index)];
    const int64_t block = problem_.out.block, pixels = s.oh * s.ow;
    const int64_t channels_in = s.plain_input ? s.ic : round_up(s.ic, block);
    const int64_t first_in = is_dense(s) ? 0 : slice.first / (s.oc / s.groups) * (s.ic / s.groups);
    const float* in = at(operands, static_cast<int>(problem_.x)) + (image * channels_in + first_in) * s.ih * s.iw;
    const int64_t offset = (image * round_up(s.oc, block) + slice.first) * pixels;
    float* out = static_cast<float*>(operands[output_]) + offset;
    if (problem_.body.residual >= 0) {
      const float* residual = at(operands, problem_.body.residual) + offset;
      const auto bytes = static_cast<size_t>(round_up(slice.channels, block) * pixels) * sizeof(float);
      if (residual != out) std::memcpy(out, residual, bytes);
    }
    const auto* weights = static_cast<const std::byte*>(operands[problem_.weights]);
    const float* bias = problem_.bias >= 0 ? at(operands, problem_.bias) + slice.first : nullptr;
    weights += static_cast<size_t>(index) * weights_bytes_;
    return table_.run(plan(index + 1 == count), task, in, weights, bias, out, scratch);
  }

 private:
  const float* at(std::span<void* const> operands, int i) const {
    return static_cast<const float*>(operands[static_cast<size_t>(i)]);
  }
  ConvProblem problem_;
  size_t output_, weights_bytes_ = 0;
  std::vector<Slice> slices_;
};

class ConvOnednnTactic final : public Tactic {
 public:
  explicit ConvOnednnTactic(CpuLevel level) : level_(std::move(level)), tiles_(brgemm_tiles(level_.isa)) {}
  const char* name() const override { return "conv_onednn"; }
  Numerics numerics() const override { return {true, false, false}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!level_.onednn || node.outputs().size() != 1 || (tiles_->lanes != 8 && tiles_->lanes != 16)) return;
    for (const bool plain : {false, true}) {
      const std::optional<ConvProblem> problem = problem_of(node, dims, plain);
      if (!problem || !level_.onednn->table()) continue;
      const ConvShape& s = problem->shape;
      const int64_t units = ceil_div(s.oc, unit_channels(s, tiles_->lanes));
      const int64_t evenly = level_.threads / std::gcd<int64_t>(s.n, level_.threads);
      offer(node, dims, *problem, std::min(units, evenly), out);
      if (units >= evenly * 8) offer(node, dims, *problem, evenly * 2, out);
    }
  }

  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const ConvProblem problem = chosen(node, choice, dims);
    const ConvShape& s = problem.shape;
    if (one_filter_each(s)) return onednn_handicap * depthwise_seconds(problem, node_bytes(node, choice, dims), target);
    ConvConfig like;
    const bool pointwise = s.kh == 1 && s.kw == 1 && s.stride_h == 1 && s.stride_w == 1 && s.oh == s.ih && s.ow == s.iw;
    like.algorithm = pointwise ? ConvAlgorithm::pointwise : ConvAlgorithm::direct;
    return onednn_handicap * conv_seconds(problem, like, dims, true, *tiles_, target);
  }

  Tensor pack(const Node& node, const Choice& choice, size_t, const Tensor& constant, const Target&) const override {
    const OnednnTable& table = require_table(level_);
    const Config config = parse_config(choice.config);
    const Node& anchor = *contraction_anchor(node, "conv");
    const size_t x = choice_image(node, anchor);
    const bool plain = choice.inputs[x].is_plain();
    const ConvShape shape = packing_shape_of(packing_shape(anchor, constant.dims, tiles_->lanes, plain), config);
    const std::vector<Slice> slices = slices_of(shape, tiles_->lanes, config.slices);
    const size_t bytes = slice_bytes(table, shape, slices, tiles_->lanes);
    if (!bytes) fail(ErrorCode::failed, "oneDNN refuses this convolution");
    Tensor packed = Tensor::allocate(DType::u8, {static_cast<int64_t>(bytes * slices.size())});
    if (!constant.data) return packed;
    std::memset(packed.data, 0, packed.bytes());
    const int64_t filter = shape.ic / shape.groups * shape.kh * shape.kw;
    for (size_t i = 0; i < slices.size(); ++i) {
      const OnednnConv problem = slice_problem(shape, slices[i], tiles_->lanes);
      const float* weights = constant.as<float>() + slices[i].first * filter;
      if (!table.pack_conv(problem, weights, packed.as<std::byte>() + i * bytes)) {
        fail(ErrorCode::failed, "oneDNN could not pack the weights of this convolution");
      }
    }
    return packed;
  }

  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    ConvProblem problem = chosen(node, choice, dims);
    const std::optional<OnednnPost> post = onednn_post(problem.body, problem.bias >= 0);
    require_covered(post.has_value(), node);
    return std::make_unique<OnednnConvKernel>(level_.threads, node, std::move(problem), parse_config(choice.config),
                                              *post, require_table(level_));
  }

 private:
  // The node operand that is the image.
  static size_t choice_image(const Node& node, const Node& anchor) {
    const std::vector<Value*>& all = node.is("fused") ? node.bodies()[0]->inputs() : node.inputs();
    return static_cast<size_t>(std::find(all.begin(), all.end(), anchor.input(0)) - all.begin());
  }

  std::optional<ConvProblem> problem_of(const Node& node, const NodeDims& dims, bool plain) const {
    std::optional<ConvProblem> problem = conv_problem(node, dims, "conv", tiles_->lanes, plain);
    if (!problem || !node.input(problem->weights)->is_constant()) return std::nullopt;
    const ConvShape& s = problem->shape;
    const int64_t block = tiles_->lanes;
    if (s.merged > 1) return std::nullopt;  // groups of parts of blocks
    // A plain image pays for few channels only, and few channels in a block only waste it.
    if (plain ? s.ic > block / 2 || s.groups > 1 : s.groups == 1 && s.ic <= block / 2) return std::nullopt;
    const bool whole_blocks = s.ic / s.groups % block == 0 && s.oc / s.groups % block == 0;
    if (!is_dense(s) && !one_filter_each(s) && !whole_blocks) return std::nullopt;
    // Rows or columns of nothing but padding.
    const bool all_padding = s.pad_top > (s.kh - 1) * s.dilation_h || s.pad_left > (s.kw - 1) * s.dilation_w;
    if (all_padding || !onednn_post(problem->body, problem->bias >= 0)) return std::nullopt;
    return problem;
  }

  ConvProblem chosen(const Node& node, const Choice& choice, const NodeDims& dims) const {
    return chosen_conv(node, choice, dims, "conv", tiles_->lanes);
  }

  void offer(const Node& node, const NodeDims& dims, const ConvProblem& problem, int64_t slices,
             std::vector<Choice>& out) const {
    const ConvShape& s = problem.shape;
    Choice choice = plain_choice(this, node, config_text({slices, s.ih, s.iw, s.oh, s.ow}));
    place_conv(problem, dims, choice);
    choice.packs[problem.weights] =
        fmt::format("onednn {} {} s{}x{} d{}x{} p{}x{} g{} c{}{}", level_.onednn->table()->version, choice.config,
                    s.stride_h, s.stride_w, s.dilation_h, s.dilation_w, s.pad_top, s.pad_left, s.groups, tiles_->lanes,
                    s.plain_input ? " plain" : "");
    // oneDNN adds to what the result's memory holds; never in the image's, which other slices still read.
    if (problem.body.residual >= 0 && problem.body.residual != static_cast<int>(problem.x))
      choice.in_place[0] = problem.body.residual;
    out.push_back(std::move(choice));
  }

  CpuLevel level_;
  const BrgemmTiles* tiles_;
};

}  // namespace

std::unique_ptr<Tactic> make_conv_onednn_tactic(const CpuLevel& level) {
  return std::make_unique<ConvOnednnTactic>(level);
}

}  // namespace narae::cpu
