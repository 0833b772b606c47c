// SPDX-License-Identifier: Apache-2.0
// A GGUF file or a Hugging Face folder (config.json and safetensors) seen in one way: facts and tensors, each under
// its two names. Every answer is checked, because an architecture builds on it without looking again.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "nn/layers.h"

namespace narae {

class Gguf;

// What one thing is called in either kind of file. Of config.json: keys of nested objects joined by dots. Of GGUF: for
// facts without the leading name of the architecture.
struct Names {
  std::string folder, gguf;
};

class Checkpoint {
 public:
  // Throws Error bad_file that names the file.
  static Checkpoint open(const std::string& path);
  ~Checkpoint();
  Checkpoint(Checkpoint&&) noexcept;

  const std::string& path() const;
  // model_type of config.json or general.architecture.
  const std::string& architecture() const;
  bool is_gguf() const;

  // Facts. Error bad_file naming the key when it is of another type, or absent where no fallback is given; null in
  // config.json is absent. Integers and numbers must be within the bounds.
  int64_t integer(const Names& names, std::optional<int64_t> fallback = {}, int64_t low = 1,
                  int64_t high = int64_t{1} << 31) const;
  double number(const Names& names, std::optional<double> fallback = {}, double low = 0.0, double high = 1e12) const;
  bool flag(const Names& names, std::optional<bool> fallback = {}) const;
  std::string text(const Names& names, std::optional<std::string> fallback = {}) const;
  bool has(const Names& names) const;
  // The fact must be one of what Narae knows: else Error bad_file naming both.
  void require(const Names& names, const std::string& fallback, std::initializer_list<std::string_view> known) const;

  // Tensors. Error bad_file naming the tensor when it is absent or has another shape.
  bool has_tensor(const Names& names) const;
  nn::Parameter tensor(const Names& names, const Dims& dims) const;
  // A table of rows of this width; how many is the file's to say.
  nn::Parameter matrix(const Names& names, int64_t width) const;
  // NAME.weight and, where it is there or `bias` says that it must be, NAME.bias.
  enum class Bias : uint8_t { none, if_there, always };
  nn::Linear linear(const Names& names, int64_t outputs, int64_t inputs, Bias bias = Bias::none) const;
  nn::RmsNorm rms_norm(const Names& names, int64_t size, double epsilon) const;
  nn::LayerNorm layer_norm(const Names& names, int64_t size, double epsilon) const;

 private:
  struct Parts;
  explicit Checkpoint(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace narae
