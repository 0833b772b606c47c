// SPDX-License-Identifier: Apache-2.0
// Many short strings in one block, by number; and the way back from bytes to the number.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace narae {

class StringTable {
 public:
  // Throws Error bad_file when all strings together pass 4 GiB.
  void add(std::string_view text);
  void reserve(size_t count, size_t bytes);
  size_t size() const { return ends_.size(); }
  size_t bytes() const { return bytes_.size(); }
  // Valid until the next add().
  std::string_view operator[](size_t i) const {
    const uint32_t begin = i ? ends_[i - 1] : 0;
    return {bytes_.data() + begin, ends_[i] - begin};
  }

 private:
  std::string bytes_;
  std::vector<uint32_t> ends_;
};

// Of equal strings the first number is found. Refers to the table, which must outlive it and not change.
class StringIndex {
 public:
  explicit StringIndex(const StringTable& table);
  // -1 when it is not there.
  int32_t find(std::string_view text) const;

 private:
  struct Slot {
    uint32_t hash = 0;
    int32_t number = -1;
  };
  const StringTable* table_;
  std::vector<Slot> slots_;
};

}  // namespace narae
