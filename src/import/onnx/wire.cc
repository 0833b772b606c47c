// SPDX-License-Identifier: Apache-2.0
// Lengths are compared with what is left before any pointer moves; nothing is allocated from a length in the file.
#include "import/onnx/wire.h"

#include <cstring>

#include "base/error.h"

namespace narae::onnx {

namespace {

constexpr int max_depth = 100;  // protobuf's own limit

}  // namespace

bool take_varint(Bytes& bytes, uint64_t& value) {
  value = 0;
  const size_t limit = bytes.size() < 10 ? bytes.size() : 10;
  for (size_t i = 0; i < limit; ++i) {
    const auto byte = static_cast<uint64_t>(bytes[i]);
    if (i == 9 && byte > 1) return false;  // beyond 64 bits
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      bytes = bytes.subspan(i + 1);
      return true;
    }
  }
  return false;
}

bool valid_utf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t more = lead < 0x80 ? 0 : lead < 0xc2 ? 9 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 9;
    if (more > 3 || text.size() - i <= more) return false;
    for (size_t k = 1; k <= more; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    const auto second = more > 0 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return false;  // overlong, surrogates
    if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return false;  // overlong, > U+10FFFF
    i += more + 1;
  }
  return true;
}

WireReader::WireReader(Bytes bytes, const char* message) : WireReader(bytes, message, bytes.data(), 0) {}

WireReader::WireReader(Bytes bytes, const char* message, const std::byte* origin, int depth)
    : at_(bytes.data()), end_(bytes.data() + bytes.size()), origin_(origin), message_(message), depth_(depth) {}

void WireReader::damaged(const char* what) const {
  fail(ErrorCode::bad_file,
       "{} at byte {} (in {}, field {}); the file is truncated or damaged: fetch or export it again", what,
       at_ - origin_, message_, field_);
}

uint64_t WireReader::read_varint() {
  Bytes rest(at_, end_);
  uint64_t value;
  if (!take_varint(rest, value)) damaged("bad varint");
  at_ = rest.data();
  return value;
}

uint64_t WireReader::read_fixed(size_t size) {
  if (static_cast<size_t>(end_ - at_) < size) damaged("number beyond the end");
  uint64_t value = 0;
  std::memcpy(&value, at_, size);
  at_ += size;
  return value;
}

bool WireReader::next() {
  if (at_ == end_) return false;
  const uint64_t tag = read_varint();
  if (tag >> 32 != 0 || tag >> 3 == 0) damaged("bad field number");
  field_ = static_cast<uint32_t>(tag >> 3);
  const std::byte* begin = at_;
  switch (tag & 7) {
    case 0: number_ = read_varint(); break;
    case 1: number_ = read_fixed(8); break;
    case 2: {
      const uint64_t size = read_varint();
      if (size > static_cast<uint64_t>(end_ - at_)) damaged("length beyond the end");
      begin = at_;
      at_ += size;
      break;
    }
    case 5: number_ = read_fixed(4); break;
    default: damaged("unknown wire type");
  }
  type_ = static_cast<Type>(tag & 7);
  value_ = Bytes(begin, at_);
  return true;
}

void WireReader::expect(Type type) const {
  if (type_ != type) damaged("wrong wire type");
}

int64_t WireReader::integer() const {
  expect(Type::varint);
  return static_cast<int64_t>(number_);
}

int32_t WireReader::integer32() const { return static_cast<int32_t>(static_cast<uint32_t>(integer())); }

float WireReader::f32() const {
  expect(Type::fixed32);
  const auto bits = static_cast<uint32_t>(number_);
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

Bytes WireReader::bytes() const {
  expect(Type::bytes);
  return value_;
}

std::string_view WireReader::text() const {
  const Bytes raw = bytes();
  const std::string_view text(reinterpret_cast<const char*>(raw.data()), raw.size());
  if (!valid_utf8(text)) damaged("text that is not UTF-8");
  return text;
}

WireReader WireReader::message(const char* name) const {
  expect(Type::bytes);
  if (depth_ >= max_depth) damaged("messages nested too deeply");
  return WireReader(value_, name, origin_, depth_ + 1);
}

void WireReader::append_varints(Chunks& out) const {
  if (type_ != Type::varint) expect(Type::bytes);
  if (!value_.empty()) out.push_back(value_);
}

void WireReader::append_words(Chunks& out, size_t word_size) const {
  if (type_ != (word_size == 4 ? Type::fixed32 : Type::fixed64)) expect(Type::bytes);
  if (value_.size() % word_size != 0) damaged("packed numbers of a wrong length");
  if (!value_.empty()) out.push_back(value_);
}

void WireReader::append(std::vector<int64_t>& out) const {
  if (type_ == Type::varint) {
    out.push_back(integer());
    return;
  }
  Bytes rest = bytes();
  uint64_t value;
  while (!rest.empty()) {
    if (!take_varint(rest, value)) damaged("bad varint");
    out.push_back(static_cast<int64_t>(value));
  }
}

void WireReader::append(std::vector<float>& out) const {
  Chunks chunks;
  append_words(chunks, 4);
  for (const Bytes& chunk : chunks) {
    const size_t old = out.size();
    out.resize(old + chunk.size() / 4);
    std::memcpy(out.data() + old, chunk.data(), chunk.size());
  }
}

}  // namespace narae::onnx
