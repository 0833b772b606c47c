// SPDX-License-Identifier: Apache-2.0
// KServe v2: health, metadata, configuration, statistics (the inference protocol's "HTTP/REST", and Triton's
// extensions "model configuration" and "statistics").
#include <nlohmann/json.hpp>

#include "server/model_lookup.h"
#include "server/tensor_wire.h"

namespace narae {
namespace {

using Json = nlohmann::ordered_json;

Json wire_shape(const Shape& shape) {
  Json sizes = Json::array();
  for (const Dim& dim : shape) sizes.push_back(dim.is_constant() ? dim.value() : -1);
  return sizes;
}

Json tensor_json(const std::string& name, const Value& value) {
  return {{"name", name}, {"datatype", kserve_type(value.dtype())}, {"shape", wire_shape(value.shape())}};
}

Json metadata(TensorModel& model) {
  const Graph& graph = model.graph();
  Json inputs = Json::array(), outputs = Json::array();
  for (const Value* input : graph.inputs()) inputs.push_back(tensor_json(input->name(), *input));
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    outputs.push_back(tensor_json(graph.output_names()[i], *graph.outputs()[i]));
  }
  const BatchRule& rule = model.rule();
  Json batching = {{"dynamic_batching", rule.join ? "on" : "off"}};
  if (rule.join) {
    batching["max_batch"] = model.options().max_batch;
    batching["max_delay_us"] = model.options().max_delay;
  } else {
    batching["dynamic_batching_reason"] = rule.reason;
  }
  return {{"name", model.name()}, {"versions", {model.version()}}, {"platform", "narae"}, {"inputs", inputs},
          {"outputs", outputs},   {"parameters", batching}};
}

// Of a model that is asked by the OpenAI protocol.
Json text_metadata(const Model& model) {
  return {{"name", model.name()},
          {"versions", {model.version()}},
          {"platform", "narae"},
          {"inputs", Json::array()},
          {"outputs", Json::array()},
          {"parameters", {{"kind", model.kind()}, {"endpoints", {"/v1/chat/completions", "/v1/completions"}}}}};
}

Json config_tensor(const std::string& name, const Value& value) {
  std::string type = kserve_type(value.dtype());
  return {{"name", name}, {"data_type", "TYPE_" + type}, {"dims", wire_shape(value.shape())}};
}

// max_batch_size 0: dims are whole shapes, as the metadata has them.
Json configuration(TensorModel& model) {
  const Graph& graph = model.graph();
  Json inputs = Json::array(), outputs = Json::array();
  for (const Value* input : graph.inputs()) inputs.push_back(config_tensor(input->name(), *input));
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    outputs.push_back(config_tensor(graph.output_names()[i], *graph.outputs()[i]));
  }
  Json config = {{"name", model.name()}, {"platform", "narae"}, {"backend", "narae"},
                 {"max_batch_size", 0},  {"input", inputs},     {"output", outputs}};
  config["instance_group"] = {{{"name", model.name()}, {"kind", "KIND_CPU"}, {"count", model.options().instances}}};
  if (model.rule().join) {
    config["dynamic_batching"] = {{"preferred_batch_size", model.options().preferred},
                                  {"max_queue_delay_microseconds", model.options().max_delay}};
  }
  return config;
}

Json duration(const DurationSum& sum) { return {{"count", sum.count.load()}, {"ns", sum.ns.load()}}; }

Json statistics(Model& model) {
  ModelStatistics& sums = model.statistics();
  const Json none = {{"count", 0}, {"ns", 0}};
  return {{"name", model.name()},
          {"version", model.version()},
          {"last_inference", sums.last_ms.load()},
          {"inference_count", sums.inferences.load()},
          {"execution_count", model.executions()},
          {"inference_stats",
           {{"success", duration(sums.success)},
            {"fail", duration(sums.failure)},
            {"queue", duration(sums.queue)},
            {"compute_input", duration(sums.input)},
            {"compute_infer", duration(sums.infer)},
            {"compute_output", duration(sums.output)},
            {"cache_hit", none},
            {"cache_miss", none}}},
          {"batch_stats", Json::array()}};
}

Json all_statistics(const std::vector<std::shared_ptr<Model>>& models) {
  Json list = Json::array();
  for (const auto& model : models) list.push_back(statistics(*model));
  return {{"model_stats", list}};
}

}  // namespace

void add_kserve_routes(Router& router, ServerState& state) {
  const auto get = [&](const std::string& pattern, Handler handler) {
    router.add("GET", pattern, std::move(handler), kserve_error);
  };
  get("/v2", [](const ExchangePtr& exchange, const PathValues&) {
    reply_json(*exchange,
               {{"name", "narae"},
                {"version", NARAE_VERSION},
                {"extensions", {"binary_tensor_data", "model_configuration", "model_repository", "statistics"}}});
  });
  get("/v2/health/live", [](const ExchangePtr& exchange, const PathValues&) { exchange->reply({}); });
  get("/v2/health/ready", [&state](const ExchangePtr& exchange, const PathValues&) {
    if (!state.ready()) http_fail(503, "models are still being loaded, or the server is stopping");
    exchange->reply({});
  });
  // For each path also the one with a version.
  const auto of_model = [&](const std::string& end, const std::function<void(Exchange&, Model&)>& answer) {
    const Handler handler = [&state, answer](const ExchangePtr& exchange, const PathValues& values) {
      answer(*exchange, *find_model(state, values));
    };
    get("/v2/models/{model}" + end, handler);
    get("/v2/models/{model}/versions/{version}" + end, handler);
  };
  get("/v2/models/stats", [&state](const ExchangePtr& exchange, const PathValues&) {
    reply_json(*exchange, all_statistics(state.repository.ready()));
  });
  of_model("", [](Exchange& exchange, Model& model) {
    reply_json(exchange, model.tensors() ? metadata(*model.tensors()) : text_metadata(model));
  });
  of_model("/ready", [](Exchange& exchange, Model&) { exchange.reply({}); });
  of_model("/config", [](Exchange& exchange, Model& model) {
    if (!model.tensors()) http_fail(400, "model \"{}\" takes no tensors: it has no such configuration", model.name());
    reply_json(exchange, configuration(*model.tensors()));
  });
  of_model("/stats", [](Exchange& exchange, Model& model) {
    reply_json(exchange, {{"model_stats", {statistics(model)}}});
  });
}

}  // namespace narae
