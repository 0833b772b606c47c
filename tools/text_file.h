// SPDX-License-Identifier: Apache-2.0
// What --text, --chat and --ids hold.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"

namespace narae {

// A file of UTF-8, mapped. Throws Error bad_file that names the first byte which is part of no character.
class TextFile {
 public:
  explicit TextFile(const std::string& path);
  std::string_view text() const {
    return {reinterpret_cast<const char*>(file_->bytes().data()), file_->bytes().size()};
  }

 private:
  std::shared_ptr<const MappedFile> file_;
};

// Without their ends, be those \n or \r\n; views into `text`.
std::vector<std::string_view> lines_of(std::string_view text);

// Token ids as 1,2,3; nothing for an empty list. Throws Error usage that counts the entries up to the wrong one.
std::vector<int32_t> parse_ids(std::string_view list);

}  // namespace narae
