// SPDX-License-Identifier: Apache-2.0
#include "import/weights/safetensors.h"

#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/mapped_file.h"
#include "import/weights/json_file.h"
#include "import/weights/shown_text.h"

namespace narae {
namespace {

constexpr uint64_t max_header = 100'000'000;  // as the reference reader has it

std::optional<DType> dtype_of(std::string_view name) {
  struct Row {
    const char* name;
    DType dtype;
  };
  constexpr Row rows[] = {{"F32", DType::f32},     {"F16", DType::f16}, {"BF16", DType::bf16}, {"F64", DType::f64},
                          {"I8", DType::i8},       {"U8", DType::u8},   {"I16", DType::i16},   {"U16", DType::u16},
                          {"I32", DType::i32},     {"U32", DType::u32}, {"I64", DType::i64},   {"U64", DType::u64},
                          {"BOOL", DType::boolean}};
  for (const Row& row : rows) {
    if (name == row.name) return row.dtype;
  }
  return std::nullopt;
}

Weight read_entry(const std::string& what, const Json& entry, const std::shared_ptr<const MappedFile>& file,
                  std::span<const std::byte> data) {
  if (!entry.is_object()) fail(ErrorCode::bad_file, "{}: its entry is no object", what);
  const Json dtype = entry.value("dtype", Json());
  const Json shape = entry.value("shape", Json());
  const Json offsets = entry.value("data_offsets", Json());
  if (!dtype.is_string()) fail(ErrorCode::bad_file, "{}: dtype is no text", what);
  const auto type = dtype_of(dtype.get_ref<const std::string&>());
  if (!type) {
    fail(ErrorCode::bad_file, "{}: Narae does not read dtype {}; convert it to F32, F16 or BF16", what,
         shown_text(dtype.get_ref<const std::string&>()));
  }
  Weight weight;
  if (!shape.is_array() || shape.size() > 8) fail(ErrorCode::bad_file, "{}: shape is no list of up to 8 sizes", what);
  for (const Json& size : shape) {
    if (!size.is_number_unsigned() || size.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
      fail(ErrorCode::bad_file, "{}: shape holds what is no size", what);
    }
    weight.dims.push_back(size.get<int64_t>());
  }
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    fail(ErrorCode::bad_file, "{}: data_offsets is no pair of offsets", what);
  }
  const uint64_t first = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
  if (first > end || end > data.size()) {
    fail(ErrorCode::bad_file, "{}: bytes {} to {} lie outside the {} bytes of data: is the file cut off?", what, first,
         end, data.size());
  }
  const size_t size = checked_bytes(what, weight.dims, *type);
  if (end - first != size) {
    fail(ErrorCode::bad_file, "{}: {} bytes are given to a {} tensor of shape {}, which takes {}", what, end - first,
         dtype_name(*type), dims_text(weight.dims), size);
  }
  weight.data.dtype = *type;
  weight.data.dims = weight.dims;
  weight.data.data = const_cast<std::byte*>(data.data() + first);
  weight.data.owner = file;
  weight.data.file = file.get();
  return weight;
}

void read_file(const std::string& path, const std::function<void(std::string, Weight)>& add) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  const std::span<const std::byte> bytes = file->bytes();
  uint64_t size = 0;
  if (bytes.size() < sizeof size) fail(ErrorCode::bad_file, "\"{}\" is too short for a safetensors file", path);
  std::memcpy(&size, bytes.data(), sizeof size);
  if (size > max_header || size > bytes.size() - sizeof size) {
    fail(ErrorCode::bad_file, "\"{}\" is no safetensors file or cut off: its header would take {} bytes of {}", path,
         size, bytes.size());
  }
  const Json header = parse_json(fmt::format("\"{}\": header", path),
                                 {reinterpret_cast<const char*>(bytes.data()) + sizeof size, size});
  if (!header.is_object()) fail(ErrorCode::bad_file, "\"{}\": the header is no object", path);
  const std::span<const std::byte> data = bytes.subspan(sizeof size + size);
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    add(name, read_entry(fmt::format("\"{}\": tensor \"{}\"", path, shown_text(name)), entry, file, data));
  }
}

WeightTable read_shards(const std::string& folder, const std::string& index_path) {
  const Json index = read_json(index_path);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    fail(ErrorCode::bad_file, "\"{}\" has no object \"weight_map\"", index_path);
  }
  std::set<std::string> shards;
  for (const auto& [name, shard] : index["weight_map"].items()) {
    const bool is_text = shard.is_string();
    const std::string file = is_text ? shard.get<std::string>() : "";
    if (file.empty() || file.find_first_of(std::string_view("/\\\0", 3)) != std::string::npos || file[0] == '.') {
      fail(ErrorCode::bad_file, "\"{}\": tensor \"{}\" lies in \"{}\", which is no plain file name", index_path,
           shown_text(name), shown_text(file));
    }
    shards.insert(file);
  }
  WeightTable table(folder);
  for (const std::string& shard : shards) {
    read_file((std::filesystem::path(folder) / shard).string(),
              [&](std::string name, Weight weight) { table.add(std::move(name), std::move(weight)); });
  }
  for (const auto& [name, shard] : index["weight_map"].items()) {
    if (!table.find(name)) {
      fail(ErrorCode::bad_file, "\"{}\" names tensor \"{}\", which \"{}\" does not hold", index_path, shown_text(name),
           shard.get<std::string>());
    }
  }
  return table;
}

}  // namespace

WeightTable open_safetensors(const std::string& path) {
  WeightTable table(path);
  read_file(path, [&](std::string name, Weight weight) { table.add(std::move(name), std::move(weight)); });
  return table;
}

WeightTable open_safetensors_folder(const std::string& folder) {
  const std::filesystem::path base(folder);
  const std::string index = (base / "model.safetensors.index.json").string();
  std::error_code ignored;
  if (std::filesystem::exists(index, ignored)) return read_shards(folder, index);
  const std::string single = (base / "model.safetensors").string();
  if (std::filesystem::exists(single, ignored)) return open_safetensors(single);
  fail(ErrorCode::bad_file, "\"{}\" holds neither model.safetensors nor model.safetensors.index.json", folder);
}

}  // namespace narae
