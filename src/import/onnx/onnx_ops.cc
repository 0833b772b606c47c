// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/onnx_ops.h"

#include <algorithm>

namespace narae::onnx {

namespace {

constexpr OnnxOp table[] = {
#define ONNX_OP(name, file, function, narae_op) {#name, onnx_##function, #narae_op},
#include "import/onnx/onnx_ops.inc"
#undef ONNX_OP
};

constexpr std::string_view control_flow[] = {"If", "Loop", "Scan"};
constexpr std::string_view recurrent[] = {"LSTM", "GRU", "RNN"};
constexpr std::string_view data_dependent[] = {"NonZero", "Unique", "Compress", "NonMaxSuppression"};

template <size_t n>
bool contains(const std::string_view (&list)[n], std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

}  // namespace

const OnnxOp* find_onnx_op(std::string_view domain, std::string_view name) {
  if (!domain.empty() && domain != "ai.onnx") return nullptr;
  // The list stands in alphabetical order, which a test checks.
  const OnnxOp* found = std::lower_bound(std::begin(table), std::end(table), name,
                                         [](const OnnxOp& op, std::string_view wanted) { return op.name < wanted; });
  return found != std::end(table) && found->name == name ? found : nullptr;
}

std::string_view why_refused(std::string_view name) {
  if (contains(control_flow, name)) return "control flow";
  if (contains(recurrent, name)) return "recurrent layer";
  if (contains(data_dependent, name)) return "the size of its result depends on data";
  if (name.starts_with("Sequence") || name.starts_with("Split") || name.starts_with("Concat")) return "sequences";
  if (name.starts_with("Optional")) return "optional values";
  if (name.starts_with("String") || name.starts_with("Regex")) return "strings";
  return "";
}

}  // namespace narae::onnx
