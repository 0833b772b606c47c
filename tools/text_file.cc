// SPDX-License-Identifier: Apache-2.0
#include "text_file.h"

#include <charconv>

#include "base/error.h"
#include "text/utf8.h"

namespace narae {

TextFile::TextFile(const std::string& path) : file_(MappedFile::open(path)) {
  if (const size_t wrong = find_invalid_utf8(text()); wrong != std::string_view::npos) {
    fail(ErrorCode::bad_file, "\"{}\" is not UTF-8: byte {} is part of no character", path, wrong);
  }
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
  }
  return lines;
}

std::vector<int32_t> parse_ids(std::string_view list) {
  const std::string_view all = list;
  std::vector<int32_t> ids;
  for (bool more = !list.empty(); more;) {
    int32_t id = 0;
    const auto [end, error] = std::from_chars(list.data(), list.data() + list.size(), id);
    list.remove_prefix(static_cast<size_t>(end - list.data()));
    more = list.starts_with(',');
    if (error != std::errc() || (!more && !list.empty())) {
      fail(ErrorCode::usage, "--ids \"{}\": entry {} is no token id; give them as 1,2,3", all, ids.size());
    }
    if (more) list.remove_prefix(1);
    ids.push_back(id);
  }
  return ids;
}

}  // namespace narae
