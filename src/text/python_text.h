// SPDX-License-Identifier: Apache-2.0
// Python's str over UTF-8: what it counts, cuts, strips and changes is code points. Bytes that are no UTF-8 count as
// one code point each and pass through unchanged.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace narae {

// Takes the first code point off `text` (not empty); its bytes are returned in `bytes`.
char32_t next_code_point(std::string_view& text, std::string_view* bytes = nullptr);
void append_code_point(std::string& out, char32_t code);
int64_t code_points(std::string_view text);
// The characters, each as its bytes.
std::vector<std::string_view> characters(std::string_view text);

bool is_python_space(char32_t code);
// Without what is in `set` (null: white space) at its begin and its end.
std::string_view strip(std::string_view text, const std::string* set, bool left = true, bool right = true);
// str.split(separator, limit); an empty separator: at white space.
std::vector<std::string_view> split(std::string_view text, std::string_view separator, int64_t limit);
std::vector<std::string_view> split_from_right(std::string_view text, std::string_view separator, int64_t limit);
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends = false);
std::string replace_text(std::string_view text, std::string_view from, std::string_view to, int64_t limit);
std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string to_title(std::string_view text);  // str.title: every letter after none
std::string to_capitalised(std::string_view text);
// repr(str)
void append_quoted(std::string& out, std::string_view text);
// repr(float)
std::string float_text(double value);

}  // namespace narae
