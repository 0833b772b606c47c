// SPDX-License-Identifier: Apache-2.0
// Cursor over protobuf wire bytes (protobuf.dev/programming-guides/encoding): varints, fixed words, length-delimited
// fields. Everything it hands out is a view into the bytes given; not one length or tag of the file is trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace narae::onnx {

using Bytes = std::span<const std::byte>;

// Packed and unpacked elements of one repeated number field, in order, as they stand in the file: each chunk holds
// whole elements (varints, or words of 4 or 8 bytes).
using Chunks = std::vector<Bytes>;

class WireReader {
 public:
  // `message` names the message type in errors.
  WireReader(Bytes bytes, const char* message);

  // Steps to the next field; false at the end. Throws Error bad_file on damage (byte offset in the message).
  bool next();
  uint32_t field() const { return field_; }

  // The value of the current field. Each throws Error bad_file when the field has another wire type.
  int64_t integer() const;
  int32_t integer32() const;
  float f32() const;
  Bytes bytes() const;
  std::string_view text() const;                 // must be valid UTF-8
  WireReader message(const char* name) const;    // throws when nested deeper than 100 messages
  void append(std::vector<int64_t>& out) const;  // repeated varints, packed or not
  void append(std::vector<float>& out) const;    // repeated float, packed or not
  void append_varints(Chunks& out) const;        // as views
  void append_words(Chunks& out, size_t word_size) const;

 private:
  enum class Type { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  WireReader(Bytes bytes, const char* message, const std::byte* origin, int depth);
  void expect(Type type) const;
  uint64_t read_varint();
  uint64_t read_fixed(size_t size);
  [[noreturn]] void damaged(const char* what) const;

  const std::byte* at_;
  const std::byte* end_;
  const std::byte* origin_;  // start of the file: offsets in errors count from here
  const char* message_;
  int depth_ = 0;
  uint32_t field_ = 0;
  Type type_ = Type::varint;
  uint64_t number_ = 0;
  Bytes value_;  // the value's own bytes as they stand in the file
};

// Reads one varint at the front of `bytes` and drops it from them; false: damaged.
bool take_varint(Bytes& bytes, uint64_t& value);

bool valid_utf8(std::string_view text);

}  // namespace narae::onnx
