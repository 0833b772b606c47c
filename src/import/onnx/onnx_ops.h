// SPDX-License-Identifier: Apache-2.0
// The table of ONNX operators, made from onnx_ops.inc. Nothing else lists them.
#pragma once

#include <string_view>

#include "import/onnx/onnx_node.h"

namespace narae::onnx {

struct OnnxOp {
  std::string_view name;
  Results (*import)(OnnxNode&);
  std::string_view narae_op;
};

// nullptr: Narae does not know the operator. `domain` "" is ai.onnx.
const OnnxOp* find_onnx_op(std::string_view domain, std::string_view name);

// Why an operator that Narae leaves out on purpose is not there ("" for others).
std::string_view why_refused(std::string_view name);

#define ONNX_OP(name, file, function, narae_op) Results onnx_##function(OnnxNode&);
#include "import/onnx/onnx_ops.inc"
#undef ONNX_OP

}  // namespace narae::onnx
