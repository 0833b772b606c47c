// SPDX-License-Identifier: Apache-2.0
// max_pool and avg_pool over one or two spatial axes as compiled text, plain or with channels last.
#include <optional>

#include "backend/cuda/cuda_error.h"
#include "backend/cuda/cuda_stream.h"
#include "backend/cuda/scalar_text.h"
#include "backend/cuda/tactics.h"
#include "backend/lower_scalar.h"
#include "base/error.h"
#include "ops/pool.h"

namespace narae::cuda {
namespace {

// Two spatial axes; of one axis the first has size 1.
struct Window {
  std::vector<int64_t> kernel, strides, dilations, before, after;
  bool max = false, counts_pads = false;
};

template <typename Attributes>
void take(const Attributes& a, Window& w) {
  const size_t spatial = a.kernel.size();
  w.kernel = a.kernel, w.strides = a.strides, w.dilations = a.dilations;
  w.before.assign(a.pads.begin(), a.pads.begin() + static_cast<ptrdiff_t>(spatial));
  w.after.assign(a.pads.begin() + static_cast<ptrdiff_t>(spatial), a.pads.end());
  if (spatial != 1) return;
  for (auto* list : {&w.kernel, &w.strides, &w.dilations}) list->insert(list->begin(), 1);
  for (auto* list : {&w.before, &w.after}) list->insert(list->begin(), 0);
}

std::optional<Window> window_of(const Node& node, const NodeDims& dims) {
  Window window;
  window.max = node.is("max_pool");
  if ((!window.max && !node.is("avg_pool")) || node.outputs().size() != 1) return std::nullopt;
  const DType type = node.input(0)->dtype();
  const size_t rank = dims.inputs[0].size();
  if ((type != DType::f32 && type != DType::f16 && type != DType::bf16) || rank < 3 || rank > 4) return std::nullopt;
  if (window.max) {
    take(node.attributes<MaxPoolAttributes>(), window);
  } else {
    take(node.attributes<AvgPoolAttributes>(), window);
    window.counts_pads = node.attributes<AvgPoolAttributes>().count_include_pad;
  }
  return window;
}

std::string pool_text(const Window& w, const Dims& x, const Dims& y, DType dtype, bool channels_last) {
  const int64_t height = x.size() == 4 ? x[2] : 1, width = x.back();
  const int64_t rows = y.size() == 4 ? y[2] : 1, columns = y.back(), channels = x[1];
  std::string text = scalar_prelude();
  text += fmt::format(
      "extern \"C\" __global__ void __launch_bounds__(256) body(const {0}* x, {0}* y, long long items) {{\n"
      "  const long long item = blockIdx.x * 256LL + threadIdx.x;\n  if (item >= items) return;\n"
      "  unsigned rest = static_cast<unsigned>(item);\n",
      scalar_type_text(*scalar_type(dtype)));
  if (channels_last) {
    text += fmt::format(
        "  const int c = rest % {0}; rest /= {0};\n  const int column = rest % {1}; rest /= {1};\n"
        "  const int row = rest % {2}; rest /= {2};\n  const long long base = rest * {3}LL + c;\n",
        channels, columns, rows, channels * height * width);
  } else {
    text += fmt::format(
        "  const int column = rest % {0}; rest /= {0};\n  const int row = rest % {1}; rest /= {1};\n"
        "  const long long base = rest * {2}LL;\n",
        columns, rows, height * width);
  }
  text += fmt::format("  float value = {};\n  int count = 0;\n", w.max ? "-inf()" : "0.0f");
  text += fmt::format(
      "  #pragma unroll\n  for (int i = 0; i < {0}; ++i) {{\n    const int h = row * {1} - {2} + i * {3};\n"
      "    #pragma unroll\n    for (int j = 0; j < {4}; ++j) {{\n      const int v = column * {5} - {6} + j * {7};\n",
      w.kernel[0], w.strides[0], w.before[0], w.dilations[0], w.kernel[1], w.strides[1], w.before[1], w.dilations[1]);
  text += fmt::format("      const bool inside = h >= 0 && h < {} && v >= 0 && v < {};\n", height, width);
  const std::string counted =
      w.counts_pads ? fmt::format("h < {} && v < {}", height + w.after[0], width + w.after[1]) : std::string("inside");
  const int64_t unit = channels_last ? channels : 1;
  const std::string at = fmt::format("load(x[base + (h * {}LL + v) * {}])", width, unit);
  text += "      if (" + counted + ") ++count;\n";
  text += "      if (inside) value = " + (w.max ? "s_max(value, " + at + ")" : "value + " + at) + ";\n    }\n  }\n";
  return text + (w.max ? "  store(y[item], value);\n}\n" : "  store(y[item], value / count);\n}\n");
}

class PoolKernel final : public Kernel {
 public:
  PoolKernel(TextKernels& texts, const std::string& text, int64_t items)
      : kernel_(texts.get(text, "body")), items_(items) {}
  void launch(Stream& stream, std::span<void* const> operands, void*) const override {
    void *x = operands[0], *y = operands[1];
    long long items = items_;
    void* arguments[] = {&x, &y, &items};
    check(cudaLaunchKernel(reinterpret_cast<const void*>(kernel_), dim3(static_cast<unsigned>((items_ + 255) / 256)),
                           dim3(256), arguments, 0, handle_of(stream)),
          "launching a pool");
  }

 private:
  cudaKernel_t kernel_;
  int64_t items_;
};

class PoolTactic final : public Tactic {
 public:
  explicit PoolTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "pool"; }
  Numerics numerics() const override { return {true, true, true}; }

  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!level_.texts->available() || !window_of(node, dims)) return;
    if (element_count(dims.outputs[0]) == 0 || element_count(dims.inputs[0]) == 0) return;
    out.push_back(plain_choice(this, node));
    out.push_back(plain_choice(this, node));
    out.back().inputs[0] = out.back().outputs[0] = Layout::blocked(1, static_cast<int>(dims.inputs[0][1]));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    return launch_seconds(target, 0, 1, node_bytes(node, choice, dims));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice& choice, const NodeDims& dims,
                                     Device&) const override {
    const std::optional<Window> window = window_of(node, dims);
    const int64_t items = element_count(dims.outputs[0]);
    if (!window || items > int64_t{1} << 31) fail(ErrorCode::does_not_fit, "these sizes are no pool");
    return std::make_unique<PoolKernel>(
        *level_.texts,
        pool_text(*window, dims.inputs[0], dims.outputs[0], node.input(0)->dtype(), !choice.inputs[0].is_plain()),
        items);
  }

 private:
  CudaLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_pool_tactic(const CudaLevel& level) { return std::make_unique<PoolTactic>(level); }

}  // namespace narae::cuda
