// SPDX-License-Identifier: Apache-2.0
// Depthwise convolutions of 16-bit types with channels last, as compiled text: a thread has eight channels of a few
// neighbouring pixels, so a weight is loaded once for them. Weights lie [kernel row, column, channel].
#include <optional>

#include "backend/cuda/cuda_error.h"
#include "backend/cuda/cuda_stream.h"
#include "backend/cuda/product.h"
#include "backend/cuda/tactics.h"
#include "backend/lower_scalar.h"
#include "base/error.h"
#include "ops/conv.h"

namespace narae::cuda {
namespace {

constexpr int channels_each = 8;

struct Depthwise {
  ContractionBody body;
  Dims x, y;
  std::vector<int64_t> kernel, strides, dilations, before;
  DType type = DType::f16;
  // Of what follows, done in registers: all, where it reads nothing but the result and a bias.
  bool whole_tail = false;
};

std::optional<Depthwise> depthwise(const Node& node, const NodeDims& dims) {
  if (node.outputs().size() != 1 || !contraction_anchor(node, "conv")) return std::nullopt;
  std::optional<ContractionBody> body = product_body(node, dims, "conv", 1);
  if (!body || body->scale != 1) return std::nullopt;
  const auto& a = body->anchor->attributes<ConvAttributes>();
  Depthwise made;
  made.x = dims.inputs[static_cast<size_t>(body->operands[0])];
  made.y = body->result;
  const Dims& w = dims.inputs[static_cast<size_t>(body->operands[1])];
  made.type = node.output(0)->dtype();
  const auto type_of = [&](int i) { return node.input(static_cast<size_t>(i))->dtype(); };
  if (made.type != DType::f16 && made.type != DType::bf16) return std::nullopt;
  if (type_of(body->operands[0]) != made.type || type_of(body->operands[1]) != made.type) return std::nullopt;
  const bool each_its_own = made.x.size() == 4 && a.groups == made.x[1] && w[0] == a.groups && w[1] == 1;
  if (!each_its_own || made.x[1] % channels_each != 0 || element_count(made.y) == 0) return std::nullopt;
  made.kernel = {w[2], w[3]};
  made.strides = a.strides, made.dilations = a.dilations;
  made.before.assign(a.pads.begin(), a.pads.begin() + 2);
  if (body->operands.size() > 2 && body->operands[2] >= 0) body->bias = body->operands[2];
  if (body->bias >= 0 && type_of(body->bias) != made.type) return std::nullopt;
  made.whole_tail = body->residual < 0 && body->rest_operands.size() <= 1;
  made.body = std::move(*body);
  return made;
}

int pixels_each(const Depthwise& p) { return p.strides[1] == 1 && p.dilations[1] == 1 && p.y[3] >= 4 ? 4 : 2; }

// Items: groups of pixels times groups of channels, channels fastest.
int64_t items_of(const Depthwise& p) {
  const int64_t each = pixels_each(p);
  return p.y[0] * p.y[2] * ((p.y[3] + each - 1) / each) * (p.y[1] / channels_each);
}

std::string tail_text(const Depthwise& p, const char* type) {
  ContractionBody left = p.body;
  left.bias = -1;  // added before
  if (!p.whole_tail) {
    left.act.reset();
    left.rest = {};
  }
  std::string text = fmt::format(
      "  #pragma unroll\n  for (int j = 0; j < {0}; ++j) {{\n    if (column + j >= {1}) break;\n    Pack<{2}, {3}> "
      "out;\n"
      "    #pragma unroll\n    for (int e = 0; e < {3}; ++e) {{\n      const float r0 = sum[j][e] + {4};\n",
      pixels_each(p), p.y[3], type, channels_each, p.body.bias >= 0 ? "load(b.v[e])" : "0.0f");
  const ScalarProgram program = whole_tail(left, {{ScalarClass::full, ScalarType::f32}}, ScalarType::f32);
  for (const ScalarInstr& instr : program.body) {
    const auto r = [](uint16_t i) { return fmt::format("r{}", i); };
    text += fmt::format("      const float r{} = {};\n", instr.dst,
                        scalar_expression(instr, r(instr.a), r(instr.b), r(instr.c)));
  }
  return text +
         fmt::format(
             "      store(out.v[e], r{0});\n    }}\n"
             "    *reinterpret_cast<Pack<{1}, {2}>*>(y + (((n * {3}LL + row) * {4}LL + column + j) * {5}LL + c)) = "
             "out;\n  }}\n}}\n",
             program.outputs[0].reg, type, channels_each, p.y[2], p.y[3], p.y[1]);
}

std::string depthwise_text(const Depthwise& p) {
  const char* type = p.type == DType::f16 ? "f16" : "bf16";
  const int each = pixels_each(p);
  std::string text = scalar_prelude();
  text += fmt::format(
      "extern \"C\" __global__ void __launch_bounds__(128) body(const {0}* x, const {0}* w, const {0}* bias, {0}* y,\n"
      "    long long items) {{\n  const long long item = blockIdx.x * 128LL + threadIdx.x;\n"
      "  if (item >= items) return;\n  unsigned rest = static_cast<unsigned>(item);\n"
      "  const int c = rest % {1} * {2}; rest /= {1};\n  const int column = rest % {3} * {4}; rest /= {3};\n"
      "  const int row = rest % {5};\n  const long long n = rest / {5};\n  float sum[{4}][{2}] = {{}};\n",
      type, p.y[1] / channels_each, channels_each, (p.y[3] + each - 1) / each, each, p.y[2]);
  text += fmt::format(
      "  #pragma unroll\n  for (int i = 0; i < {0}; ++i) {{\n    const int h = row * {1} - {2} + i * {3};\n"
      "    if (h < 0 || h >= {4}) continue;\n    const {5}* line = x + (n * {4}LL + h) * {6}LL + c;\n",
      p.kernel[0], p.strides[0], p.before[0], p.dilations[0], p.x[2], type, p.x[3] * p.x[1]);
  text += fmt::format(
      "    #pragma unroll\n    for (int k = 0; k < {0}; ++k) {{\n"
      "      const auto f = *reinterpret_cast<const Pack<{1}, {2}>*>(w + (i * {0} + k) * {3} + c);\n"
      "      #pragma unroll\n      for (int j = 0; j < {4}; ++j) {{\n"
      "        const int v = (column + j) * {5} - {6} + k * {7};\n        if (v < 0 || v >= {8}) continue;\n"
      "        const auto a = *reinterpret_cast<const Pack<{1}, {2}>*>(line + v * {3}LL);\n"
      "        #pragma unroll\n        for (int e = 0; e < {2}; ++e) sum[j][e] += load(a.v[e]) * load(f.v[e]);\n"
      "      }}\n    }}\n  }}\n",
      p.kernel[1], type, channels_each, p.x[1], each, p.strides[1], p.before[1], p.dilations[1], p.x[3]);
  if (p.body.bias >= 0) {
    text += fmt::format("  const auto b = *reinterpret_cast<const Pack<{}, {}>*>(bias + c);\n", type, channels_each);
  }
  return text + tail_text(p, type);
}

class DepthwiseKernel final : public Kernel {
 public:
  DepthwiseKernel(const CudaLevel& level, const Node& node, const NodeDims& dims, const Depthwise& problem,
                  const Layout& layout)
      : level_(level),
        body_(problem.body),
        result_(node.inputs().size()),
        items_(items_of(problem)),
        kernel_(level.texts->get(depthwise_text(problem), "body")),
        tail_(*level.texts, node, dims, rest_of(problem), {true, false, false}, layout, 1) {}
  void launch(Stream& stream, std::span<void* const> operands, void*) const override {
    const auto at = [&](int i) -> void* { return i < 0 ? nullptr : operands[static_cast<size_t>(i)]; };
    void *x = at(body_.operands[0]), *w = at(body_.operands[1]), *bias = at(body_.bias), *y = operands[result_];
    long long items = items_;
    void* arguments[] = {&x, &w, &bias, &y, &items};
    check(cudaLaunchKernel(reinterpret_cast<const void*>(kernel_), dim3(static_cast<unsigned>((items_ + 127) / 128)),
                           dim3(128), arguments, 0, handle_of(stream)),
          "launching a depthwise convolution");
    tail_.launch(handle_of(stream), operands, y);
  }

