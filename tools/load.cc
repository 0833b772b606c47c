// SPDX-License-Identifier: Apache-2.0
// narae load: requests against a server, closed loop or at a rate; every one sent is answered, refused or failed.
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "http_client.h"
#include "model_flags.h"
#include "npy_tensor.h"
#include "quantiles.h"
#include "server/tensor_wire.h"

namespace narae {
namespace {

using Json = nlohmann::ordered_json;

struct LoadFlags {
  std::string url, model, kind = "infer";
  std::vector<std::string> inputs;
  int concurrency = 1;
  double duration = 10, rate = 0;
};

struct Tally {
  uint64_t sent = 0, answered = 0, refused = 0, failed = 0;
  std::vector<double> latency_ms;  // of the answered
  std::string first_error;
  void add(const Tally& other) {
    sent += other.sent;
    answered += other.answered;
    refused += other.refused;
    failed += other.failed;
    latency_ms.insert(latency_ms.end(), other.latency_ms.begin(), other.latency_ms.end());
    if (first_error.empty()) first_error = other.first_error;
  }
};

struct InferBody {
  std::string path, body;
  size_t json_bytes = 0;
};

Json metadata_of(HttpClient& client, const std::string& model) {
  const HttpAnswer answer = client.call("GET", "/v2/models/" + model, "");
  const Json json = Json::parse(answer.body, nullptr, false);
  if (answer.status != 200 || json.is_discarded() || !json.contains("inputs")) {
    fail(ErrorCode::failed, "the server has no model \"{}\": {}", model, answer.body.substr(0, 300));
  }
  return json;
}

// What --input says, or ones with every free size 1.
Tensor input_tensor(const Json& input, size_t inputs, const std::vector<std::string>& given) {
  const auto name = input.at("name").get<std::string>();
  for (const std::string& argument : given) {
    const size_t equals = argument.find('=');
    if (equals == std::string::npos ? inputs == 1 : argument.substr(0, equals) == name) {
      return load_tensor(equals == std::string::npos ? argument : argument.substr(equals + 1));
    }
  }
  Dims dims;
  for (const Json& size : input.at("shape")) dims.push_back(std::max<int64_t>(size.get<int64_t>(), 1));
  Tensor tensor = Tensor::allocate(from_kserve_type(input.at("datatype").get<std::string>()), dims);
  for (int64_t i = 0; i < tensor.count(); ++i) set_element(tensor, i, 1);
  return tensor;
}

InferBody infer_body(const Json& metadata, const LoadFlags& flags) {
  Json json = {{"inputs", Json::array()}, {"parameters", {{"binary_data_output", true}}}};
  std::string binary;
  const Json& inputs = metadata.at("inputs");
  for (const Json& input : inputs) {
    const Tensor tensor = input_tensor(input, inputs.size(), flags.inputs);
    json["inputs"].push_back({{"name", input.at("name")},
                              {"datatype", kserve_type(tensor.dtype)},
                              {"shape", tensor.dims},
                              {"parameters", {{"binary_data_size", tensor.bytes()}}}});
    binary.append(static_cast<const char*>(tensor.data), tensor.bytes());
  }
  const std::string text = json.dump();
  return {"/v2/models/" + flags.model + "/infer", text + binary, text.size()};
}

void send_one(HttpClient& client, const InferBody& body, double since, Tally& tally) {
  ++tally.sent;
  try {
    const HttpAnswer answer = client.call("POST", body.path, body.body,
                                          {{"Content-Type", "application/octet-stream"},
                                           {"Inference-Header-Content-Length", std::to_string(body.json_bytes)}});
    if (answer.status == 200) {
      ++tally.answered;
      tally.latency_ms.push_back((now_seconds() - since) * 1e3);
      return;
    }
    ++(answer.status == 503 ? tally.refused : tally.failed);
    if (tally.first_error.empty()) tally.first_error = fmt::format("{}: {}", answer.status, answer.body.substr(0, 300));
  } catch (const Error& error) {
    ++tally.failed;
    if (tally.first_error.empty()) tally.first_error = error.what();
  }
}

// With a rate, request k is due at k / rate after the begin, and its latency counts from then: a slow server does not
// slow down what is asked of it.
Tally run_all(const LoadFlags& flags, const InferBody& body, double& seconds) {
  Tally total;
  std::mutex mutex;
  std::atomic<uint64_t> next{0};
  std::vector<std::thread> threads;
  const double begin = now_seconds(), end = begin + flags.duration;
  for (int i = 0; i < flags.concurrency; ++i) {
    threads.emplace_back([&] {
      HttpClient client(flags.url);
      Tally own;
      while (now_seconds() < end) {
        double since = now_seconds();
        if (flags.rate > 0) {
          since = begin + static_cast<double>(next.fetch_add(1)) / flags.rate;
          if (since >= end) break;
          const double wait = since - now_seconds();
          if (wait > 0) std::this_thread::sleep_for(std::chrono::duration<double>(wait));
        }
        send_one(client, body, since, own);
      }
      const std::lock_guard<std::mutex> lock(mutex);
      total.add(own);
    });
  }
  for (std::thread& thread : threads) thread.join();
  seconds = now_seconds() - begin;
  return total;
}

// CPU seconds of the server so far, by its own word; below 0: it does not say.
double server_cpu(HttpClient& client) {
  const HttpAnswer answer = client.call("GET", "/metrics", "");
  const size_t at = answer.body.find("\nprocess_cpu_seconds_total ");
  return at == std::string::npos ? -1 : std::atof(answer.body.c_str() + at + 27);
}

void load(const LoadFlags& flags, Console& console) {
  HttpClient client(flags.url);
  const InferBody body = infer_body(metadata_of(client, flags.model), flags);
  const double cpu_before = server_cpu(client);
  double seconds = 0;
  const Tally tally = run_all(flags, body, seconds);
  const double cpu = server_cpu(client) - cpu_before;
  const Json latency = quantiles_and_mean(tally.latency_ms);
  const double per_second = static_cast<double>(tally.answered) / seconds;
  const Json cpu_us = cpu_before < 0 || tally.sent == 0 ? Json() : Json(cpu * 1e6 / static_cast<double>(tally.sent));
  console.say("{} sent, {} answered, {} refused, {} failed: {:.1f} requests/s, p50 {:.2f} ms, p99 {:.2f} ms",
              tally.sent, tally.answered, tally.refused, tally.failed, per_second, latency["p50"].get<double>(),
              latency["p99"].get<double>());
  Json object = {{"sent", tally.sent},
                 {"answered", tally.answered},
                 {"refused", tally.refused},
                 {"failed", tally.failed},
                 {"requests_per_s", per_second},
                 {"latency_ms", latency},
                 {"server_cpu_us_per_request", cpu_us}};
  if (!tally.first_error.empty()) {
    console.say("first error: {}", tally.first_error);
    object["first_error"] = tally.first_error;
  }
  if (tally.answered == 0) console.exit_code = static_cast<int>(ErrorCode::failed);
  console.result(object);
}

}  // namespace

void add_load(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("load", "send requests to a server and measure its answers");
  auto flags = std::make_shared<LoadFlags>();
  command->add_option("URL", flags->url, "http://HOST:PORT of `narae serve`, or of any KServe v2 server")->required();
  command->add_flag("--json", console.json, "one JSON object on stdout, all else on stderr");
  command->add_option("--model", flags->model, "its name at the server")->required();
  command->add_option("--kind", flags->kind, "what to ask: infer")
      ->check(CLI::IsMember({"infer"}))
      ->capture_default_str();
  command->add_option("--input", flags->inputs, "NAME=F.npy for each input; without: ones, free sizes 1")->take_all();
  command->add_option("--concurrency", flags->concurrency, "connections, each with one request at a time")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_option("--duration", flags->duration, "seconds")
      ->check(number_between(0.01, 86400))
      ->capture_default_str();
  command->add_option("--rate", flags->rate, "requests a second in all; 0: as fast as they are answered")
      ->check(number_between(0, 1e7))
      ->capture_default_str();
  command->footer("Example:\n  narae load http://127.0.0.1:8000 --model relu --concurrency 16 --duration 5");
  command->callback([flags, &console] { load(*flags, console); });
}

}  // namespace narae
