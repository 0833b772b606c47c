// SPDX-License-Identifier: Apache-2.0
// narae explain: what the compiler did with a model and why, for the sizes it was selected for.
#include <algorithm>
#include <set>

#include "arena_svg.h"
#include "base/error.h"
#include "base/mapped_file.h"
#include "explain_json.h"
#include "explain_request.h"
#include "graph/text.h"
#include "model_flags.h"
#include "passes/pass_list.h"

namespace narae {
namespace {

struct ExplainFlags {
  ModelFlags model;
  std::string path, after, shapes, svg;
};

void check_pass_name(const std::string& name) {
  std::string known;
  for (const auto* list : {&portable_passes(), &target_passes()}) {
    for (const Pass& pass : *list) {
      if (name == pass.name) return;
      known += fmt::format("\n  {:<22} {}", pass.name, pass.description);
    }
  }
  fail(ErrorCode::usage, "there is no pass \"{}\"; there are, in this order:{}", name, known);
}

// The graph after the passes asked for, in the order they ran.
struct Snapshots {
  std::string wanted;  // a pass, "all" or nothing
  std::vector<std::pair<std::string, std::string>> graphs;

  void see(const Pass& pass, const Graph& graph) {
    if (wanted == "all" || wanted == pass.name) graphs.emplace_back(pass.name, print_graph(graph));
  }
};

// An empty graph would look like an answer.
void check_snapshots(const ExplainFlags& flags, const Snapshots& snapshots) {
  if (flags.after.empty() || !snapshots.graphs.empty()) return;
  if (recognise(flags.path) == ModelKind::engine)
    fail(ErrorCode::usage, "\"{}\" is an engine file, whose passes ran when it was built; give --after the model",
         flags.path);
  if (flags.after != "all")
    fail(ErrorCode::usage, "the pass \"{}\" did not run: --passes {} leaves it out", flags.after, flags.model.passes);
}

void say_passes(const nlohmann::ordered_json& object, Console& console) {
  console.line(object["passes"].empty() ? "passes: none ran" : "passes");
  for (const auto& pass : object["passes"]) {
    console.say("  {:<22} {:>8.2f} ms  {:>5} -> {:<5} nodes{}", pass["name"].get<std::string>(),
                pass["ms"].get<double>(), pass["nodes_before"].get<size_t>(), pass["nodes_after"].get<size_t>(),
                pass["changed"].get<bool>() ? "" : "  (no change)");
  }
  if (!object["fusions"].empty()) console.line("fusions");
  for (const auto& fusion : object["fusions"]) {
    const auto nodes = fusion["nodes"].get<std::vector<std::string>>();
    std::string names;
    for (const std::string& name : nodes) names += (names.empty() ? "" : " + ") + name;
    const bool done = fusion["done"].get<bool>();
    console.say(
        "  {:<12} {}{}", fusion["kind"].get<std::string>(), names,
        done ? " -> " + fusion["into"].get<std::string>() : ": not done, " + fusion["reason"].get<std::string>());
  }
  if (!object["bodies"].empty()) console.line("bodies (predicted times)");
  for (const auto& body : object["bodies"]) {
    auto ms = [&](const char* key) {
      return body[key].is_null() ? std::string("-") : fmt::format("{:.4f}", body[key].get<double>());
    };
    console.say("  {:<6} {} {}: whole {} ms, split {} ms", body["kept"].get<bool>() ? "kept" : "split",
                body["node"].get<std::string>(), body["kind"].get<std::string>(), ms("whole_ms"), ms("split_ms"));
  }
}

void say_tactics(const nlohmann::ordered_json& object, Console& console) {
  console.line("tactics (estimated times, but those marked measured)");
  for (const auto& node : object["tactics"]) {
    const auto aliased = node["aliased"].get<int64_t>();
    console.say("  {:<12} {:<40} {:.4f} ms{}  {}{}", node["op"].get<std::string>(), node["chosen"].get<std::string>(),
                node["ms"].get<double>(), node["measured"].get<bool>() ? " measured" : "",
                node["node"].get<std::string>(), aliased == 0 ? std::string() : fmt::format("  ({} aliased)", aliased));
    std::set<std::string> names;  // the same kernel in other layouts is slower: fastest first
    for (const auto& other : node["candidates"]) {
      if (!names.insert(other["name"].get<std::string>()).second || names.size() > 4) continue;
      console.say("      {:<48} {:.4f} ms{}  workspace {} bytes", other["name"].get<std::string>(),
                  other["ms"].get<double>(), other["measured"].get<bool>() ? " measured" : "",
                  other["workspace_bytes"].get<size_t>());
    }
    if (names.size() > 4) console.say("      .. {} more", names.size() - 4);
  }
  console.say("reformats: {}", object["reformats"].get<int>());
  std::string names;
  for (const auto& node : object["reference_nodes"]) {
    names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", node["node"].get<std::string>(),
                         node["op"].get<std::string>());
  }
  console.say("nodes on reference kernels: {}{}", object["reference_nodes"].size(), names.empty() ? "" : ": " + names);
  const auto& memory = object["memory"];
  console.say("memory: arena {} bytes (lower bound {}), weights {} bytes, {} regions",
              memory["arena_bytes"].get<int64_t>(), memory["lower_bound_bytes"].get<int64_t>(),
              memory["weights_bytes"].get<int64_t>(), memory["regions"].size());
  if (const auto states = memory["state_bytes"].get<int64_t>()) console.say("states: {} bytes at these sizes", states);
}

void write_text(const std::string& path, const std::string& text) {
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

void explain(const ExplainFlags& flags, Console& console) {
  if (!flags.after.empty() && flags.after != "all") check_pass_name(flags.after);
  Runtime runtime(runtime_options(flags.model));
  const ShapeList shapes = parse_shape_list(flags.shapes, "--shapes");
  LoadOptions options = load_options(flags.model);
  options.first_sizes = [&](const Graph& graph) { return symbol_values(graph, shapes); };
  Snapshots snapshots{flags.after, {}};
  options.compile.passes.after = [&](const Pass& pass, const Graph& graph) { snapshots.see(pass, graph); };
  CompileReport report;
  const std::shared_ptr<Engine> engine = load_watched(flags.path, runtime, options, &report);
  const LoweredEngine& lowered = engine->lowered();
  Device& device = *runtime.device();
  const Program program = make_program(*lowered.graph, lowered.selection, device, lowered.opt);
  const MeasuredCosts costs(runtime.timing_cache());
  nlohmann::ordered_json object;
  object["passes"] = passes_json(report.passes);
  object["fusions"] = fusions_json(report.passes, program);
  object["bodies"] = bodies_json(*engine);
  object["tactics"] = tactics_json(*engine, program, device, costs);
  object["reformats"] = lowered.selection.reformats;
  object["reference_nodes"] = reference_nodes_json(*engine);
  object["predicted_ms"] = lowered.selection.seconds * 1e3;
  object["sizes"] = lowered.opt;
  object["graph"] = print_graph(*lowered.graph);
  check_snapshots(flags, snapshots);
  if (!flags.after.empty()) {
    object["graph"] = snapshots.graphs.empty() ? std::string() : snapshots.graphs.back().second;
    object["graphs"] = nlohmann::ordered_json::array();
    for (const auto& [pass, text] : snapshots.graphs) object["graphs"].push_back({{"after", pass}, {"graph", text}});
    for (const auto& [pass, text] : snapshots.graphs) console.say("# after {}\n{}", pass, text);
  } else {
    say_passes(object, console);
  }
  object["memory"] = memory_json(program, *engine);
  if (flags.after.empty()) say_tactics(object, console);
  if (!flags.svg.empty()) write_text(flags.svg, arena_svg(program, flags.path));
  console.result(object);
}

}  // namespace

void add_explain(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("explain", "show passes, fusions, kernels and memory of a compiled model");
  auto flags = std::make_shared<ExplainFlags>();
  add_model(*command, flags->path, flags->model, console);
  command->add_option("--after", flags->after, "print the graph after this pass instead, or after `all` of them");
  command->add_option("--shapes", flags->shapes, "input shapes to select for, as NAME:1x3x224x224,..");
  command->add_option("--svg", flags->svg, "draw the arena over one run into this file");
  command->footer(
      "Examples:\n  narae explain inception.onnx | less\n  narae explain bert.onnx --after fuse_pointwise\n  narae "
      "explain "
      "resnet50.onnx --svg arena.svg --json > why.json\n"
      "  narae explain request http://127.0.0.1:8000 3f2a9c01d4e5b677");
  CLI::App* request = add_explain_request(*command, console);
  command->get_option("MODEL")->required(false);
  command->callback([flags, &console, request] {
    if (request->parsed()) return;
    if (flags->path.empty()) fail(ErrorCode::usage, "MODEL is required; or `request URL ID`");
    explain(*flags, console);
  });
}

}  // namespace narae