 private:
  static ContractionBody rest_of(const Depthwise& problem) {
    ContractionBody body = problem.body;
    if (problem.whole_tail) {
      body.act.reset();
      body.rest = {};
    }
    return body;
  }
  CudaLevel level_;
  ContractionBody body_;
  size_t result_;
  int64_t items_;
  cudaKernel_t kernel_;
  ProductTail tail_;
};

class DepthwiseTactic final : public Tactic {
 public:
  explicit DepthwiseTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "depthwise"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!level_.texts->available()) return;
    const std::optional<Depthwise> problem = depthwise(node, dims);
    if (!problem || items_of(*problem) > int64_t{1} << 31) return;
    const auto channels = static_cast<int>(problem->x[1]);
    Choice choice = plain_choice(this, node);
    const ContractionBody& body = problem->body;
    choice.outputs[0] = Layout::blocked(1, channels);
    choice.inputs[static_cast<size_t>(body.operands[0])] = Layout::blocked(1, channels);
    choice.inputs[static_cast<size_t>(body.operands[1])] = Layout::blocked(0, channels);
    place_tail(dims, body, choice);
    out.push_back(std::move(choice));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const std::optional<Depthwise> p = depthwise(node, dims);
    if (!p) return 1;
    const double taps = static_cast<double>(p->kernel[0] * p->kernel[1] * element_count(p->y));
    return launch_seconds(target, 4 * taps, 0.4 * target.fma_flops * target.cores, node_bytes(node, choice, dims));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    const std::optional<Depthwise> problem = depthwise(node, dims);
    if (!problem) fail(ErrorCode::does_not_fit, "these sizes are no depthwise convolution");
    return std::make_unique<DepthwiseKernel>(level_, node, dims, *problem, choice.outputs[0]);
  }

 private:
  CudaLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_depthwise_tactic(const CudaLevel& level) {
  return std::make_unique<DepthwiseTactic>(level);
}

}  // namespace narae::cuda
