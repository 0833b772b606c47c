// SPDX-License-Identifier: Apache-2.0
#include "import/weights/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "import/weights/shown_text.h"

namespace narae {
namespace {

constexpr uint64_t max_alignment = 1 << 20;

struct TensorType {
  uint32_t id;
  const char* name;
  DType dtype;  // of plain types
  BlockFormat format;
  bool known;
};

constexpr TensorType tensor_types[] = {
    {0, "F32", DType::f32, BlockFormat::none, true},     {1, "F16", DType::f16, BlockFormat::none, true},
    {2, "Q4_0", DType::u8, BlockFormat::q4_0, true},     {3, "Q4_1", DType::u8, BlockFormat::q4_1, true},
    {6, "Q5_0", DType::u8, BlockFormat::q5_0, true},     {7, "Q5_1", DType::u8, BlockFormat::q5_1, true},
    {8, "Q8_0", DType::u8, BlockFormat::q8_0, true},     {9, "Q8_1", DType::u8, BlockFormat::none, false},
    {10, "Q2_K", DType::u8, BlockFormat::none, false},   {11, "Q3_K", DType::u8, BlockFormat::none, false},
    {12, "Q4_K", DType::u8, BlockFormat::q4_k, true},    {13, "Q5_K", DType::u8, BlockFormat::q5_k, true},
    {14, "Q6_K", DType::u8, BlockFormat::q6_k, true},    {15, "Q8_K", DType::u8, BlockFormat::none, false},
    {20, "IQ4_NL", DType::u8, BlockFormat::none, false}, {23, "IQ4_XS", DType::u8, BlockFormat::none, false},
    {24, "I8", DType::i8, BlockFormat::none, true},      {25, "I16", DType::i16, BlockFormat::none, true},
    {26, "I32", DType::i32, BlockFormat::none, true},    {27, "I64", DType::i64, BlockFormat::none, true},
    {28, "F64", DType::f64, BlockFormat::none, true},    {30, "BF16", DType::bf16, BlockFormat::none, true},
    {39, "MXFP4", DType::u8, BlockFormat::none, false},
};

const TensorType& tensor_type(const std::string& what, uint32_t id) {
  const auto* found = std::find_if(std::begin(tensor_types), std::end(tensor_types),
                                   [&](const TensorType& type) { return type.id == id; });
  if (found == std::end(tensor_types) || !found->known) {
    fail(ErrorCode::bad_file,
         "{} is stored as {}, which Narae does not read; convert the model to F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, "
         "Q8_0, Q4_K, Q5_K or Q6_K",
         what, found == std::end(tensor_types) ? fmt::format("type {}", id) : found->name);
  }
  return *found;
}

template <typename T>
T load(const std::byte* data) {
  T value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

}  // namespace

// A cursor that never leaves the file.
struct Gguf::Reader {
  const std::string& path;
  std::span<const std::byte> bytes;
  size_t at = 0;
  std::string what = "the header";

