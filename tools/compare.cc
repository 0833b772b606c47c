// SPDX-License-Identifier: Apache-2.0
// narae compare: a model's outputs against another runtime's, another engine's or stored arrays. Where they differ, the
// model runs once more with every value kept, and the first one that differs is named.
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "difference.h"
#include "model_flags.h"
#include "npy_tensor.h"
#include "ops/interpret.h"
#include "run_onnxruntime.h"

namespace narae {
namespace {

constexpr double usual_abs = 1e-6;  // rounding of values near 0, which no relative error bears
constexpr double quantized_rel_l2 =
    1e-2;  // what models with Q/DQ nodes agree to: a rounding to 8 bits may fall otherwise

struct CompareFlags {
  ModelFlags model;
  std::string path, against, python;
  std::vector<std::string> inputs;
  double rel_l2 = 1e-5;
  std::optional<double> abs;  // else usual_abs, or 0 where --rel-l2 0 wants the same bits
  double most_abs() const { return abs.value_or(rel_l2 > 0 ? usual_abs : 0); }
  bool differs(const Difference& d) const { return !(d.rel_l2 <= rel_l2 || d.max_abs <= most_abs()); }
};

bool is_quantized(const Graph& graph) {
  for (const Node* node = graph.first(); node; node = node->next()) {
    if (node->is("quantize") || node->is("dynamic_quantize_linear")) return true;
  }
  return false;
}

struct Divergence {
  std::string node, value;
  double rel_l2 = 0;
  std::string note;
};

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(std::filesystem::temp_directory_path() / fmt::format("narae-compare-{}", ::getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

class Comparison {
 public:
  Comparison(const CompareFlags& flags, Console& console)
      : flags_(flags), console_(console), runtime_(runtime_options(flags.model)) {}

  void run() {
    const auto engine = load(flags_.path, {});
    const auto got = outputs_of(engine);
    const auto want = wanted(engine->portable());
    auto list = nlohmann::ordered_json::array();
    std::optional<size_t> first;
    for (size_t i = 0; i < got.size(); ++i) {
      const Difference d = difference(got[i], want[i]);
      const bool differs = flags_.differs(d);
      if (differs && !first) first = i;
      list.push_back({{"name", engine->portable().output_names()[i]}, {"rel_l2", d.rel_l2}, {"max_abs", d.max_abs}});
      if (!d.note.empty()) list.back()["note"] = d.note;
      console_.say("{}: relative L2 {:.3g}, largest difference {:.3g}{}{}{}", engine->portable().output_names()[i],
                   d.rel_l2, d.max_abs, d.note.empty() ? "" : ", ", d.note, differs ? "  DIFFERS" : "");
    }
    nlohmann::ordered_json object;
    object["outputs"] = std::move(list);
    object["first_divergence"] = nullptr;
    if (first) {
      const Divergence d = locate(*engine, *first, difference(got[*first], want[*first]).rel_l2);
      object["first_divergence"] = {{"node", d.node}, {"value", d.value}, {"rel_l2", d.rel_l2}};
      if (!d.note.empty()) object["first_divergence"]["note"] = d.note;
      console_.say("first divergence: node {}, value {}, relative L2 {:.3g}{}{}", d.node, d.value, d.rel_l2,
                   d.note.empty() ? "" : "; ", d.note);
      console_.exit_code = static_cast<int>(ErrorCode::differs);
      if (is_quantized(engine->portable()) && flags_.rel_l2 < quantized_rel_l2) {
        const std::string hint = fmt::format(
            "the model quantises to 8 bits, where a rounding may fall otherwise: --rel-l2 {:g} is what such "
            "models agree to",
            quantized_rel_l2);
        object["hint"] = hint;
        console_.say("{}", hint);
      }
    }
    console_.result(object);
  }

 private:
  std::shared_ptr<Engine> load(const std::string& path, std::function<void(Graph&)> edit) {
    LoadOptions options = load_options(flags_.model);
    options.first_sizes = [&](const Graph& graph) {
      refuse_decoder(graph, path);
      return bind_symbols(graph, load_inputs(graph, flags_.inputs));
    };
    options.edit = std::move(edit);
    auto engine = load_watched(path, runtime_, options);
    refuse_decoder(engine->portable(), path);
    return engine;
  }

  std::vector<Tensor> outputs_of(const std::shared_ptr<Engine>& engine) {
    return make_session(engine, runtime_)->run(load_inputs(engine->portable(), flags_.inputs));
  }

  // What the outputs should be, in the model's order.
  std::vector<Tensor> wanted(const Graph& graph) {
    std::vector<Tensor> want;
    if (flags_.against == "onnxruntime") {
      if (recognise(flags_.path) != ModelKind::onnx)
        fail(ErrorCode::usage, "onnxruntime reads ONNX only: give the model that \"{}\" was built from", flags_.path);
      foreign_ = run_onnxruntime(flags_.path, flags_.inputs, folder_.path(), flags_.python);
      for (const std::string& file : foreign_.outputs) want.push_back(load_tensor(file));
    } else if (std::filesystem::is_directory(flags_.against)) {
      for (size_t i = 0; i < graph.outputs().size(); ++i)
        want.push_back(load_tensor(fmt::format("{}/{}.npy", flags_.against, i)));
    } else {
      want = outputs_of(load(flags_.against, {}));
    }
    if (want.size() != graph.outputs().size()) {
      fail(ErrorCode::differs, "\"{}\" has {} outputs, the model {}", flags_.against, want.size(),
           graph.outputs().size());
    }
    return want;
  }

  Divergence locate(const Engine& engine, size_t output, double rel_l2) {
    const Value& value = *engine.portable().outputs()[output];
    Divergence at{value.producer() ? value.producer()->label() : std::string(),
                  engine.portable().output_names()[output],
                  rel_l2,
                  {}};
    if (foreign_.values.empty()) return at;
    if (auto inner = first_inner()) return *inner;
    at.note = "no single value differs when all are kept: look at what is fused there (narae explain)";
    return at;
  }

  // Keeps every value that the other runtime has too, and compares them in order.
  std::optional<Divergence> first_inner() {
    std::unordered_map<std::string, const ForeignValue*> theirs;
    for (const ForeignValue& value : foreign_.values) theirs.emplace(value.name, &value);
    std::vector<const ForeignValue*> kept;
    size_t outputs = 0;
    const auto engine = load(flags_.path, [&](Graph& graph) {
      outputs = graph.outputs().size();
      for (Node* node = graph.first(); node; node = node->next()) {
        for (Value* value : node->outputs()) {
          const auto it = theirs.find(value->name());
          if (it == theirs.end() || graph.is_output(value)) continue;
          value->set_keep(true);
          graph.add_output(value, value->name());
          kept.push_back(it->second);
        }
      }
    });
    const std::vector<Tensor> all = outputs_of(engine);
    for (size_t i = 0; i < kept.size(); ++i) {
      const Difference d = difference(all[outputs + i], load_tensor(kept[i]->file));
      if (flags_.differs(d)) return Divergence{kept[i]->node, kept[i]->name, d.rel_l2, d.note};
    }
    return std::nullopt;
  }

  const CompareFlags& flags_;
  Console& console_;
  Runtime runtime_;
  TemporaryFolder folder_;
  ForeignResults foreign_;
};

}  // namespace

void add_compare(CLI::App& app, Console& console) {
  CLI::App* command =
      app.add_subcommand("compare", "set a model's outputs beside another runtime's, engine's or files'");
  auto flags = std::make_shared<CompareFlags>();
  add_model(*command, flags->path, flags->model, console);
  command
      ->add_option("--against", flags->against, "onnxruntime, a model or engine file, or a folder of 0.npy, 1.npy ..")
      ->required();
  command->add_option("--input", flags->inputs, "NAME=F.npy for each input; just F.npy where there is only one")
      ->take_all();
  command->add_option("--rel-l2", flags->rel_l2, "largest relative L2 error of an output that still passes")
      ->check(number_between(0, 1e30))
      ->capture_default_str();
  command
      ->add_option("--abs", flags->abs,
                   "an output whose largest difference is at most this passes, too (1e-6; with --rel-l2 0: 0)")
      ->check(number_between(0, 1e30));
  command->add_option("--python", flags->python,
                      "interpreter with onnxruntime; else the one that `make setup` made, or python3");
  command->footer(
      "Exit code 5 when an output differs by more than --rel-l2 and --abs; the first value inside the model that does "
      "is named.\n"
      "Examples:\n  narae compare det.onnx --against onnxruntime --input x=x.npy\n  narae compare det.onnx --against "
      "det.narae --input x=x.npy --rel-l2 0");
  command->callback([flags, &console] { Comparison(*flags, console).run(); });
}

}  // namespace narae
