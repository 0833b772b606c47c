// SPDX-License-Identifier: Apache-2.0
// The header is a Python dict literal; only the three keys that NumPy itself writes are read.
#include "npy.h"

#include <charconv>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "base/mapped_file.h"

namespace narae {

namespace {

constexpr std::string_view magic("\x93NUMPY", 6);

[[noreturn]] void bad_header(const char* what) {
  fail(ErrorCode::bad_file, "{}; save it with numpy.save(path, numpy.ascontiguousarray(a), allow_pickle=False)", what);
}

// The text after `'key':`, without leading spaces.
std::string_view value_of(std::string_view header, std::string_view key) {
  const std::string quoted = fmt::format("'{}'", key);
  const size_t at = header.find(quoted);
  if (at == std::string_view::npos) bad_header("the .npy header is incomplete");
  header.remove_prefix(at + quoted.size());
  const size_t begin = header.find_first_not_of(": ");
  if (begin == std::string_view::npos) bad_header("the .npy header is incomplete");
  return header.substr(begin);
}

std::vector<int64_t> parse_shape(std::string_view text) {
  const size_t close = text.find(')');
  if (text.empty() || text[0] != '(' || close == std::string_view::npos) bad_header("the .npy header has no shape");
  std::vector<int64_t> shape;
  const char* at = text.data() + 1;
  const char* end = text.data() + close;
  while (at < end) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    int64_t dim = 0;
    const auto result = std::from_chars(at, end, dim);
    if (result.ec != std::errc() || dim < 0) bad_header("the .npy header has a bad shape");
    shape.push_back(dim);
    at = result.ptr;
  }
  return shape;
}

uint64_t size_of(const NpyArray& array) {
  uint64_t size = npy_element_size(array.descr);
  if (size == 0) {
    fail(ErrorCode::bad_file, "element type \"{}\" is not a plain little-endian number; convert it with numpy's astype",
         array.descr);
  }
  for (const int64_t dim : array.shape) {
    if (dim > 0 && size > (uint64_t{1} << 62) / static_cast<uint64_t>(dim)) bad_header("the .npy array is too large");
    size *= static_cast<uint64_t>(dim);
  }
  return size;
}

NpyArray parse(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(magic) || text.size() < 12) bad_header("this is not a .npy file");
  const int version = text[6];
  if (version < 1 || version > 3) bad_header("unknown .npy version");
  const size_t length_size = version == 1 ? 2 : 4;
  uint32_t length = 0;
  std::memcpy(&length, text.data() + 8, length_size);
  const size_t begin = 8 + length_size;
  if (length > text.size() - begin) bad_header("the .npy header is cut off");
  const std::string_view header = text.substr(begin, length);
  NpyArray array;
  const std::string_view descr = value_of(header, "descr");
  const size_t quote = descr.empty() ? std::string_view::npos : descr.find('\'', 1);
  if (quote == std::string_view::npos || descr[0] != '\'') bad_header("structured .npy arrays are not supported");
  array.descr = std::string(descr.substr(1, quote - 1));
  if (!value_of(header, "fortran_order").starts_with("False"))
    bad_header("Fortran-ordered .npy arrays are not supported");
  array.shape = parse_shape(value_of(header, "shape"));
  const uint64_t size = size_of(array);
  if (text.size() - begin - length != size) bad_header("the .npy file does not hold as many bytes as its shape needs");
  array.bytes = bytes.subspan(begin + length, size);
  return array;
}

}  // namespace

size_t npy_element_size(const std::string& descr) {
  if (descr.size() != 3 || (descr[0] != '<' && descr[0] != '|')) return 0;
  const char kind = descr[1], digit = descr[2];
  if (kind == 'b' || digit == '1') return (kind == 'b' || kind == 'i' || kind == 'u') && digit == '1' ? 1 : 0;
  if (kind != 'f' && kind != 'i' && kind != 'u') return 0;
  if (descr[0] == '|') return 0;
  return digit == '2' || digit == '4' || digit == '8' ? static_cast<size_t>(digit - '0') : 0;
}

NpyArray read_npy(const std::string& path) {
  return with_context([&] { return fmt::format("npy \"{}\"", path); },
                      [&] {
                        const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
                        NpyArray array = parse(file->bytes());
                        array.owner = file;
                        return array;
                      });
}

void write_npy(const std::string& path, const NpyArray& array) {
  NARAE_CHECK(size_of(array) == array.bytes.size());
  std::string shape;
  for (const int64_t dim : array.shape) shape += fmt::format("{}, ", dim);
  if (array.shape.size() == 1)
    shape.pop_back();  // (3,)
  else if (!shape.empty())
    shape.resize(shape.size() - 2);  // (3, 4)
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", array.descr, shape);
  const size_t prefix = magic.size() + 4;
  header.append(63 - (prefix + header.size()) % 64, ' ');
  header += '\n';
  const uint32_t length = static_cast<uint32_t>(header.size());
  NARAE_CHECK(length < 65536);
  const char version_and_length[4] = {1, 0, static_cast<char>(length & 0xff), static_cast<char>(length >> 8)};
  AtomicFile file(path);
  file.write(magic.data(), magic.size());
  file.write(version_and_length, sizeof version_and_length);
  file.write(header.data(), header.size());
  file.write(array.bytes.data(), array.bytes.size());
  file.commit();
}

}  // namespace narae
