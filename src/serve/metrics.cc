// SPDX-License-Identifier: Apache-2.0
#include "serve/metrics.h"

#include <fmt/core.h>
#include <sys/resource.h>

#include <fstream>

namespace narae {
namespace {

using Models = std::vector<std::shared_ptr<Model>>;

std::string label_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    c == '\n' ? out += "\\n" : out += c;
  }
  return out;
}

std::string labels(const Model& model) {
  return fmt::format("model=\"{}\",version=\"{}\"", label_text(model.name()), label_text(model.version()));
}

template <typename Value>
void family(std::string& out, const char* name, const char* type, const char* help, const Models& models,
            Value&& value) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  for (const auto& model : models) out += fmt::format("{}{{{}}} {}\n", name, labels(*model), value(*model));
}

void single(std::string& out, const char* name, const char* type, const char* help, double value) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n{} {}\n", name, help, name, type, name, value);
}

void failures(std::string& out, const Models& models) {
  out +=
      "# HELP nv_inference_request_failure Number of failed inference requests, by reason\n"
      "# TYPE nv_inference_request_failure counter\n";
  for (const auto& model : models) {
    ModelStatistics& sums = model->statistics();
    const std::pair<const char*, uint64_t> reasons[] = {{"REJECTED", sums.rejected},
                                                        {"CANCELED", sums.cancelled},
                                                        {"TIMEOUT", sums.expired},
                                                        {"BACKEND", sums.failed},
                                                        {"OTHER", sums.invalid}};
    for (const auto& [reason, count] : reasons) {
      out += fmt::format("nv_inference_request_failure{{{},reason=\"{}\"}} {}\n", labels(*model), reason, count);
    }
  }
}

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double total = 0, resident = 0;
  file >> total >> resident;
  return resident * 4096;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

std::string metrics_text(const ModelRepository& repository, const ServerCounters& counters) {
  const Models models = repository.ready();
  std::string out;
  const auto sum = [](DurationSum ModelStatistics::*which) {
    return [which](Model& model) { return (model.statistics().*which).ns / 1000; };
  };
  family(out, "nv_inference_request_success", "counter", "Number of successful inference requests", models,
         [](Model& model) { return model.statistics().success.count.load(); });
  failures(out, models);
  family(out, "nv_inference_count", "counter", "Number of inferences performed (a batch of n counts n)", models,
         [](Model& model) { return model.statistics().inferences.load(); });
  family(out, "nv_inference_exec_count", "counter", "Number of model executions (a batch counts once)", models,
         [](Model& model) { return model.executions(); });
  family(out, "nv_inference_pending_request_count", "gauge", "Number of requests that wait for execution", models,
         [](Model& model) { return model.pending(); });
  family(out, "nv_inference_request_duration_us", "counter", "Cumulative duration of requests", models,
         sum(&ModelStatistics::success));
  family(out, "nv_inference_queue_duration_us", "counter", "Cumulative time that requests waited", models,
         sum(&ModelStatistics::queue));
  family(out, "nv_inference_compute_input_duration_us", "counter", "Cumulative time of reading inputs", models,
         sum(&ModelStatistics::input));
  family(out, "nv_inference_compute_infer_duration_us", "counter", "Cumulative time of executing", models,
         sum(&ModelStatistics::infer));
  family(out, "nv_inference_compute_output_duration_us", "counter", "Cumulative time of writing outputs", models,
         sum(&ModelStatistics::output));
  single(out, "narae_http_connections_total", "counter", "Connections accepted",
         static_cast<double>(counters.connections));
  single(out, "narae_http_requests_total", "counter", "Requests read", static_cast<double>(counters.requests));
  single(out, "narae_http_answered_total", "counter", "Requests answered with less than 400",
         static_cast<double>(counters.answered));
  single(out, "narae_http_refused_total", "counter", "Requests answered with an error",
         static_cast<double>(counters.refused));
  single(out, "narae_http_disconnected_total", "counter", "Requests whose client left before the answer",
         static_cast<double>(counters.disconnected));
  single(out, "process_cpu_seconds_total", "counter", "User and system CPU time", cpu_seconds());
  single(out, "process_resident_memory_bytes", "gauge", "Resident memory", resident_bytes());
  return out;
}

}  // namespace narae
