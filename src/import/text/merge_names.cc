// SPDX-License-Identifier: Apache-2.0
#include "import/text/merge_names.h"

#include "base/error.h"
#include "text/utf8.h"

namespace narae {
namespace {

std::string_view shown(std::string_view text) {
  if (find_invalid_utf8(text) != text.npos) return "(not UTF-8)";
  return text.size() <= 200 ? text : "(very long)";
}

}  // namespace

TokenMerge named_merge(std::string_view left, std::string_view right, const StringIndex& index) {
  const TokenMerge merge{index.find(left), index.find(right)};
  if (merge.left < 0 || merge.right < 0) {
    fail(ErrorCode::bad_file, "the merge of \"{}\" and \"{}\" names \"{}\", which is no token", shown(left),
         shown(right), shown(merge.left < 0 ? left : right));
  }
  return merge;
}

TokenMerge named_merge(std::string_view merge, const StringIndex& index) {
  const size_t blank = merge.find(' ', 1);
  if (blank == merge.npos) fail(ErrorCode::bad_file, "the merge \"{}\" is not two tokens", shown(merge));
  return named_merge(merge.substr(0, blank), merge.substr(blank + 1), index);
}

}  // namespace narae
