// SPDX-License-Identifier: Apache-2.0
// narae bench: latency and throughput on seeded inputs. Everything is compiled, packed and warm before the first run
// that counts.
#include <algorithm>
#include <atomic>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "bench_layers.h"
#include "bench_llm.h"
#include "model_flags.h"
#include "npy_tensor.h"
#include "peak_rss.h"
#include "progress_bar.h"
#include "quantiles.h"

namespace narae {
namespace {

constexpr int repeats = 20;  // of one timing with --resident

struct BenchFlags {
  BenchFlags() = default;
  BenchFlags(const BenchFlags&) = delete;  // it points into itself
  LlmBenchFlags llm;                       // and what every model has
  ModelFlags& model = llm.llm.everywhere;
  std::string& path = llm.llm.path;
  std::string shapes;
  double duration = 3, warmup = 0.5;
  int instances = 1;
  bool layers = false, resident = false;
};

// One instance on its own core set and thread.
struct Instance {
  std::unique_ptr<Session> session;
  std::vector<double> seconds;  // per run that counts
  double end = 0;               // of its last run
  std::exception_ptr error;
};

// Instances start counting together, and stop when the time is up.
class Race {
 public:
  Race(std::vector<Instance>& instances, const std::vector<Tensor>& inputs, const BenchFlags& flags)
      : instances_(instances), inputs_(inputs), flags_(flags) {}

  // Seconds from the common start to the last end.
  double run() {
    std::vector<std::thread> threads;
    for (Instance& instance : instances_) threads.emplace_back([&] { take_part(instance); });
    watch();
    for (std::thread& thread : threads) thread.join();
    double end = start_;
    for (const Instance& instance : instances_) {
      if (instance.error) std::rethrow_exception(instance.error);
      end = std::max(end, instance.end);
    }
    return end - start_;
  }

 private:
  // The bar moves twice a second: what is measured should not feel it.
  void watch() {
    ProgressBar bar;
    const long total = static_cast<long>(flags_.duration * 10);
    while (finished_ < static_cast<int>(instances_.size())) {
      std::this_thread::sleep_for(std::chrono::milliseconds(flags_.duration > 2 ? 500 : 20));
      if (go_) bar.report("measuring", std::min(total, static_cast<long>((now_seconds() - start_) * 10)), total + 1);
    }
  }

  void take_part(Instance& instance) {
    attempt(instance, &Race::warm_up);
    if (++ready_ == static_cast<int>(instances_.size())) {
      start_ = now_seconds();
      go_ = true;
    }
    while (!go_) std::this_thread::yield();
    if (!instance.error) attempt(instance, &Race::measure);
    ++finished_;
  }

  void attempt(Instance& instance, void (Race::*part)(Instance&)) {
    try {
      (this->*part)(instance);
    } catch (...) {
      instance.error = std::current_exception();
    }
  }

  void warm_up(Instance& instance) {
    const double begin = now_seconds();
    do {
      instance.session->run(inputs_);
    } while (now_seconds() - begin < flags_.warmup);
  }

  void measure(Instance& instance) {
    do {
      const double begin = now_seconds();
      if (flags_.resident) {
        instance.session->repeat(repeats);
      } else {
        instance.session->run(inputs_);
      }
      instance.end = now_seconds();
      instance.seconds.push_back((instance.end - begin) / (flags_.resident ? repeats : 1));
    } while (instance.end - start_ < flags_.duration);
  }

