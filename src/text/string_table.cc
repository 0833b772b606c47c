// SPDX-License-Identifier: Apache-2.0
// Strings by number and back; open addressing over the table's own bytes.
#include "text/string_table.h"

#include <bit>

#include "base/error.h"
#include "base/hash.h"

namespace narae {

void StringTable::add(std::string_view text) {
  if (text.size() > UINT32_MAX - bytes_.size()) fail(ErrorCode::bad_file, "the tokens are larger than 4 GiB together");
  bytes_.append(text);
  ends_.push_back(static_cast<uint32_t>(bytes_.size()));
}

void StringTable::reserve(size_t count, size_t bytes) {
  ends_.reserve(count);
  bytes_.reserve(bytes);
}

StringIndex::StringIndex(const StringTable& table) : table_(&table) {
  slots_.resize(std::bit_ceil(table.size() * 2 + 2));
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < table.size(); ++i) {
    const std::string_view text = table[i];
    const auto hash = static_cast<uint32_t>(hash_string(text));
    size_t at = hash & mask;
    for (; slots_[at].number >= 0; at = (at + 1) & mask) {
      if (slots_[at].hash == hash && table[slots_[at].number] == text) break;
    }
    if (slots_[at].number < 0) slots_[at] = {hash, static_cast<int32_t>(i)};
  }
}

int32_t StringIndex::find(std::string_view text) const {
  const size_t mask = slots_.size() - 1;
  const auto hash = static_cast<uint32_t>(hash_string(text));
  for (size_t at = hash & mask; slots_[at].number >= 0; at = (at + 1) & mask) {
    if (slots_[at].hash == hash && (*table_)[slots_[at].number] == text) return slots_[at].number;
  }
  return -1;
}

}  // namespace narae
