// SPDX-License-Identifier: Apache-2.0
#include "load/load_model.h"

#include <cstring>
#include <filesystem>

#include "base/clock.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "engine/engine_file.h"
#include "import/arch/import_model.h"
#include "import/onnx/import_onnx.h"

namespace narae {
namespace {

// ModelProto has fields 1 to 25, each a number or bytes; a file of another kind seldom begins with such a tag, and the
// wire reader finds out for certain.
bool may_be_onnx(std::span<const std::byte> bytes) {
  if (bytes.empty()) return false;
  const auto tag = static_cast<unsigned>(bytes[0]);
  const unsigned field = tag >> 3, wire = tag & 7;
  return (field >= 1 && field <= 15 && (wire == 0 || wire == 2)) || tag == 0xa2;
}

bool begins_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

// Eight bytes that say how long the JSON behind them is.
bool may_be_safetensors(std::span<const std::byte> bytes) {
  uint64_t length = 0;
  if (bytes.size() < 10) return false;
  std::memcpy(&length, bytes.data(), 8);
  return length >= 2 && length <= bytes.size() - 8 && begins_with(bytes.subspan(8), "{");
}

std::shared_ptr<Engine> compile_model(ModelKind kind, const std::string& path, Runtime& runtime,
                                      const LoadOptions& options, CompileReport* report) {
  const double start = now_seconds();
  std::unique_ptr<Graph> graph =
      kind == ModelKind::onnx ? import_onnx(path, runtime.ops()) : import_model(path, runtime.ops(), options.model);
  if (kind != ModelKind::onnx) {  // an engine file made of it finds its tokenizer there
    graph->metadata().emplace_back("source", std::filesystem::absolute(path).lexically_normal().string());
  }
  return with_context([&] { return fmt::format("{} \"{}\"", kind == ModelKind::onnx ? "onnx" : "model", path); },
                      [&] {
                        CompileOptions compile_options = options.compile;
                        compile_options.profile = make_profile(*graph, options.shapes);
                        if (options.first_sizes) compile_options.sizes = options.first_sizes(*graph);
                        if (options.edit) options.edit(*graph);
                        auto engine = compile(std::move(graph), runtime, compile_options, report);
                        engine->set_build_seconds(now_seconds() - start);
                        return engine;
                      });
}

std::shared_ptr<Engine> open_engine(const std::string& path, Runtime& runtime, const LoadOptions& options,
                                    CompileReport* report) {
  if (!options.shapes.empty()) {
    fail(ErrorCode::usage, "\"{}\" is an engine file, whose shapes were fixed when it was built; give them to build",
         path);
  }
  std::shared_ptr<Engine> engine = load_engine(path, runtime);
  if (engine->has_section()) return engine;
  return with_context([&] { return fmt::format("engine \"{}\"", path); },
                      [&] {
                        CompileOptions compile_options = options.compile;
                        if (options.first_sizes) compile_options.sizes = options.first_sizes(engine->portable());
                        add_section(*engine, runtime, compile_options, report);
                        return engine;
                      });
}

}  // namespace

ModelKind recognise(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    if (std::filesystem::exists(std::filesystem::path(path) / "config.json", ignored)) return ModelKind::folder;
    fail(ErrorCode::bad_file, "folder \"{}\" holds no config.json, so it is no Hugging Face model", path);
  }
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  const std::span<const std::byte> bytes = file->bytes();
  if (is_engine_file(bytes)) return ModelKind::engine;
  if (begins_with(bytes, "GGUF")) return ModelKind::gguf;
  if (may_be_safetensors(bytes)) {
    fail(ErrorCode::bad_file, "\"{}\" holds weights alone; give its folder, where config.json says what they are",
         path);
  }
  if (may_be_onnx(bytes)) return ModelKind::onnx;
  fail(ErrorCode::bad_file, "\"{}\" is neither an ONNX model nor a GGUF nor a Narae engine file{}", path,
       bytes.empty() ? ": it is empty" : "");
}

std::shared_ptr<Engine> load_model(const std::string& path, Runtime& runtime, const LoadOptions& options,
                                   CompileReport* report) {
  const ModelKind kind = recognise(path);
  auto engine = kind == ModelKind::engine ? open_engine(path, runtime, options, report)
                                          : compile_model(kind, path, runtime, options, report);
  engine->weights().set_budget(&runtime.budget());
  with_context([&] { return fmt::format("\"{}\"", path); },
               [&] {
                 const LoweredEngine& lowered = engine->lowered();
                 engine->weights().load_all(*lowered.graph, lowered.selection, *runtime.device());
               });
  return engine;
}

}  // namespace narae
