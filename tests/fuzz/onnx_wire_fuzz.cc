// SPDX-License-Identifier: Apache-2.0
// Any bytes as an ONNX file: the reader either reads them, every tensor included, or throws narae::Error.
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "import/onnx/graph_order.h"
#include "import/onnx/model_proto.h"
#include "import/onnx/tensor_data.h"

namespace {

using namespace narae;
using namespace narae::onnx;

void read_tensors(const std::vector<TensorProto>& tensors) {
  for (const TensorProto& tensor : tensors) {
    if (tensor.external) continue;  // other files are not the fuzzer's business
    try {
      TensorSource source(nullptr, "/nonexistent");
      const TensorData data = source.read(tensor);
      volatile int sum = 0;
      for (const std::byte byte : data.bytes) sum = sum + static_cast<int>(byte);
    } catch (const Error&) {
    }
  }
}

void visit(const GraphProto& graph) {
  read_tensors(graph.initializers);
  std::vector<std::string_view> given;
  for (const ValueInfoProto& input : graph.inputs) given.push_back(input.name);
  try {
    execution_order(graph.nodes, given);
  } catch (const Error&) {
  }
  for (const NodeProto& node : graph.nodes) {
    for (const AttributeProto& attribute : node.attributes) {
      read_tensors(attribute.t);
      for (const GraphProto& inner : attribute.g) visit(inner);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  try {
    visit(read_model(bytes).graph);
  } catch (const Error&) {
  }
  try {
    read_tensors({read_tensor(bytes)});
  } catch (const Error&) {
  }
  return 0;
}
