// SPDX-License-Identifier: Apache-2.0
#include "model_flags.h"

#include <charconv>
#include <cstdlib>

#include "backend/backends.h"
#include "base/error.h"
#include "load/model_facts.h"

namespace narae {
namespace {

// Where people keep caches: the environment is read in tools/ only.
std::string default_cache_dir() {
  if (const char* own = std::getenv("NARAE_CACHE_DIR")) return own;
  if (const char* caches = std::getenv("XDG_CACHE_HOME"); caches && *caches) return std::string(caches) + "/narae";
  if (const char* home = std::getenv("HOME"); home && *home) return std::string(home) + "/.cache/narae";
  return {};
}

std::string device_names() {
  std::string names;
  for (const Backend& backend : backends()) names += std::string(names.empty() ? "" : ", ") + backend.name;
  return names;
}

}  // namespace

void add_model_flags(CLI::App& app, ModelFlags& flags, Console& console) {
  constexpr const char* group = "Machine and compiler";
  flags.cache_dir = default_cache_dir();
  app.add_flag("--json", console.json, "one JSON object on stdout, all else on stderr");
  app.add_option("--device", flags.device, "what to run on: " + device_names() + "; NAME:N picks one of several")
      ->group(group)
      ->capture_default_str();
  app.add_option("--threads", flags.threads, "cores of one instance; 0: all usable ones, shared by the instances")
      ->group(group)
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--isa", flags.isa, "instruction set to use at most (`narae devices` lists them); auto: the best")
      ->group(group)
      ->capture_default_str();
  app.add_option("--precision", flags.precision, "what products and convolutions compute in, where the device can")
      ->check(CLI::IsMember({"fp32", "tf32", "fp16", "bf16"}))
      ->group(group)
      ->capture_default_str();
  for (const Backend& backend : backends()) {
    if (!backend.takes_libraries) continue;
    app.add_option(fmt::format("--{}-libs", backend.name), flags.library_dirs,
                   fmt::format("folders (DIR:DIR) where libraries of {} are looked for first", backend.name))
        ->group(group);
  }
  app.add_option("--activations", flags.activations,
                 "products with weights in blocks (GGUF) bring the other side to 8 bits, or leave it in f32: slower")
      ->check(CLI::IsMember({"int8", "fp32"}))
      ->each([&flags](const std::string& value) { flags.int8_asked = value == "int8"; })
      ->group(group)
      ->capture_default_str();
  app.add_option("--opt", flags.opt, "0-2: choose kernels by the cost model; 3-5: by timing them, longer and longer")
      ->group(group)
      ->check(CLI::Range(0, 5))
      ->capture_default_str();
  app.add_option("--passes", flags.passes, "all, none, or -NAME,-NAME to leave some out (`narae explain` lists them)")
      ->group(group)
      ->capture_default_str();
  app.add_flag("--deterministic", flags.deterministic,
               "a result depends on its own row only; what has no such kernel runs slowly")
      ->group(group);
  app.add_flag("--keep-bodies", flags.keep_bodies, "never split a fused body that some kernel covers, to compare")
      ->group(group);
  app.add_option("--seed", flags.seed, "of whatever is random, such as the inputs of bench")
      ->group(group)
      ->check(whole_number())
      ->capture_default_str();
  app.add_option("--memory-limit", flags.memory_limit, "bytes for weights and arenas together (K, M, G work); 0: none")
      ->group(group)
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  app.add_option("--cache-dir", flags.cache_dir,
                 "where timings and the machine's measured peaks are kept; \"\": nowhere")
      ->group(group)
      ->capture_default_str();
}

void add_model(CLI::App& app, std::string& path, ModelFlags& flags, Console& console) {
  app.add_option(
         "MODEL", path,
         "an ONNX model, a GGUF file, a Hugging Face folder or an engine file (.narae); the content tells which")
      ->required();
  add_model_flags(app, flags, console);
}

CLI::Validator number_between(double low, double high) {
  const std::string range = fmt::format("NUMBER in [{:g} - {:g}]", low, high);
  const auto check = [low, high, range](const std::string& text) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    const bool inside = end != text.c_str() && *end == '\0' && value >= low && value <= high;  // false for NaN
    return inside ? std::string() : fmt::format("\"{}\" is no {}", text, range);
  };
  return CLI::Validator(check, range);
}

CLI::Validator whole_number() {
  const auto check = [](const std::string& text) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole ? std::string() : fmt::format("\"{}\" is no whole number of 64 bits from 0 on", text);
  };
  return CLI::Validator(check, "UINT64");
}

void require_text(const std::string& text, const char* flag) {
  if (text.empty()) fail(ErrorCode::usage, "{} is empty; give it a path", flag);
}

RuntimeOptions runtime_options(const ModelFlags& flags, int core_sets) {
  if (flags.memory_limit > static_cast<uint64_t>(INT64_MAX))
    fail(ErrorCode::usage, "--memory-limit {} is no limit; give 0 for none", flags.memory_limit);
  if (flags.isa.empty()) fail(ErrorCode::usage, "there is no instruction set \"\"; `narae devices` lists them");
  RuntimeOptions options;
  options.device = flags.device;
  options.isa = flags.isa;
  options.activations = flags.activations;
  options.precision = flags.precision;
  options.library_dirs = flags.library_dirs;
  options.cache_dir = flags.cache_dir;
  options.memory_limit = static_cast<int64_t>(flags.memory_limit);
  options.threads = flags.threads;
  options.core_sets = core_sets;
  options.deterministic = flags.deterministic;
  return options;
}

LoadOptions load_options(const ModelFlags& flags) {
  LoadOptions options;
  options.compile.opt_level = flags.opt;
  options.compile.passes.selection = PassSelection::parse(flags.passes);
  options.compile.selection.keep_all_bodies = flags.keep_bodies;
  return options;
}

std::shared_ptr<Engine> load_watched(const std::string& path, Runtime& runtime, const LoadOptions& options,
                                     CompileReport* report) {
  return watched(options, [&](const LoadOptions& seen) { return load_model(path, runtime, seen, report); });
}

void refuse_decoder(const Graph& graph, const std::string& path) {
  const std::string* kind = find_fact(graph, "kind");
  if (!kind || *kind != "decoder") return;
  fail(ErrorCode::usage,
       "\"{0}\" is a language model, which runs step by step; its logits come from `narae generate {0} --ids 1,2,3 "
       "--max-tokens 1 --logits F.npy`",
       path);
}

void note_activations(const ModelFlags& flags, Runtime& runtime) {
  const Target& target = runtime.device()->target();
  if (!flags.int8_asked || target.int8_activations) return;
  fmt::print(stderr, "narae: {} has no products of 8-bit rows, so --activations int8 computes in fp32\n", target.isa);
}

std::unique_ptr<Session> make_session(std::shared_ptr<const Engine> engine, Runtime& runtime, int core_set) {
  const std::shared_ptr<Device>& device = runtime.device(core_set);
  auto states = std::make_shared<StateSet>(*device, &runtime.budget());
  return std::make_unique<Session>(std::move(engine), device, std::move(states));
}

}  // namespace narae
