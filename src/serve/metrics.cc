// SPDX-License-Identifier: Apache-2.0
#include "serve/metrics.h"

#include <fmt/core.h>
#include <sys/resource.h>

#include <fstream>

#include "serve/text_model.h"

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

void histogram(std::string& out, const char* name, const char* help, const Models& models,
               Histogram TextStatistics::*which) {
  out += fmt::format("# HELP {} {}\n# TYPE {} histogram\n", name, help, name);
  for (const auto& model : models) {
    const Histogram& counts = model->text()->text_statistics().*which;
    const std::string who = labels(*model);
    for (size_t i = 0; i < Histogram::bounds.size(); ++i) {
      out += fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", name, who, Histogram::bounds[i], counts.up_to(i));
    }
    const uint64_t all = counts.up_to(Histogram::bounds.size());
    out += fmt::format("{}_bucket{{{},le=\"+Inf\"}} {}\n{}_sum{{{}}} {}\n{}_count{{{}}} {}\n", name, who, all, name,
                       who, counts.sum_ms(), name, who, all);
  }
}

// Of language models only.
void text_metrics(std::string& out, Models models) {
  std::erase_if(models, [](const auto& model) { return !model->text(); });
  histogram(out, "nv_inference_first_response_histogram_ms", "Time from the queue to the first token", models,
            &TextStatistics::first_token_ms);
  histogram(out, "narae_inter_token_histogram_ms", "Mean time between the tokens of an answer", models,
            &TextStatistics::inter_token_ms);
  const auto counter = [](std::atomic<uint64_t> TextStatistics::*which) {
    return [which](Model& model) { return (model.text()->text_statistics().*which).load(); };
  };
  const auto state = [](int64_t ExecutorStats::*which) {
    return [which](Model& model) { return model.text()->stats().*which; };
  };
  family(out, "narae_prompt_tokens_total", "counter", "Tokens of prompts", models,
         counter(&TextStatistics::prompt_tokens));
  family(out, "narae_cached_tokens_total", "counter", "Tokens of prompts whose keys and values were there already",
         models, counter(&TextStatistics::cached_tokens));
  family(out, "narae_generation_tokens_total", "counter", "Tokens of answers", models,
         counter(&TextStatistics::new_tokens));
  family(out, "narae_preemptions_total", "counter", "Sequences that lost their pages and computed them again", models,
         state(&ExecutorStats::preemptions));
  family(out, "narae_running_sequences", "gauge", "Sequences that are in the batch", models,
         state(&ExecutorStats::admitted));
  family(out, "narae_kv_pages_used", "gauge", "Pages of keys and values that sequences hold", models,
         state(&ExecutorStats::pages_used));
  family(out, "narae_kv_pages_idle", "gauge", "Pages that only later prompts may want again", models,
         state(&ExecutorStats::pages_idle));
  family(out, "narae_kv_pages_total", "gauge", "Pages in all", models, state(&ExecutorStats::pages_total));
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
  text_metrics(out, models);
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
