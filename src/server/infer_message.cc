// SPDX-License-Identifier: Apache-2.0
#include "server/infer_message.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "server/json_fields.h"
#include "server/tensor_wire.h"

namespace narae {
namespace {

using Json = nlohmann::json;

// Splits the body at the header length.
std::string_view json_part(std::string_view body, std::string_view header_length, std::string_view& binary) {
  if (header_length.empty()) return body;
  size_t length = 0;
  const char* end = header_length.data() + header_length.size();
  const auto read = std::from_chars(header_length.data(), end, length);
  if (read.ec != std::errc() || read.ptr != end || length > body.size()) {
    fail(ErrorCode::usage, "Inference-Header-Content-Length is \"{}\", which is no length within the body of {} bytes",
         header_length.substr(0, 40), body.size());
  }
  binary = body.substr(length);
  return body.substr(0, length);
}

// Refuses members whose names are not in `known`.
void only(const Json& object, std::initializer_list<std::string_view> known, const std::string& where) {
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    fail(ErrorCode::usage, "{} has a member \"{}\", which is not known here; leave it out", where, name.substr(0, 60));
  }
}

const Json* member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

const std::string& text_member(const Json& object, const char* name, const std::string& where) {
  const Json* value = member(object, name);
  if (!value || !value->is_string()) fail(ErrorCode::usage, "{} needs a text \"{}\"", where, name);
  return value->get_ref<const std::string&>();
}

const Json& parameters_of(const Json& object, const std::string& where) {
  static const Json none = Json::object();
  const Json* parameters = member(object, "parameters");
  if (parameters && !parameters->is_object()) fail(ErrorCode::usage, "the parameters of {} are no object", where);
  return parameters ? *parameters : none;
}

int64_t whole(const Json& value, const char* name) {
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX)) {
    fail(ErrorCode::usage, "\"{}\" is {}, not a whole number", name, shown_json(value));
  }
  return value.get<int64_t>();
}

bool truth(const Json& value, const char* name) {
  if (!value.is_boolean()) fail(ErrorCode::usage, "\"{}\" is {}, not true or false", name, shown_json(value));
  return value.get<bool>();
}

// Takes the input's bytes off the front of `binary`.
NamedTensor parse_input(const Json& input, std::string_view& binary) {
  if (!input.is_object()) fail(ErrorCode::usage, "an entry of \"inputs\" is no object");
  NamedTensor made;
  made.name = text_member(input, "name", "an input");
  const std::string where = "input \"" + made.name.substr(0, 100) + "\"";
  return with_context([&] { return where; },
                      [&] {
                        only(input, {"name", "shape", "datatype", "data", "parameters"}, where);
                        const DType type = from_kserve_type(text_member(input, "datatype", where));
                        const Json* shape = member(input, "shape");
                        if (!shape) fail(ErrorCode::usage, "\"shape\" is missing");
                        const Dims dims = dims_from_json(*shape, type);
                        const Json& parameters = parameters_of(input, where);
                        only(parameters, {"binary_data_size"}, "its parameters");
                        const Json *data = member(input, "data"), *size = member(parameters, "binary_data_size");
                        if ((data != nullptr) == (size != nullptr)) {
                          fail(ErrorCode::usage, "either \"data\" or the parameter binary_data_size is to be there");
                        }
                        if (data) {
                          made.tensor = tensor_from_json(*data, type, dims);
                          return std::move(made);
                        }
                        const int64_t bytes = whole(*size, "binary_data_size");
                        if (bytes < 0 || static_cast<uint64_t>(bytes) > binary.size()) {
                          fail(ErrorCode::usage, "binary_data_size is {}, but {} bytes are left in the body", bytes,
                               binary.size());
                        }
                        made.tensor = tensor_from_bytes(binary.substr(0, static_cast<size_t>(bytes)), type, dims);
                        binary.remove_prefix(static_cast<size_t>(bytes));
                        return std::move(made);
                      });
}

WantedOutput parse_output(const Json& output, const TensorModel& model, bool binary) {
  if (!output.is_object()) fail(ErrorCode::usage, "an entry of \"outputs\" is no object");
  const std::string& name = text_member(output, "name", "an output");
  const std::string where = "output \"" + name.substr(0, 100) + "\"";
  only(output, {"name", "parameters"}, where);
  const Json& parameters = parameters_of(output, where);
  only(parameters, {"binary_data"}, "the parameters of " + where);
  const std::vector<std::string>& names = model.graph().output_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    std::string known;
    for (const std::string& one : names) known += (known.empty() ? "\"" : ", \"") + one + "\"";
    fail(ErrorCode::usage, "model \"{}\" has no {}; its outputs are {}", model.name(), where, known);
  }
  if (const Json* own = member(parameters, "binary_data")) binary = truth(*own, "binary_data");
  return {static_cast<size_t>(found - names.begin()), binary};
}

