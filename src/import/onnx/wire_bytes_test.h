// SPDX-License-Identifier: Apache-2.0
// Writes protobuf wire bytes by hand, for tests only.
#pragma once

#include <cstdint>
#include <string>

#include "import/onnx/wire.h"

namespace narae::onnx {

inline Bytes as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}

inline std::string key(uint32_t number, uint32_t wire_type) { return varint(number << 3 | wire_type); }

// A length-delimited field: text, bytes, a message or packed numbers.
inline std::string field(uint32_t number, const std::string& bytes) {
  return key(number, 2) + varint(bytes.size()) + bytes;
}

inline std::string integer_field(uint32_t number, uint64_t value) { return key(number, 0) + varint(value); }

}  // namespace narae::onnx
