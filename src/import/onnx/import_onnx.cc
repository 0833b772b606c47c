// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/import_onnx.h"

#include "base/error.h"
#include "import/onnx/translate.h"

namespace narae {

namespace {

std::unique_ptr<Graph> import_from(onnx::TensorSource source, std::span<const std::byte> bytes, const OpTable& ops) {
  const onnx::ModelProto model = onnx::read_model(bytes);
  auto graph = std::make_unique<Graph>(ops, std::string(model.graph.name));
  onnx::Translation(model, source, *graph).run();
  graph->erase_dead();
  return graph;
}

}  // namespace

std::unique_ptr<Graph> import_onnx(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                                   const std::string& folder, const OpTable& ops) {
  return import_from(onnx::TensorSource(std::move(owner), folder), bytes, ops);
}

std::unique_ptr<Graph> import_onnx(const std::string& path, const OpTable& ops) {
  return with_context([&] { return fmt::format("onnx \"{}\"", path); },
                      [&] {
                        const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
                        return import_from(onnx::TensorSource(file), file->bytes(), ops);
                      });
}

}  // namespace narae