void parse_outputs(const Json& body, const TensorModel& model, bool binary, InferMessage& message) {
  const Json* outputs = member(body, "outputs");
  if (outputs && !outputs->is_array()) fail(ErrorCode::usage, "\"outputs\" is to be a list");
  if (!outputs || outputs->empty()) {
    for (size_t i = 0; i < model.graph().output_names().size(); ++i) message.outputs.push_back({i, binary});
    return;
  }
  for (const Json& output : *outputs) {
    const WantedOutput wanted = parse_output(output, model, binary);
    for (const WantedOutput& other : message.outputs) {
      if (other.index == wanted.index) {
        fail(ErrorCode::usage, "output \"{}\" is asked for twice", model.graph().output_names()[wanted.index]);
      }
    }
    message.outputs.push_back(wanted);
  }
}

}  // namespace

InferMessage parse_infer(std::string_view body, std::string_view header_length, const TensorModel& model) {
  InferMessage message;
  std::string_view binary;
  const Json json = json_body(json_part(body, header_length, binary));
  only(json, {"id", "inputs", "outputs", "parameters", "model_name", "model_version"}, "the request");
  if (const Json* id = member(json, "id")) {
    if (!id->is_string() || id->get_ref<const std::string&>().size() > 256) {
      fail(ErrorCode::usage, "\"id\" is to be a text of at most 256 bytes");
    }
    message.call.id = id->get<std::string>();
  }
  const Json& parameters = parameters_of(json, "the request");
  only(parameters, {"binary_data_output", "priority", "timeout"}, "the request's parameters");
  const Json *all_binary = member(parameters, "binary_data_output"), *priority = member(parameters, "priority"),
             *timeout = member(parameters, "timeout");
  if (priority) message.call.priority = static_cast<int>(std::clamp<int64_t>(whole(*priority, "priority"), -100, 100));
  if (timeout) message.call.timeout = std::clamp<int64_t>(whole(*timeout, "timeout"), 0, int64_t{86400} * 1'000'000);
  const Json* inputs = member(json, "inputs");
  if (!inputs || !inputs->is_array()) fail(ErrorCode::usage, "\"inputs\" is to be a list of tensors");
  for (const Json& input : *inputs) message.call.inputs.push_back(parse_input(input, binary));
  if (!binary.empty()) {
    fail(ErrorCode::usage, "{} bytes are left behind the last input; check binary_data_size", binary.size());
  }
  parse_outputs(json, model, all_binary && truth(*all_binary, "binary_data_output"), message);
  return message;
}

HttpReply infer_reply(const TensorModel& model, const InferMessage& message, const std::vector<Tensor>& outputs) {
  const auto quoted = [](const std::string& text) {
    return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  std::string json =
      fmt::format("{{\"model_name\":{},\"model_version\":{}", quoted(model.name()), quoted(model.version()));
  if (!message.call.id.empty()) json += ",\"id\":" + quoted(message.call.id);
  json += ",\"outputs\":[";
  size_t binary_bytes = 0;
  for (size_t i = 0; i < message.outputs.size(); ++i) {
    const WantedOutput& wanted = message.outputs[i];
    const Tensor& tensor = outputs.at(wanted.index);
    json += fmt::format("{}{{\"name\":{},\"datatype\":\"{}\",\"shape\":{}", i ? "," : "",
                        quoted(model.graph().output_names()[wanted.index]), kserve_type(tensor.dtype),
                        Json(tensor.dims).dump());
    if (wanted.binary) {
      json += fmt::format(",\"parameters\":{{\"binary_data_size\":{}}}}}", tensor.bytes());
      binary_bytes += tensor.bytes();
    } else {
      json += ",\"data\":[";
      append_json(json, tensor);
      json += "]}";
    }
  }
  json += "]}";
  HttpReply reply;
  const bool any =
      std::any_of(message.outputs.begin(), message.outputs.end(), [](const WantedOutput& o) { return o.binary; });
  if (any) {
    reply.type = "application/octet-stream";
    reply.headers.emplace_back("Inference-Header-Content-Length", std::to_string(json.size()));
    json.reserve(json.size() + binary_bytes);
    for (const WantedOutput& wanted : message.outputs) {
      const Tensor& tensor = outputs.at(wanted.index);
      if (wanted.binary) json.append(static_cast<const char*>(tensor.data), tensor.bytes());
    }
  }
  reply.body = std::move(json);
  return reply;
}

}  // namespace narae
