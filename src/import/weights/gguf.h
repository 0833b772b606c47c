// SPDX-License-Identifier: Apache-2.0
// A GGUF file (versions 2 and 3, little-endian): keys with values, and tensors. Everything is a view into the mapped
// file, which is read once from front to back and not trusted anywhere.
// Source: the GGUF specification (ggml, docs/gguf.md).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "import/weights/weight_table.h"

namespace narae {

class Gguf {
 public:
  // Throws Error bad_file that names the file and the key or tensor.
  static std::shared_ptr<const Gguf> open(const std::string& path);

  const std::string& path() const { return weights_.path(); }
  const WeightTable& weights() const { return weights_; }

  bool has(std::string_view key) const { return values_.find(key) != values_.end(); }
  // Views are valid as long as the Gguf. All throw Error bad_file naming the key when it is absent or of another type;
  // find_.. give nothing when it is absent.
  std::string_view text(std::string_view key) const;
  int64_t integer(std::string_view key) const;  // of any integer type; true and false are 1 and 0
  double number(std::string_view key) const;    // of any number type
  bool flag(std::string_view key) const;
  std::vector<std::string_view> texts(std::string_view key) const;
  std::vector<int64_t> integers(std::string_view key) const;
  std::vector<float> numbers(std::string_view key) const;
  bool is_list(std::string_view key) const;
  std::optional<std::string_view> find_text(std::string_view key) const;
  std::optional<int64_t> find_integer(std::string_view key) const;
  std::optional<double> find_number(std::string_view key) const;
  std::optional<bool> find_flag(std::string_view key) const;

 private:
  enum class Type : uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, list, u64, i64, f64 };
  static constexpr uint32_t type_count = 13;
  struct Value {
    Type type;  // of the elements, when it is a list
    bool list = false;
    uint64_t count = 1;
    const std::byte* data = nullptr;
  };
  struct Reader;

  explicit Gguf(std::shared_ptr<const MappedFile> file) : file_(std::move(file)), weights_(file_->path()) {}
  void read_value(Reader& reader, const std::string& key);
  void read_tensor(Reader& reader, uint64_t data_offset);
  const Value& value(std::string_view key) const;
  const Value& scalar(std::string_view key) const;
  const Value& list(std::string_view key) const;
  static size_t fixed_size(Type type);
  static std::optional<int64_t> element_integer(const Value& value, uint64_t index);
  static std::optional<double> element_number(const Value& value, uint64_t index);
  [[noreturn]] void wrong_type(std::string_view key, const char* wanted) const;

  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, Value, std::less<>> values_;
  WeightTable weights_;
};

}  // namespace narae