  size_t left() const { return bytes.size() - at; }
  const std::byte* take(uint64_t size) {
    if (size > left()) {
      fail(ErrorCode::bad_file, "\"{}\": {} goes beyond the end of the file ({} bytes wanted at byte {}, {} left)",
           path, what, size, at, left());
    }
    const std::byte* data = bytes.data() + at;
    at += static_cast<size_t>(size);
    return data;
  }
  template <typename T>
  T number() {
    return load<T>(take(sizeof(T)));
  }
  std::string_view text() {
    const uint64_t size = number<uint64_t>();
    return {reinterpret_cast<const char*>(take(size)), static_cast<size_t>(size)};
  }
  // `count` things of at least `least` bytes each must be able to follow.
  void check_count(uint64_t count, uint64_t least) const {
    if (count > left() / least) {
      fail(ErrorCode::bad_file, "\"{}\": {} says {} entries, more than the file can hold", path, what, count);
    }
  }
};

std::shared_ptr<const Gguf> Gguf::open(const std::string& path) {
  std::shared_ptr<Gguf> gguf(new Gguf(MappedFile::open(path)));
  Reader reader{gguf->path(), gguf->file_->bytes()};
  if (std::memcmp(reader.take(4), "GGUF", 4) != 0) {
    fail(ErrorCode::bad_file, "\"{}\" is no GGUF file: it does not begin with \"GGUF\"", path);
  }
  const auto version = reader.number<uint32_t>();
  if (version != 2 && version != 3) {
    fail(ErrorCode::bad_file, "\"{}\" is GGUF of version {}{}; Narae reads versions 2 and 3, little-endian", path,
         version, (version & 0xffff) == 0 ? " or big-endian" : "");
  }
  const auto tensor_count = reader.number<uint64_t>(), value_count = reader.number<uint64_t>();
  reader.check_count(tensor_count, 24);
  reader.check_count(value_count, 13);
  for (uint64_t i = 0; i < value_count; ++i) {
    reader.what = fmt::format("key {} of {}", i, value_count);
    const std::string key(reader.text());
    reader.what = fmt::format("key \"{}\"", shown_text(key));
    gguf->read_value(reader, key);
  }
  // Where the data begins is known only behind the last tensor's entry, so entries are walked twice.
  const size_t first_tensor = reader.at;
  for (uint64_t i = 0; i < tensor_count; ++i) {
    reader.what = fmt::format("tensor {} of {}", i, tensor_count);
    reader.text();
    const auto rank = reader.number<uint32_t>();
    if (rank > 4)
      fail(ErrorCode::bad_file, "\"{}\": {} has {} dimensions; at most 4 are known", path, reader.what, rank);
    reader.take(rank * 8 + 12);
  }
  const int64_t alignment = gguf->find_integer("general.alignment").value_or(32);
  if (alignment < 1 || alignment > static_cast<int64_t>(max_alignment) ||
      !std::has_single_bit(static_cast<uint64_t>(alignment))) {
    fail(ErrorCode::bad_file, "\"{}\": general.alignment is {}; it must be a power of two up to {}", path, alignment,
         max_alignment);
  }
  const uint64_t step = static_cast<uint64_t>(alignment);
  const uint64_t data_offset = (reader.at + step - 1) / step * step;
  reader.at = first_tensor;
  for (uint64_t i = 0; i < tensor_count; ++i) gguf->read_tensor(reader, data_offset);
  return gguf;
}

size_t Gguf::fixed_size(Type type) {
  switch (type) {
    case Type::u8:
    case Type::i8:
    case Type::boolean: return 1;
    case Type::u16:
    case Type::i16: return 2;
    case Type::u32:
    case Type::i32:
    case Type::f32: return 4;
    case Type::u64:
    case Type::i64:
    case Type::f64: return 8;
    case Type::text:
    case Type::list: return 0;
  }
  return 0;
}

void Gguf::read_value(Reader& reader, const std::string& key) {
  const auto read_type = [&] {
    const auto type = reader.number<uint32_t>();
    if (type >= type_count) fail(ErrorCode::bad_file, "\"{}\": {} is of unknown type {}", path(), reader.what, type);
    return static_cast<Type>(type);
  };
  Value value{read_type()};
  if (value.type == Type::list) {
    value.list = true;
    value.type = read_type();
    value.count = reader.number<uint64_t>();
    if (value.type == Type::list) fail(ErrorCode::bad_file, "\"{}\": {} is a list of lists", path(), reader.what);
    reader.check_count(value.count, value.type == Type::text ? 8 : fixed_size(value.type));
  }
  value.data = reader.bytes.data() + reader.at;
  if (value.type == Type::text) {
    for (uint64_t i = 0; i < value.count; ++i) reader.text();
  } else {
    reader.take(value.count * fixed_size(value.type));
  }
  if (!values_.emplace(key, value).second) {
    fail(ErrorCode::bad_file, "\"{}\": {} is there twice", path(), reader.what);
  }
}

void Gguf::read_tensor(Reader& reader, uint64_t data_offset) {
  const std::string_view name = reader.text();
  const std::string what = fmt::format("\"{}\": tensor \"{}\"", path(), shown_text(name));
  Weight weight;
  const auto rank = reader.number<uint32_t>();
  for (uint32_t i = 0; i < rank; ++i) weight.dims.insert(weight.dims.begin(), reader.number<int64_t>());
  const TensorType& type = tensor_type(what, reader.number<uint32_t>());
  const auto offset = reader.number<uint64_t>();

  weight.format = type.format;
  weight.data.dtype = type.dtype;
  weight.data.dims = weight.dims;
  checked_bytes(what, weight.dims, type.dtype);
  if (type.format != BlockFormat::none) {
    const BlockFormatInfo& info = block_format_info(type.format);
    const int64_t row = weight.dims.empty() ? 1 : weight.dims.back();
    if (row == 0 || row % info.values != 0) {
      fail(ErrorCode::bad_file, "{}: rows of {} values cannot be stored as {}, whose blocks hold {}", what, row,
           type.name, info.values);
    }
    weight.data.dims = {element_count(weight.dims) / row, row / info.values * info.bytes};
  }
  const size_t size = checked_bytes(what, weight.data.dims, type.dtype);
  const size_t file_size = reader.bytes.size();
  if (data_offset > file_size || offset > file_size - data_offset || size > file_size - data_offset - offset) {
    fail(ErrorCode::bad_file, "{} ({} bytes at {} of the data) lies outside the file of {} bytes: is it cut off?", what,
         size, offset, file_size);
  }
  weight.data.data = const_cast<std::byte*>(reader.bytes.data() + data_offset + offset);
  weight.data.owner = file_;
  weight.data.file = file_.get();
  weights_.add(std::string(name), std::move(weight));
}

const Gguf::Value& Gguf::value(std::string_view key) const {
  const auto found = values_.find(key);
  if (found == values_.end()) fail(ErrorCode::bad_file, "\"{}\" has no key \"{}\"", path(), key);
  return found->second;
}

const Gguf::Value& Gguf::scalar(std::string_view key) const {
  const Value& found = value(key);
  if (found.list) wrong_type(key, "a single value");
  return found;
}

const Gguf::Value& Gguf::list(std::string_view key) const {
  const Value& found = value(key);
  if (!found.list) wrong_type(key, "a list");
  return found;
}

void Gguf::wrong_type(std::string_view key, const char* wanted) const {
  fail(ErrorCode::bad_file, "\"{}\": key \"{}\" is not {}", path(), key, wanted);
}

std::optional<int64_t> Gguf::element_integer(const Value& value, uint64_t index) {
  const std::byte* at = value.data + index * fixed_size(value.type);
  switch (value.type) {
    case Type::u8: return load<uint8_t>(at);
    case Type::boolean: return load<uint8_t>(at) != 0;
    case Type::i8: return load<int8_t>(at);
    case Type::u16: return load<uint16_t>(at);
    case Type::i16: return load<int16_t>(at);
    case Type::u32: return load<uint32_t>(at);
    case Type::i32: return load<int32_t>(at);
    case Type::i64: return load<int64_t>(at);
    case Type::u64: {
      const auto number = load<uint64_t>(at);
      if (number > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
      return static_cast<int64_t>(number);
    }
    default: return std::nullopt;
  }
}

std::optional<double> Gguf::element_number(const Value& value, uint64_t index) {
  const std::byte* at = value.data + index * fixed_size(value.type);
  if (value.type == Type::f32) return load<float>(at);
  if (value.type == Type::f64) return load<double>(at);
  if (const auto integer = element_integer(value, index)) return static_cast<double>(*integer);
  return std::nullopt;
}

std::string_view Gguf::text(std::string_view key) const {
  const Value& found = scalar(key);
  if (found.type != Type::text) wrong_type(key, "text");
  return {reinterpret_cast<const char*>(found.data + 8), static_cast<size_t>(load<uint64_t>(found.data))};
}

int64_t Gguf::integer(std::string_view key) const {
  const auto number = element_integer(scalar(key), 0);
  if (!number) wrong_type(key, "an integer of 63 bits");
  return *number;
}

double Gguf::number(std::string_view key) const {
  const auto number = element_number(scalar(key), 0);
  if (!number) wrong_type(key, "a number");
  return *number;
}

bool Gguf::flag(std::string_view key) const {
  const Value& found = scalar(key);
  if (found.type != Type::boolean) wrong_type(key, "true or false");
  return load<uint8_t>(found.data) != 0;
}

std::vector<std::string_view> Gguf::texts(std::string_view key) const {
  const Value& found = list(key);
  if (found.type != Type::text) wrong_type(key, "a list of texts");
  std::vector<std::string_view> texts;
  texts.reserve(found.count);
  const std::byte* at = found.data;
  for (uint64_t i = 0; i < found.count; ++i) {
    const auto size = static_cast<size_t>(load<uint64_t>(at));
    texts.emplace_back(reinterpret_cast<const char*>(at + 8), size);
    at += 8 + size;
  }
  return texts;
}

std::vector<int64_t> Gguf::integers(std::string_view key) const {
  const Value& found = list(key);
  if (found.type == Type::text) wrong_type(key, "a list of integers");
  std::vector<int64_t> numbers(found.count);
  for (uint64_t i = 0; i < found.count; ++i) {
    const auto number = element_integer(found, i);
    if (!number) wrong_type(key, "a list of integers");
    numbers[i] = *number;
  }
  return numbers;
}

std::vector<float> Gguf::numbers(std::string_view key) const {
  const Value& found = list(key);
  if (found.type == Type::text) wrong_type(key, "a list of numbers");
  std::vector<float> numbers(found.count);
  for (uint64_t i = 0; i < found.count; ++i) {
    const auto number = element_number(found, i);
    if (!number) wrong_type(key, "a list of numbers");
    numbers[i] = static_cast<float>(*number);
  }
  return numbers;
}

bool Gguf::is_list(std::string_view key) const {
  const auto found = values_.find(key);
  return found != values_.end() && found->second.list;
}

std::optional<std::string_view> Gguf::find_text(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  return text(key);
}

std::optional<int64_t> Gguf::find_integer(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  return integer(key);
}

std::optional<double> Gguf::find_number(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  return number(key);
}

std::optional<bool> Gguf::find_flag(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  return flag(key);
}

}  // namespace narae
