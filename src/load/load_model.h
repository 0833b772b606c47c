// SPDX-License-Identifier: Apache-2.0
// A path -> an Engine that runs on the runtime's device, whatever kind of file it is. The kind is told by the content,
// never by the name.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "compile/compiler.h"
#include "import/arch/import_model.h"
#include "load/shape_list.h"

namespace narae {

enum class ModelKind : uint8_t { onnx, engine, gguf, folder };  // folder: Hugging Face's, with config.json

// Throws Error bad_file for a missing file and what is none of these.
ModelKind recognise(const std::string& path);

struct LoadOptions {
  CompileOptions compile;  // its profile and sizes come from what follows
  ModelOptions model;      // of a GGUF file or a Hugging Face folder
  ShapeRanges shapes;      // the profile of a model that is compiled; an engine file has its own
  // Sizes to select for where the profile says nothing, told from the imported graph; null: usual ones.
  std::function<SymbolValues(const Graph&)> first_sizes;
  // Changes the imported graph before any pass, such as marking values as outputs; not for an engine file.
  std::function<void(Graph&)> edit;
};

// Compiles a model or maps an engine file, which is planned anew where it holds nothing for this device. Its weights
// are taken from the runtime's memory account, so the runtime must outlive it. Throws bad_file, usage for shapes given
// with an engine file, and what compile() throws.
std::shared_ptr<Engine> load_model(const std::string& path, Runtime& runtime, const LoadOptions& options = {},
                                   CompileReport* report = nullptr);

}  // namespace narae
