// SPDX-License-Identifier: Apache-2.0
// narae load: requests against a server, closed loop or at a rate; every one sent is answered, refused or failed.
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "load_call.h"
#include "model_flags.h"
#include "quantiles.h"

namespace narae {
namespace {

using Json = nlohmann::ordered_json;

struct LoadFlags {
  std::string url;
  LoadAsk ask;
  int concurrency = 1;
  double duration = 10, rate = 0;
};

struct Tally {
  uint64_t sent = 0, answered = 0, refused = 0, failed = 0;
  uint64_t tokens = 0;                      // of answers
  std::vector<double> latency_ms, ttft_ms;  // of the answered
  std::string first_error;
  void add(const Tally& other) {
    sent += other.sent;
    answered += other.answered;
    refused += other.refused;
    failed += other.failed;
    tokens += other.tokens;
    latency_ms.insert(latency_ms.end(), other.latency_ms.begin(), other.latency_ms.end());
    ttft_ms.insert(ttft_ms.end(), other.ttft_ms.begin(), other.ttft_ms.end());
    if (first_error.empty()) first_error = other.first_error;
  }
};

// Completion tokens of a stream, as its last chunk but one tells.
uint64_t tokens_told(const std::string& events) {
  const size_t at = events.rfind("\"completion_tokens\":");
  return at == std::string::npos ? 0 : static_cast<uint64_t>(std::atoll(events.c_str() + at + 20));
}

void send_one(HttpClient& client, const LoadCall& call, size_t number, double since, Tally& tally) {
  ++tally.sent;
  try {
    double first = 0;
    std::string events;
    const auto hear = [&](std::string_view part) {
      if (first == 0) first = now_seconds();
      events += part;  // which may be half an event
      if (events.size() > 16384) events.erase(0, events.size() - 4096);
    };
    const HttpAnswer answer = client.call("POST", call.path, call.bodies[number % call.bodies.size()], call.headers,
                                          call.streams ? hear : std::function<void(std::string_view)>());
    if (answer.status == 200 && !(call.streams && tokens_told(events) == 0)) {
      ++tally.answered;
      tally.latency_ms.push_back((now_seconds() - since) * 1e3);
      if (call.streams) tally.ttft_ms.push_back((first - since) * 1e3);
      tally.tokens += tokens_told(events);
      return;
    }
    ++(answer.status == 503 ? tally.refused : tally.failed);
    if (tally.first_error.empty()) {
      tally.first_error = fmt::format("{}: {}", answer.status, (answer.body + events).substr(0, 300));
    }
  } catch (const Error& error) {
    ++tally.failed;
    if (tally.first_error.empty()) tally.first_error = error.what();
  }
}

// With a rate, request k is due at k / rate after the begin, and its latency counts from then: a slow server does not
// slow down what is asked of it.
Tally run_all(const LoadFlags& flags, const LoadCall& call, double& seconds) {
  Tally total;
  std::mutex mutex;
  std::atomic<uint64_t> next{0}, number{0};
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
        send_one(client, call, number.fetch_add(1), since, own);
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
  const LoadCall call = make_load_call(client, flags.ask);
  const double cpu_before = server_cpu(client);
  double seconds = 0;
  const Tally tally = run_all(flags, call, seconds);
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
  if (call.streams) {
    const double tokens = static_cast<double>(tally.tokens) / seconds;
    object["ttft_ms"] = quantiles_and_mean(tally.ttft_ms);
    object["tokens_per_s"] = tokens;
    console.say("{:.1f} tokens/s, first token: p50 {:.1f} ms, p99 {:.1f} ms", tokens,
                object["ttft_ms"]["p50"].get<double>(), object["ttft_ms"]["p99"].get<double>());
  }
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
  command->add_option("URL", flags->url, "http://HOST:PORT of `narae serve`, or of any KServe v2 or OpenAI server")
      ->required();
  command->add_flag("--json", console.json, "one JSON object on stdout, all else on stderr");
  command->add_option("--model", flags->ask.model, "its name at the server")->required();
  command->add_option("--kind", flags->ask.kind, "what to ask: tensors by KServe, or text by OpenAI's endpoints")
      ->check(CLI::IsMember({"infer", "chat", "completion", "embed"}))
      ->capture_default_str();
  command->add_option("--input", flags->ask.inputs, "infer: NAME=F.npy for each input; without: ones, free sizes 1")
      ->take_all();
  command->add_option("--text", flags->ask.text,
                      "the others: file with a text a line, sent in turn; without: a sentence");
  command->add_option("--max-tokens", flags->ask.max_tokens, "chat, completion: tokens of an answer at most")
      ->check(CLI::Range(int64_t{1}, int64_t{1} << 40))
      ->capture_default_str();
  command->add_option("--concurrency", flags->concurrency, "connections, each with one request at a time")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_option("--duration", flags->duration, "seconds")
      ->check(number_between(0.01, 86400))
      ->capture_default_str();
  command->add_option("--rate", flags->rate, "requests a second in all; 0: as fast as they are answered")
      ->check(number_between(0, 1e7))
      ->capture_default_str();
  command->footer(
      "Example:\n  narae load http://127.0.0.1:8000 --model relu --concurrency 16 --duration 5\n"
      "  narae load http://127.0.0.1:8000 --model smollm2 --kind chat --concurrency 4");
  command->callback([flags, &console] { load(*flags, console); });
}

}  // namespace narae
