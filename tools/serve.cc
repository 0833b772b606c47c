// SPDX-License-Identifier: Apache-2.0
// narae serve: models behind HTTP until SIGTERM. The ready line and the exit code are promised in docs/cli.md.
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "llm_flags.h"
#include "load/load_encoder.h"
#include "load/model_facts.h"
#include "serve/embedding_model.h"
#include "serve/model_folder.h"
#include "serve/text_model.h"
#include "server/http/http_server.h"

namespace narae {
namespace {

constexpr Time usual_turn = 10'000;  // us, where several models share the cores

struct ServeFlags {
  LlmFlags llm;
  std::vector<std::string> paths;
  HttpOptions http;
  uint64_t max_body = 0;
  int64_t max_batch = 32, max_delay_us = 0, max_queue = 256, instances = 1;
  int64_t turn_us = -1;
  double drain_seconds = 30;
};

TensorModelOptions model_options(const ServeFlags& flags, const ModelConfig& config) {
  TensorModelOptions options;
  options.max_batch = config.max_batch ? std::max<int64_t>(*config.max_batch, 1) : flags.max_batch;
  options.max_delay = config.max_delay.value_or(flags.max_delay_us);
  options.preferred = config.preferred;
  options.instances = static_cast<int>(config.instances.value_or(flags.instances));
  options.max_queue = static_cast<size_t>(config.max_queue.value_or(flags.max_queue));
  return options;
}

ExecutorOptions text_options(const ServeFlags& flags, const TensorModelOptions& options) {
  ExecutorOptions made = executor_options(flags.llm, static_cast<int32_t>(options.max_batch));
  made.turn = flags.turn_us >= 0 ? flags.turn_us : flags.paths.size() > 1 ? usual_turn : 0;
  made.queue.max_requests = options.max_queue;
  return made;
}

// What the model is good for decides what it becomes.
std::shared_ptr<Model> make_model(const ServeFlags& flags, Runtime& runtime, const ModelSource& source) {
  const LoadOptions load = llm_load_options(flags.llm);
  const std::shared_ptr<Engine> engine = load_model(source.path, runtime, load);
  const TensorModelOptions options = model_options(flags, source.config);
  const std::string* kind = find_fact(engine->portable(), "kind");
  if (kind && *kind == "decoder") {
    return std::make_shared<TextModel>(source.name, source.version, as_language_model(engine, source.path, runtime),
                                       runtime, options.instances, text_options(flags, options));
  }
  if (kind && *kind == "encoder") {
    return std::make_shared<EmbeddingModel>(source.name, source.version, as_encoder(engine, source.path), runtime,
                                            options);
  }
  return std::make_shared<TensorModel>(source.name, source.version, engine, runtime, options);
}

Loader make_loader(const ServeFlags& flags, Runtime& runtime) {
  return [&flags, &runtime](const ModelSource& source) {
    return with_context([&] { return fmt::format("model \"{}\"", source.name); },
                        [&] { return make_model(flags, runtime, source); });
  };
}

// What main() waits for.
class StopFlag {
 public:
  void set() {
    const std::lock_guard<std::mutex> lock(mutex_);
    set_ = true;
    bell_.notify_all();
  }
  bool is_set() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return set_;
  }
  void wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    bell_.wait(lock, [&] { return set_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable bell_;
  bool set_ = false;
};

void say_ready(const HttpServer& server, const ModelRepository& repository, Console& console) {
  auto models = nlohmann::ordered_json::array();
  for (const ModelRepository::Entry& entry : repository.index()) {
    models.push_back({{"name", entry.name}, {"kind", entry.kind}, {"state", model_state_name(entry.state)}});
  }
  console.event({{"event", "ready"},
                 {"pid", static_cast<int64_t>(::getpid())},
                 {"http_port", server.port()},
                 {"metrics_port", server.metrics_port()},
                 {"models", models}});
}

void serve(ServeFlags& flags, Console& console) {
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads the log may end before us
  flags.http.max_body = flags.max_body;
  flags.http.io_threads = static_cast<int>(std::clamp(std::thread::hardware_concurrency() / 4, 1u, 4u));
  std::vector<ModelSource> sources;
  int64_t instances = flags.instances;
  for (const std::string& path : flags.paths) {
    sources.push_back(model_source(path));
    instances = std::max(instances, sources.back().config.instances.value_or(1));
  }
  Runtime runtime(runtime_options(flags.llm.everywhere, static_cast<int>(instances)));
  ServerCounters counters;
  HttpServer server(flags.http, counters);
  ModelRepository repository(make_loader(flags, runtime));  // goes before the server, whose connections it answers
  for (ModelSource& source : sources) repository.add(std::move(source));
  StopFlag stopping;
  std::atomic<bool> loaded{false};
  ServerState state{repository, counters, [&] { return loaded && !server.draining(); }};
  const Router router = make_router(state), metrics_router = make_metrics_router(state);
  server.on_signal([&] { stopping.set(); });
  server.start(router, metrics_router);
  try {
    for (const ModelRepository::Entry& entry : repository.index()) {
      if (!stopping.is_set()) repository.load(entry.name);
    }
    loaded = true;
    if (!stopping.is_set()) say_ready(server, repository, console);
    stopping.wait();
    server.drain(flags.drain_seconds);
  } catch (...) {
    server.drain(0);
    repository.stop();
    server.stop();
    throw;
  }
  repository.stop();
  server.stop();
}

void add_limits(CLI::App& command, ServeFlags& flags) {
  constexpr const char* group = "Batching and limits";
  const auto positive = CLI::Range(int64_t{1}, int64_t{1} << 30);
  command
      .add_option("--max-batch", flags.max_batch,
                  "rows that are run together at most, where a model's first "
                  "dimension is a batch; sequences of a language model")
      ->group(group)
      ->check(positive)
      ->capture_default_str();
  command.add_option("--max-delay-us", flags.max_delay_us, "how long a request waits for others to join it")
      ->group(group)
      ->check(CLI::Range(int64_t{0}, int64_t{60'000'000}))
      ->capture_default_str();
  command.add_option("--instances", flags.instances, "copies of each model that run at once, each on cores of its own")
      ->group(group)
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command
      .add_option(
          "--turn-us", flags.turn_us,
          "how long a step of a language model with prompts takes about, for the sake of the other models; 0: as "
          "long as --step-tokens take; without: 10000 where several models are served, else 0")
      ->group(group)
      ->check(CLI::Range(int64_t{0}, int64_t{60'000'000}));
  command.add_option("--max-queue", flags.max_queue, "requests that wait at each model; more are refused with 503")
      ->group(group)
      ->check(positive)
      ->capture_default_str();
  command
      .add_option("--max-body", flags.max_body, "bytes of a request's body (K, M, G work); more are refused with 413")
      ->group(group)
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  command.add_option("--max-connections", flags.http.max_connections, "open connections; more are closed at once")
      ->group(group)
      ->check(positive)
      ->capture_default_str();
  command
      .add_option("--stall-seconds", flags.http.stall_seconds,
                  "how long a client may take to send a body or to take "
                  "an answer, and a second more for each 64 KB")
      ->group(group)
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command.add_option("--header-seconds", flags.http.header_seconds, "how long a client may take to send a header")
      ->group(group)
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command.add_option("--drain-seconds", flags.drain_seconds, "how long SIGTERM waits for answers")
      ->group(group)
      ->check(number_between(0, 86400))
      ->capture_default_str();
}

}  // namespace

void add_serve(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("serve", "serve models over HTTP (KServe v2, OpenAI) until SIGTERM");
  auto flags = std::make_shared<ServeFlags>();
  flags->max_body = flags->http.max_body;
  command
      ->add_option("MODELS", flags->paths,
                   "[NAME=]PATH each: an ONNX model, an engine file, a .gguf file, a Hugging Face folder, or a "
                   "folder NAME/[config.pbtxt]/VERSION/model.*")
      ->required();
  add_model_flags(*command, flags->llm.everywhere, console);
  command->add_option("--host", flags->http.host, "address to listen at; 0.0.0.0 lets other machines in")
      ->capture_default_str();
  command->add_option("--http-port", flags->http.port, "0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command->add_option("--metrics-port", flags->http.metrics_port, "of /metrics, beside the HTTP port; 0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command->add_flag("--log-requests", flags->http.log_all,
                    "a line on stderr for each request; without: for those that failed here");
  add_limits(*command, *flags);
  add_kv(*command, flags->llm);
  command->footer(
      "Example:\n  narae serve relu=model.onnx smollm2.gguf --http-port 8000\n"
      "  curl localhost:8000/v2/models/relu\n"
      "  curl localhost:8000/v1/completions -d '{\"model\": \"smollm2\", \"prompt\": \"1, 2, 3,\"}'");
  command->callback([flags, &console] { serve(*flags, console); });
}

}  // namespace narae
