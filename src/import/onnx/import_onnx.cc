// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/import_onnx.h"

#include <filesystem>

#include "base/error.h"
#include "import/onnx/translate.h"

namespace narae {

std::unique_ptr<Graph> import_onnx(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                                   const std::string& folder, const OpTable& ops) {
  const onnx::ModelProto model = onnx::read_model(bytes);
  onnx::TensorSource source(std::move(owner), folder);
  auto graph = std::make_unique<Graph>(ops, std::string(model.graph.name));
  onnx::Translation(model, source, *graph).run();
  graph->erase_dead();
  return graph;
}

std::unique_ptr<Graph> import_onnx(const std::string& path, const OpTable& ops) {
  return with_context([&] { return fmt::format("onnx \"{}\"", path); },
                      [&] {
                        const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
                        const std::string folder = std::filesystem::path(path).parent_path().string();
                        return import_onnx(file->bytes(), file, folder.empty() ? "." : folder, ops);
                      });
}

}  // namespace narae
