// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "base/error.h"
#include "base/hash.h"
#include "base/mapped_file.h"
#include "engine/engine_file.h"
#include "engine/engine_format.h"
#include "graph/text.h"

namespace narae {
namespace {

class Writer {
 public:
  explicit Writer(const std::string& path) : file_(path) {
    const EngineHeader blank{};
    file_.write(&blank, sizeof blank);
  }

  // "offset bytes" of what was written.
  std::string blob(const void* data, size_t bytes) {
    file_.pad_to(bytes >= 65536 ? 4096 : 64);
    const uint64_t offset = file_.offset();
    if (bytes) file_.write(data, bytes);
    return fmt::format("{} {}", offset, bytes);
  }
  std::string text(const std::string& text) {
    return blob(text.data(), text.size()) + fmt::format(" {:016x}", hash_string(text));
  }
  void line(const std::string& line) { directory_ += line + "\n"; }

  void finish() {
    file_.pad_to(64);
    EngineHeader header{};
    std::memcpy(header.magic, engine_magic, sizeof header.magic);
    header.version = engine_version;
    header.directory_offset = file_.offset();
    header.directory_bytes = directory_.size();
    header.directory_hash = hash_string(directory_);
    file_.write(directory_.data(), directory_.size());
    header.file_bytes = file_.offset();
    file_.overwrite(0, &header, sizeof header);
    file_.commit();
  }

 private:
  AtomicFile file_;
  std::string directory_;
};

// Constants in the order of values(), which is the order they are printed in and parsed back.
std::unordered_map<const Value*, int> number_constants(const Graph& graph) {
  std::unordered_map<const Value*, int> numbers;
  for (const auto& value : graph.values()) {
    if (value->is_constant()) numbers.emplace(value.get(), static_cast<int>(numbers.size()));
  }
  return numbers;
}

std::string graph_text(const Graph& graph, const std::unordered_map<const Value*, int>& numbers) {
  PrintOptions options;
  options.leaf_name = [&](const Value& value) { return fmt::format("c{}", numbers.at(&value)); };
  return print_graph(graph, options);
}

void write_leaves(Writer& writer, const Graph& graph, const std::unordered_map<const Value*, int>& numbers) {
  const int64_t inline_limit = PrintOptions().inline_limit;
  for (const auto& value : graph.values()) {
    if (!value->is_constant() || value->tensor().count() <= inline_limit) continue;
    writer.line(
        fmt::format("leaf {} {}", numbers.at(value.get()), writer.blob(value->tensor().data, value->tensor().bytes())));
  }
}

std::string choices_text(const LoweredEngine& lowered) {
  std::string text;
  for (const Node* node = lowered.graph->first(); node; node = node->next()) {
    const NodeChoice& chosen = lowered.selection.nodes.at(node);
    const Choice& choice = chosen.choice;
    text += fmt::format("{}\t{}\t{}\t{:.9g}\t", choice.tactic->name(), choice.tactic->revision(), choice.config,
                        chosen.seconds);
    for (const Layout& layout : choice.inputs) text += layout.text() + ",";
    text += "\t";
    for (const Layout& layout : choice.outputs) text += layout.text() + ",";
    text += "\t";
    for (const std::string& pack : choice.packs) text += pack + ";";
    text += "\t";
    for (const int from : choice.in_place) text += fmt::format("{},", from);
    text += "\n";
  }
  return text;
}

void write_section(Writer& writer, const Engine& engine, Device& device) {
  const LoweredEngine& lowered = engine.lowered();
  const Program program = make_program(*lowered.graph, lowered.selection, device, lowered.opt);
  for (const ConstantUse& use : program.constants) engine.weights().get(use, lowered.selection, device);
  const auto numbers = number_constants(*lowered.graph);
  writer.line(fmt::format("section {} {} {}", lowered.target.device, lowered.target.isa,
                          writer.text(graph_text(*lowered.graph, numbers))));
  writer.line("choices " + writer.text(choices_text(lowered)));
  for (const auto& [symbol, size] : lowered.opt) writer.line(fmt::format("opt {} {}", symbol, size));
  for (const Weights::Form& form : engine.weights().forms()) {
    if (!form.tensor.data) continue;
    writer.line(fmt::format("constant {} {} {} {}", numbers.at(form.value), dtype_name(form.tensor.dtype),
                            writer.blob(form.tensor.data, form.tensor.bytes()), form.form));
  }
  // Integer contents up to 64 elements decide types while the text is read back, so their bytes must be there.
  const int64_t inline_limit = PrintOptions().inline_limit;
  for (const auto& value : lowered.graph->values()) {
    if (!value->is_constant() || is_float(value->dtype()) || value->tensor().count() <= inline_limit ||
        value->tensor().count() > 64) {
      continue;
    }
    writer.line(fmt::format("constant {} {} {} plain", numbers.at(value.get()), dtype_name(value->dtype()),
                            writer.blob(value->tensor().data, value->tensor().bytes())));
  }
}

}  // namespace

void save_engine(const Engine& engine, Device& device, const std::string& path) {
  Writer writer(path);
  const auto numbers = number_constants(engine.portable());
  writer.line("portable " + writer.text(graph_text(engine.portable(), numbers)));
  write_leaves(writer, engine.portable(), numbers);
  for (const auto& [symbol, range] : engine.profile().symbols) {
    writer.line(fmt::format("profile {} {} {} {}", symbol, range.min, range.opt, range.max));
  }
  if (engine.has_section()) write_section(writer, engine, device);
  writer.finish();
}

}  // namespace narae
