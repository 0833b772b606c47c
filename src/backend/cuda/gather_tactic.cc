// SPDX-License-Identifier: Apache-2.0
// gather as compiled text: one item copies a vector of a row. An index that lies outside cannot be reported from here:
// its row becomes zeros.
#include "backend/cuda/cuda_error.h"
#include "backend/cuda/cuda_stream.h"
#include "backend/cuda/scalar_text.h"
#include "backend/cuda/tactics.h"
#include "base/error.h"
#include "ops/gather.h"

namespace narae::cuda {
namespace {

struct Rows {
  int64_t count = 0, size = 0, inner = 1, outer = 1;  // indices; sizes of the axis, behind it, before it
};

Rows rows_of(const Node& node, const NodeDims& dims) {
  const Dims& x = dims.inputs[0];
  int64_t axis = node.attributes<GatherAttributes>().axis;
  if (axis < 0) axis += static_cast<int64_t>(x.size());
  Rows rows;
  rows.count = element_count(dims.inputs[1]);
  for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
    if (i == axis) {
      rows.size = x[static_cast<size_t>(i)];
    } else {
      (i < axis ? rows.outer : rows.inner) *= x[static_cast<size_t>(i)];
    }
  }
  return rows;
}

class GatherKernel final : public Kernel {
 public:
  GatherKernel(TextKernels& texts, const Rows& rows, size_t element_bytes, bool wide_indices) {
    const size_t row_bytes = static_cast<size_t>(rows.inner) * element_bytes;
    size_t unit = 16;  // the largest vector that rows are made of
    while (row_bytes % unit != 0) unit /= 2;
    items_ = rows.outer * rows.count * static_cast<int64_t>(row_bytes / unit);
    const std::string type = unit == 16 ? "Pack<raw8, 2>" : fmt::format("raw{}", unit);
    const std::string text = fmt::format(
        "{0}extern \"C\" __global__ void __launch_bounds__(256) body(const {1}* x, const {2}* indices, {1}* y,\n"
        "    long long items, unsigned count) {{\n"
        "  const long long item = blockIdx.x * 256LL + threadIdx.x;\n  if (item >= items) return;\n"
        "  const unsigned place = static_cast<unsigned>(item) % {3}u, row = static_cast<unsigned>(item) / {3}u;\n"
        "  long long index = indices[row % count];\n  if (index < 0) index += {4};\n  {1} value = {{}};\n"
        "  if (index >= 0 && index < {4}) value = x[(row / count * {4}LL + index) * {3}LL + place];\n"
        "  y[item] = value;\n}}\n",
        scalar_prelude(), type, wide_indices ? "i64" : "i32", row_bytes / unit, rows.size);
    if (items_ > int64_t{1} << 31) fail(ErrorCode::does_not_fit, "too many rows to gather");
    count_ = static_cast<unsigned>(rows.count);
    kernel_ = texts.get(text, "body");
  }
  void launch(Stream& stream, std::span<void* const> operands, void*) const override {
    void *x = operands[0], *indices = operands[1], *y = operands[2];
    long long items = items_;
    unsigned count = count_;
    void* arguments[] = {&x, &indices, &y, &items, &count};
    check(cudaLaunchKernel(reinterpret_cast<const void*>(kernel_), dim3(static_cast<unsigned>((items_ + 255) / 256)),
                           dim3(256), arguments, 0, handle_of(stream)),
          "launching a gather");
  }

 private:
  cudaKernel_t kernel_ = nullptr;
  int64_t items_ = 0;
  unsigned count_ = 1;
};

class GatherTactic final : public Tactic {
 public:
  explicit GatherTactic(CudaLevel level) : level_(std::move(level)) {}
  const char* name() const override { return "gather"; }
  Numerics numerics() const override { return {true, true, true}; }
  void propose(const Node& node, const NodeDims& dims, const Target&, std::vector<Choice>& out) const override {
    if (!node.is("gather") || !level_.texts->available()) return;
    const DType index = node.input(1)->dtype();
    if ((index != DType::i32 && index != DType::i64) || element_count(dims.outputs[0]) == 0) return;
    const size_t bytes = dtype_size(node.input(0)->dtype());
    if (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8) out.push_back(plain_choice(this, node));
  }
  double estimate(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) const override {
    const auto bytes = static_cast<double>(dtype_size(node.output(0)->dtype()));
    return launch_seconds(target, 0, 1, 2 * bytes * static_cast<double>(element_count(dims.outputs[0])));
  }
  std::unique_ptr<Kernel> specialise(const Node& node, const Choice&, const NodeDims& dims, Device&) const override {
    return std::make_unique<GatherKernel>(*level_.texts, rows_of(node, dims), dtype_size(node.input(0)->dtype()),
                                          node.input(1)->dtype() == DType::i64);
  }

 private:
  CudaLevel level_;
};

}  // namespace

std::unique_ptr<Tactic> make_gather_tactic(const CudaLevel& level) { return std::make_unique<GatherTactic>(level); }

}  // namespace narae::cuda
