// SPDX-License-Identifier: Apache-2.0
// An ONNX file (opsets 7 to 25, github.com/onnx/onnx/blob/main/docs/Operators.md) as a Graph. Weights stay where the
// file is mapped; graph inputs are never turned into constants; nothing of the file's shapes but the inputs' is
// believed.
#pragma once

#include <memory>
#include <string>

#include "graph/graph.h"

namespace narae {

// Throws Error bad_file with the context `onnx "path" > node "name" > ...`. All operators that are missing are named in
// one error.
std::unique_ptr<Graph> import_onnx(const std::string& path, const OpTable& ops);

// The same from bytes at hand, which `owner` keeps alive; `folder` is where external data is looked for.
std::unique_ptr<Graph> import_onnx(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                                   const std::string& folder, const OpTable& ops);

}  // namespace narae