  std::vector<Instance>& instances_;
  const std::vector<Tensor>& inputs_;
  const BenchFlags& flags_;
  std::atomic<int> ready_{0}, finished_{0};
  std::atomic<bool> go_{false};
  std::atomic<double> start_{0};
};

nlohmann::ordered_json machine(const Target& target) {
  return {{"isa", target.isa},
          {"cores", target.cores},
          {"fma_gflops", target.fma_flops * target.cores / 1e9},
          {"vnni_gops", target.int8_ops * target.cores / 1e9},
          {"l2_gbps", target.l2_bytes_per_s * target.cores / 1e9},
          {"dram_gbps", target.dram_bytes_per_s / 1e9}};
}

nlohmann::ordered_json layers_json(const std::vector<LayerTime>& layers) {
  auto list = nlohmann::ordered_json::array();
  for (const LayerTime& layer : layers) {
    list.push_back({{"name", layer.name},
                    {"op", layer.op},
                    {"tactic", layer.tactic},
                    {"ms", layer.seconds * 1e3},
                    {"gflops", layer.flops_per_s / 1e9},
                    {"gbps", layer.bytes_per_s / 1e9},
                    {"share", layer.share}});
  }
  return list;
}

void say(const nlohmann::ordered_json& object, int instances, Console& console) {
  const auto& ms = object["latency_ms"];
  console.say("{} runs of {} instance{}: {:.1f} per second", object["runs"].get<size_t>(), instances,
              instances == 1 ? "" : "s", object["throughput_per_s"].get<double>());
  console.say("latency ms: min {:.3f}  mean {:.3f}  p50 {:.3f}  p90 {:.3f}  p99 {:.3f}", ms["min"].get<double>(),
              ms["mean"].get<double>(), ms["p50"].get<double>(), ms["p90"].get<double>(), ms["p99"].get<double>());
  auto mb = [&](const char* key) { return object[key].get<double>() / 1e6; };
  console.say(
      "loaded in {:.1f} ms (build {:.1f}); weights {:.1f} MB, arena {:.2f} MB (lower bound {:.2f}), peak RSS {:.1f} MB",
      object["load_ms"].get<double>(), object["build_ms"].get<double>(), mb("weights_bytes"), mb("arena_bytes"),
      mb("arena_lower_bound_bytes"), mb("peak_rss_bytes"));
  const auto& m = object["machine"];
  console.say("machine: {}, {} cores, {:.0f} GFLOP/s f32, memory {:.1f} GB/s", m["isa"].get<std::string>(),
              m["cores"].get<int>(), m["fma_gflops"].get<double>(), m["dram_gbps"].get<double>());
}

void bench(const BenchFlags& flags, Console& console) {
  Runtime runtime(runtime_options(flags.model, flags.instances));
  runtime.calibrate();
  const ShapeList shapes = parse_shape_list(flags.shapes, "--shapes");
  LoadOptions options = load_options(flags.model);
  options.first_sizes = [&](const Graph& graph) {
    if (!graph.states().empty()) {
      fail(ErrorCode::usage, "\"{}\" continues texts; give --prompt-tokens and --new-tokens to measure that",
           flags.path);
    }
    return symbol_values(graph, shapes);
  };
  const double start = now_seconds();
  const std::shared_ptr<Engine> engine = load_watched(flags.path, runtime, options);
  const std::vector<Tensor> inputs = seeded_inputs(*engine, shapes, flags.model.seed);
  std::vector<Instance> instances(static_cast<size_t>(flags.instances));
  for (int i = 0; i < flags.instances; ++i) {
    Instance& instance = instances[static_cast<size_t>(i)];
    instance.session = make_session(engine, runtime, i);
    instance.session->output_dims(inputs);
    instance.seconds.reserve(1 << 16);
  }
  const double load_ms = (now_seconds() - start) * 1e3;
  const double seconds = Race(instances, inputs, flags).run();
  std::vector<double> all;  // ms
  for (const Instance& instance : instances) {
    for (const double one : instance.seconds) all.push_back(one * 1e3);
  }
  const Program& program = *instances[0].session->program();
  nlohmann::ordered_json object;
  object["runs"] = all.size() * (flags.resident ? repeats : 1);
  object["latency_ms"] = quantiles_and_mean(all);
  object["throughput_per_s"] = object["runs"].get<double>() / seconds;
  object["load_ms"] = load_ms;
  object["build_ms"] = engine->build_seconds() * 1e3;
  object["peak_rss_bytes"] = peak_rss_bytes();
  object["arena_bytes"] = program.arena_bytes;
  object["arena_lower_bound_bytes"] = program.lower_bound_bytes;
  object["weights_bytes"] = engine->weights().bytes();
  const Target& target = runtime.device()->target();
  object["machine"] = machine(target);
  say(object, flags.instances, console);
  if (flags.layers) {
    constexpr int rounds = 15;
    const std::vector<LayerTime> layers = time_layers(*instances[0].session, inputs, target, rounds);
    object["layers"] = layers_json(layers);
    console.line(layer_table(layers));
  }
  console.result(object);
}

}  // namespace

void add_bench(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("bench", "measure latency, throughput and memory on seeded normal inputs");
  auto flags = std::make_shared<BenchFlags>();
  add_model(*command, flags->path, flags->model, console);
  command->add_option("--shapes", flags->shapes,
                      "input shapes, as NAME:1x3x224x224,..; else the profile's, or usual ones");
  constexpr double day = 86400;
  command->add_option("--duration", flags->duration, "seconds to measure")
      ->check(number_between(0, day))
      ->capture_default_str();
  command->add_option("--warmup", flags->warmup, "seconds to run before")
      ->check(number_between(0, day))
      ->capture_default_str();
  command->add_option("--instances", flags->instances, "sessions that run at once, each on its own cores")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_flag("--resident", flags->resident,
                    "time what the device takes by itself: inputs lie there already, results stay");
  command->add_flag("--layers", flags->layers, "also time every kernel alone, beside the machine's measured peak");
  add_llm_bench(*command, flags->llm);
  command->footer(
      "Examples:\n  narae bench resnet50.onnx --threads 2 --layers\n  narae bench det.narae --shapes x:1x3x640x640 "
      "--instances 2 --json\n  narae bench smollm2.gguf --prompt-tokens 512 --new-tokens 128\nThe machine's peaks are "
      "measured once (a second or so) and kept in --cache-dir.");
  command->callback([flags, command, &console] {
    if (!flags->llm.asked()) return bench(*flags, console);
    for (const char* other : {"--shapes", "--instances", "--layers", "--resident"}) {
      if (command->count(other)) fail(ErrorCode::usage, "{} says nothing of a language model's answers", other);
    }
    flags->llm.duration = flags->duration;
    bench_llm(flags->llm, console);
  });
}

}  // namespace narae
