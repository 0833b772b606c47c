// SPDX-License-Identifier: Apache-2.0
// Nothing is allocated before the size that dims ask for has been compared with the bytes that are there.
#include "import/onnx/tensor_data.h"

#include <charconv>
#include <cstring>
#include <filesystem>

#include "base/error.h"

namespace narae::onnx {

namespace {

constexpr uint64_t max_bytes = uint64_t{1} << 62;

std::string shape_text(const TensorProto& tensor) {
  std::string text = element_type_name(tensor.data_type);
  for (size_t i = 0; i < tensor.dims.size(); ++i) text += fmt::format("{}{}", i == 0 ? " [" : ",", tensor.dims[i]);
  return tensor.dims.empty() ? text + " scalar" : text + "]";
}

[[noreturn]] void wrong_size(const TensorProto& tensor, uint64_t want, uint64_t have, const char* unit) {
  fail(ErrorCode::bad_file, "{} needs {} {} but {} are stored; export the model again", shape_text(tensor), want, unit,
       have);
}

uint64_t stored_bytes(const Chunks& chunks) {
  uint64_t size = 0;
  for (const Bytes& chunk : chunks) size += chunk.size();
  return size;
}

// Varints to elements of `width` bytes, low bytes first.
std::shared_ptr<std::vector<std::byte>> decode_varints(const TensorProto& tensor, const Chunks& chunks, size_t width,
                                                       uint64_t size) {
  const uint64_t count = size / width;
  if (stored_bytes(chunks) < count) wrong_size(tensor, count, stored_bytes(chunks), "numbers");  // at least a byte each
  auto out = std::make_shared<std::vector<std::byte>>(size);
  uint64_t done = 0;
  for (Bytes rest : chunks) {
    uint64_t value;
    while (!rest.empty()) {
      if (!take_varint(rest, value)) fail(ErrorCode::bad_file, "{} holds a bad varint", shape_text(tensor));
      if (done < count) std::memcpy(out->data() + done * width, &value, width);
      ++done;
    }
  }
  if (done != count) wrong_size(tensor, count, done, "numbers");
  return out;
}

TensorData owned(std::shared_ptr<std::vector<std::byte>> bytes) {
  const Bytes view(bytes->data(), bytes->size());
  return {view, std::move(bytes), nullptr};
}

TensorData join_words(const TensorProto& tensor, const Chunks& chunks, uint64_t size, const TensorData& source) {
  if (stored_bytes(chunks) != size) wrong_size(tensor, size, stored_bytes(chunks), "bytes");
  if (chunks.empty()) return {{}, source.owner};
  if (chunks.size() == 1) return {chunks[0], source.owner, source.file};
  auto out = std::make_shared<std::vector<std::byte>>();
  out->reserve(size);
  for (const Bytes& chunk : chunks) out->insert(out->end(), chunk.begin(), chunk.end());
  return owned(std::move(out));
}

uint64_t parse_size(const StringEntry& entry) {
  uint64_t value = 0;
  const char* end = entry.value.data() + entry.value.size();
  const auto result = std::from_chars(entry.value.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) {
    fail(ErrorCode::bad_file, "external data: {} \"{}\" is not a size", entry.key, entry.value);
  }
  return value;
}

}  // namespace

uint64_t proto_element_count(const TensorProto& tensor) {
  uint64_t count = 1;
  bool empty = false, huge = false;
  for (const int64_t dim : tensor.dims) {
    if (dim < 0) fail(ErrorCode::bad_file, "negative dim in {}", shape_text(tensor));
    if (dim == 0)
      empty = true;
    else if (count > max_bytes / static_cast<uint64_t>(dim))
      huge = true;
    else
      count *= static_cast<uint64_t>(dim);
  }
  if (empty) return 0;
  if (huge) fail(ErrorCode::bad_file, "{} is too large", shape_text(tensor));
  return count;
}

uint64_t byte_size(const TensorProto& tensor) {
  const int bits = element_bits(tensor.data_type);
  if (bits == 0) {
    fail(ErrorCode::bad_file, "element type {} ({}) is not supported; use a numeric type",
         element_type_name(tensor.data_type), static_cast<int32_t>(tensor.data_type));
  }
  const uint64_t count = proto_element_count(tensor);
  if (count > max_bytes / static_cast<uint64_t>(bits)) fail(ErrorCode::bad_file, "{} is too large", shape_text(tensor));
  return (count * static_cast<uint64_t>(bits) + 7) / 8;
}

TensorSource::TensorSource(std::shared_ptr<const void> owner, std::string folder)
    : owner_(std::move(owner)), folder_(std::move(folder)) {}

TensorSource::TensorSource(const std::shared_ptr<const MappedFile>& file) : owner_(file), file_(file.get()) {
  folder_ = std::filesystem::path(file->path()).parent_path().string();
  if (folder_.empty()) folder_ = ".";
}

TensorData TensorSource::read(const TensorProto& tensor) {
  if (tensor.segmented) fail(ErrorCode::bad_file, "segmented tensors are not supported; export the model again");
  const uint64_t size = byte_size(tensor);
  if (tensor.external) return read_external(tensor, size);
  if (tensor.has_raw_data) {
    if (tensor.raw_data.size() != size) wrong_size(tensor, size, tensor.raw_data.size(), "bytes");
    return {tensor.raw_data, owner_, file_};
  }
  const TensorData whole{{}, owner_, file_};
  switch (tensor.data_type) {
    case ElementType::float32:
    case ElementType::complex64: return join_words(tensor, tensor.float_data, size, whole);
    case ElementType::float64:
    case ElementType::complex128: return join_words(tensor, tensor.double_data, size, whole);
    case ElementType::int64: return owned(decode_varints(tensor, tensor.int64_data, 8, size));
    case ElementType::uint64: return owned(decode_varints(tensor, tensor.uint64_data, 8, size));
    case ElementType::uint32: return owned(decode_varints(tensor, tensor.uint64_data, 4, size));
    default: break;  // all narrower types share int32_data; sub-byte ones stand there already packed into bytes
  }
  const int bits = element_bits(tensor.data_type);
  return owned(decode_varints(tensor, tensor.int32_data, bits < 8 ? 1 : static_cast<size_t>(bits) / 8, size));
}

TensorData TensorSource::read_external(const TensorProto& tensor, uint64_t size) {
  std::string location;
  uint64_t offset = 0, length = size;
  for (const StringEntry& entry : tensor.external_data) {
    if (entry.key == "location") location = std::string(entry.value);
    if (entry.key == "offset") offset = parse_size(entry);
    if (entry.key == "length") length = parse_size(entry);
  }
  if (length != size) wrong_size(tensor, size, length, "bytes of external data");
  const std::shared_ptr<const MappedFile> file = external_file(location);
  const Bytes bytes = file->bytes();
  if (offset > bytes.size() || size > bytes.size() - offset) {
    fail(
        ErrorCode::bad_file,
        "external data file \"{}\" has {} bytes, too short for {} at offset {}; fetch it again together with the model",
        file->path(), bytes.size(), shape_text(tensor), offset);
  }
  return {bytes.subspan(offset, size), file, file.get()};
}

std::shared_ptr<const MappedFile> TensorSource::external_file(const std::string& location) {
  namespace fs = std::filesystem;
  const fs::path path(location);
  bool inside = !location.empty() && !path.is_absolute() && location.find('\0') == std::string::npos;
  for (const fs::path& part : path) inside = inside && part != "..";
  if (!inside) {
    fail(ErrorCode::bad_file,
         "external data path \"{}\" leaves the model's folder; keep the data beside the model and export it again",
         location);
  }
  auto& file = files_[location];
  if (!file) {
    const std::string full = (fs::path(folder_) / path).string();
    if (!fs::exists(full)) {
      fail(ErrorCode::bad_file, "external data file \"{}\" is missing; put it beside the model", full);
    }
    file = MappedFile::open(full);
  }
  return file;
}

}  // namespace narae::onnx
