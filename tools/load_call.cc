// SPDX-License-Identifier: Apache-2.0
#include "load_call.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "npy_tensor.h"
#include "server/tensor_wire.h"
#include "text_file.h"

namespace narae {
namespace {

using Json = nlohmann::ordered_json;

Json metadata_of(HttpClient& client, const std::string& model) {
  const HttpAnswer answer = client.call("GET", "/v2/models/" + model, "");
  const Json json = Json::parse(answer.body, nullptr, false);
  if (answer.status != 200 || json.is_discarded() || !json.contains("inputs")) {
    fail(ErrorCode::failed, "the server has no model \"{}\": {}", model, answer.body.substr(0, 300));
  }
  if (json.at("inputs").empty()) {
    fail(ErrorCode::usage, "model \"{}\" takes no tensors; give --kind chat, completion or embed", model);
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

LoadCall infer_call(const Json& metadata, const LoadAsk& ask) {
  Json json = {{"inputs", Json::array()}, {"parameters", {{"binary_data_output", true}}}};
  std::string binary;
  const Json& inputs = metadata.at("inputs");
  for (const Json& input : inputs) {
    const Tensor tensor = input_tensor(input, inputs.size(), ask.inputs);
    json["inputs"].push_back({{"name", input.at("name")},
                              {"datatype", kserve_type(tensor.dtype)},
                              {"shape", tensor.dims},
                              {"parameters", {{"binary_data_size", tensor.bytes()}}}});
    binary.append(static_cast<const char*>(tensor.data), tensor.bytes());
  }
  const std::string text = json.dump();
  return {
      "/v2/models/" + ask.model + "/infer",
      {text + binary},
      {{"Content-Type", "application/octet-stream"}, {"Inference-Header-Content-Length", std::to_string(text.size())}},
      false};
}

std::vector<std::string> texts_of(const LoadAsk& ask) {
  if (ask.text.empty()) return {"The quick brown fox jumps over the lazy dog."};
  const TextFile file(ask.text);
  std::vector<std::string> texts;
  for (const std::string_view line : lines_of(file.text())) {
    if (!line.empty()) texts.emplace_back(line);
  }
  if (texts.empty()) fail(ErrorCode::bad_file, "\"{}\" holds no text", ask.text);
  return texts;
}

Json text_body(const LoadAsk& ask, const std::string& text) {
  if (ask.kind == "embed") return {{"model", ask.model}, {"input", text}};
  Json body = {{"model", ask.model},
               {"max_tokens", ask.max_tokens},
               {"stream", true},
               {"stream_options", {{"include_usage", true}}}};
  if (ask.kind == "chat") {
    body["messages"] = Json::array({{{"role", "user"}, {"content", text}}});
  } else {
    body["prompt"] = text;
  }
  return body;
}

}  // namespace

LoadCall make_load_call(HttpClient& client, const LoadAsk& ask) {
  if (ask.kind == "infer") return infer_call(metadata_of(client, ask.model), ask);
  LoadCall call;
  call.path = ask.kind == "embed" ? "/v1/embeddings" : ask.kind == "chat" ? "/v1/chat/completions" : "/v1/completions";
  call.headers = {{"Content-Type", "application/json"}};
  call.streams = ask.kind != "embed";
  for (const std::string& text : texts_of(ask)) call.bodies.push_back(text_body(ask, text).dump());
  return call;
}

}  // namespace narae
