// SPDX-License-Identifier: Apache-2.0
#include "import/arch/checkpoint.h"

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "import/weights/gguf.h"
#include "import/weights/json_file.h"
#include "import/weights/safetensors.h"
#include "import/weights/shown_text.h"

namespace narae {

struct Checkpoint::Parts {  // NOLINT: what Json throws when it is moved is our bug
  std::string path, architecture;
  std::shared_ptr<const Gguf> gguf;  // null: a folder
  Json config;
  std::optional<WeightTable> folder_weights;
  std::string prefix;  // before every tensor's name in a folder

  const WeightTable& weights() const { return gguf ? gguf->weights() : *folder_weights; }
  std::string key(const Names& names) const { return gguf ? architecture + "." + names.gguf : names.folder; }
  std::string tensor_name(const Names& names) const {
    if (gguf) return names.gguf;
    return names.folder.rfind("lm_head", 0) == 0 ? names.folder : prefix + names.folder;  // heads are no part of a body
  }
  [[noreturn]] void bad(const Names& names, std::string_view what) const {
    fail(ErrorCode::bad_file, "\"{}\": {} \"{}\" {}", path, gguf ? "key" : "config.json", key(names), what);
  }

  // Null when it is absent.
  const Json* entry(const std::string& dotted) const {
    const Json* at = &config;
    for (size_t begin = 0; begin <= dotted.size();) {
      const size_t end = std::min(dotted.find('.', begin), dotted.size());
      if (!at->is_object()) return nullptr;
      const auto found = at->find(dotted.substr(begin, end - begin));
      if (found == at->end() || found->is_null()) return nullptr;
      at = &*found;
      begin = end + 1;
    }
    return at;
  }
  bool has(const Names& names) const {
    if (gguf) return !names.gguf.empty() && gguf->has(key(names));
    return !names.folder.empty() && entry(names.folder);
  }
};

Checkpoint::Checkpoint(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Checkpoint::~Checkpoint() = default;
Checkpoint::Checkpoint(Checkpoint&&) noexcept = default;
const std::string& Checkpoint::path() const { return parts_->path; }
const std::string& Checkpoint::architecture() const { return parts_->architecture; }
bool Checkpoint::is_gguf() const { return parts_->gguf != nullptr; }
bool Checkpoint::has(const Names& names) const { return parts_->has(names); }

Checkpoint Checkpoint::open(const std::string& path) {
  auto parts = std::make_unique<Parts>();
  parts->path = path;
  if (!std::filesystem::is_directory(path)) {
    parts->gguf = Gguf::open(path);
    parts->architecture = parts->gguf->text("general.architecture");
    return Checkpoint(std::move(parts));
  }
  const std::string config = (std::filesystem::path(path) / "config.json").string();
  parts->config = read_json(config);
  const Json* type = parts->entry("model_type");
  if (!type || !type->is_string()) fail(ErrorCode::bad_file, "\"{}\" has no text \"model_type\"", config);
  parts->architecture = type->get<std::string>();
  parts->folder_weights = open_safetensors_folder(path);
  // A model saved without its head lacks the name of its body: `model.` of decoders, `bert.` of encoders.
  for (const char* prefix : {"model.", "bert."}) {
    const auto& all = parts->folder_weights->all();
    const auto first = all.lower_bound(prefix);
    if (first != all.end() && first->first.rfind(prefix, 0) == 0) parts->prefix = prefix;
  }
  return Checkpoint(std::move(parts));
}

int64_t Checkpoint::integer(const Names& names, std::optional<int64_t> fallback, int64_t low, int64_t high) const {
  if (!has(names)) {
    if (fallback) return *fallback;
    parts_->bad(names, "is missing");
  }
  int64_t value = 0;
  if (parts_->gguf) {
    value = parts_->gguf->integer(parts_->key(names));
  } else {
    const Json& entry = *parts_->entry(names.folder);
    if (!entry.is_number_integer()) parts_->bad(names, "is no integer");
    value = entry.is_number_unsigned() && entry.get<uint64_t>() > static_cast<uint64_t>(high) ? high + 1
                                                                                              : entry.get<int64_t>();
  }
  if (value < low || value > high) parts_->bad(names, fmt::format("is not in {} to {}", low, high));
  return value;
}

double Checkpoint::number(const Names& names, std::optional<double> fallback, double low, double high) const {
  if (!has(names)) {
    if (fallback) return *fallback;
    parts_->bad(names, "is missing");
  }
  double value = 0;
  if (parts_->gguf) {
    value = parts_->gguf->number(parts_->key(names));
  } else {
    const Json& entry = *parts_->entry(names.folder);
    if (!entry.is_number()) parts_->bad(names, "is no number");
    value = entry.get<double>();
  }
  if (!(value >= low && value <= high)) parts_->bad(names, fmt::format("is not in {} to {}", low, high));
  return value;
}

bool Checkpoint::flag(const Names& names, std::optional<bool> fallback) const {
  if (!has(names)) {
    if (fallback) return *fallback;
    parts_->bad(names, "is missing");
  }
  if (parts_->gguf) return parts_->gguf->flag(parts_->key(names));
  const Json& entry = *parts_->entry(names.folder);
  if (!entry.is_boolean()) parts_->bad(names, "is neither true nor false");
  return entry.get<bool>();
}

std::string Checkpoint::text(const Names& names, std::optional<std::string> fallback) const {
  if (!has(names)) {
    if (fallback) return *fallback;
    parts_->bad(names, "is missing");
  }
  if (parts_->gguf) return std::string(parts_->gguf->text(parts_->key(names)));
  const Json& entry = *parts_->entry(names.folder);
  if (!entry.is_string()) parts_->bad(names, "is no text");
  return entry.get<std::string>();
}

void Checkpoint::require(const Names& names, const std::string& fallback,
                         std::initializer_list<std::string_view> known) const {
  const std::string value = text(names, fallback);
  std::string list;
  for (std::string_view name : known) {
    if (value == name) return;
    list += fmt::format("{}{}", list.empty() ? "" : ", ", name);
  }
  parts_->bad(names, fmt::format("is \"{}\", which Narae does not know; known: {}", shown_text(value), list));
}

bool Checkpoint::has_tensor(const Names& names) const {
  return parts_->weights().find(parts_->tensor_name(names)) != nullptr;
}

nn::Parameter Checkpoint::tensor(const Names& names, const Dims& dims) const {
  const std::string name = parts_->tensor_name(names);
  const Weight& weight = parts_->weights().at(name);
  if (weight.dims != dims) {
    fail(ErrorCode::bad_file, "\"{}\": tensor \"{}\" has shape {}, but the configuration makes it {}", path(), name,
         dims_text(weight.dims), dims_text(dims));
  }
  if (weight.format == BlockFormat::none && !is_float(weight.data.dtype)) {
    fail(ErrorCode::bad_file, "\"{}\": tensor \"{}\" is {}, not a float", path(), name, dtype_name(weight.data.dtype));
  }
  return {name, dims, weight.format, weight.data};
}

nn::Parameter Checkpoint::matrix(const Names& names, int64_t width) const {
  const Dims& dims = parts_->weights().at(parts_->tensor_name(names)).dims;
  return tensor(names, {dims.size() == 2 ? dims[0] : 1, width});
}

nn::Linear Checkpoint::linear(const Names& names, int64_t outputs, int64_t inputs, Bias bias) const {
  nn::Linear linear;
  linear.weight = tensor({names.folder + ".weight", names.gguf + ".weight"}, {outputs, inputs});
  const Names bias_names{names.folder + ".bias", names.gguf + ".bias"};
  if (bias == Bias::always || (bias == Bias::if_there && has_tensor(bias_names))) {
    linear.bias = tensor(bias_names, {outputs});
  }
  return linear;
}

nn::RmsNorm Checkpoint::rms_norm(const Names& names, int64_t size, double epsilon) const {
  return {tensor({names.folder + ".weight", names.gguf + ".weight"}, {size}), epsilon};
}

nn::LayerNorm Checkpoint::layer_norm(const Names& names, int64_t size, double epsilon) const {
  return {tensor({names.folder + ".weight", names.gguf + ".weight"}, {size}),
          tensor({names.folder + ".bias", names.gguf + ".bias"}, {size}), epsilon};
}

}  // namespace narae
