// SPDX-License-Identifier: Apache-2.0
#include "text/python_text.h"

#include <fmt/core.h>
#include <utf8proc.h>

#include <cmath>

namespace narae {
namespace {

bool is_letter(char32_t code) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT: return true;
    default: return false;
  }
}

bool is_printable(char32_t code) {
  if (code == ' ') return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS: return false;
    default: return true;
  }
}

void append_upper(std::string& out, char32_t code) {
  if (code == 0xDF) {
    out += "SS";
  } else {
    append_code_point(out, static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(code))));
  }
}

void append_lower(std::string& out, char32_t code) {
  append_code_point(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))));
}

constexpr char32_t kNoCharacter = 0xFFFFFFFF;  // what stands for a byte that is no UTF-8

bool is_line_end(char32_t code) {
  return (code >= 0x0A && code <= 0x0D) || (code >= 0x1C && code <= 0x1E) || code == 0x85 || code == 0x2028 ||
         code == 0x2029;
}

std::vector<std::string_view> split_at_space(std::string_view text, int64_t limit) {
  std::vector<std::string_view> parts;
  text = strip(text, nullptr, true, false);
  while (!text.empty()) {
    if (limit >= 0 && static_cast<int64_t>(parts.size()) >= limit) {
      parts.push_back(strip(text, nullptr, false, true));
      break;
    }
    std::string_view rest = text;
    size_t end = 0;
    while (!rest.empty() && !is_python_space(next_code_point(rest))) end = text.size() - rest.size();
    parts.push_back(text.substr(0, end));
    text = strip(text.substr(end), nullptr, true, false);
  }
  return parts;
}

}  // namespace

char32_t next_code_point(std::string_view& text, std::string_view* bytes) {
  utf8proc_int32_t code = -1;
  auto taken = static_cast<utf8proc_ssize_t>(1);
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) {
    code = lead;
  } else {
    taken = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                             static_cast<utf8proc_ssize_t>(text.size()), &code);
    if (taken <= 0) taken = 1;
  }
  if (bytes) *bytes = text.substr(0, static_cast<size_t>(taken));
  text.remove_prefix(static_cast<size_t>(taken));
  return code < 0 ? kNoCharacter : static_cast<char32_t>(code);
}

void append_code_point(std::string& out, char32_t code) {
  utf8proc_uint8_t bytes[4];
  const utf8proc_ssize_t count = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(count));
}

int64_t code_points(std::string_view text) {
  int64_t count = 0;
  while (!text.empty()) {
    next_code_point(text);
    ++count;
  }
  return count;
}

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    std::string_view bytes;
    next_code_point(text, &bytes);
    out.push_back(bytes);
  }
  return out;
}

bool is_python_space(char32_t code) {
  return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F ||
         code == 0x205F || code == 0x3000;
}

std::string_view strip(std::string_view text, const std::string* set, bool left, bool right) {
  const auto goes = [&](char32_t code, std::string_view bytes) {
    return set ? set->find(bytes) != std::string::npos : is_python_space(code);
  };
  while (left && !text.empty()) {
    std::string_view rest = text, bytes;
    const char32_t code = next_code_point(rest, &bytes);
    if (!goes(code, bytes)) break;
    text = rest;
  }
  while (right && !text.empty()) {
    size_t begin = text.size() - 1;
    while (begin > 0 && text.size() - begin < 4 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
    std::string_view last = text.substr(begin), bytes;
    const char32_t code = next_code_point(last, &bytes);
    if (!last.empty() || !goes(code, bytes)) break;
    text = text.substr(0, begin);
  }
  return text;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator, int64_t limit) {
  if (separator.empty()) return split_at_space(text, limit);
  std::vector<std::string_view> parts;
  for (size_t at; (limit < 0 || static_cast<int64_t>(parts.size()) < limit) &&
                  (at = text.find(separator)) != std::string_view::npos;) {
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + separator.size());
  }
  parts.push_back(text);
  return parts;
}

std::vector<std::string_view> split_from_right(std::string_view text, std::string_view separator, int64_t limit) {
  std::vector<std::string_view> parts;
  for (size_t at; (limit < 0 || static_cast<int64_t>(parts.size()) < limit) &&
                  (at = text.rfind(separator)) != std::string_view::npos;) {
    parts.push_back(text.substr(at + separator.size()));
    text = text.substr(0, at);
  }
  parts.push_back(text);
  return {parts.rbegin(), parts.rend()};
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  std::string_view rest = text;
  size_t begin = 0;
  while (!rest.empty()) {
    const size_t at = text.size() - rest.size();
    const char32_t code = next_code_point(rest);
    if (!is_line_end(code)) continue;
    if (code == '\r' && !rest.empty() && rest[0] == '\n') rest.remove_prefix(1);
    const size_t next = text.size() - rest.size();
    lines.push_back(text.substr(begin, (keep_ends ? next : at) - begin));
    begin = next;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

std::string replace_text(std::string_view text, std::string_view from, std::string_view to, int64_t limit) {
  std::string out;
  if (from.empty()) {  // before every character and at the end
    for (; limit != 0; --limit) {
      out += to;
      if (text.empty()) return out;
      std::string_view bytes;
      next_code_point(text, &bytes);
      out += bytes;
    }
    return out += text;
  }
  for (size_t at; limit != 0 && (at = text.find(from)) != std::string_view::npos; --limit) {
    out.append(text.substr(0, at)).append(to);
    text.remove_prefix(at + from.size());
  }
  return out += text;
}

std::string to_upper(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::string_view bytes;
    const char32_t code = next_code_point(text, &bytes);
    code == kNoCharacter ? void(out += bytes) : append_upper(out, code);
  }
  return out;
}

std::string to_lower(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    std::string_view bytes;
    const char32_t code = next_code_point(text, &bytes);
    code == kNoCharacter ? void(out += bytes) : append_lower(out, code);
  }
  return out;
}

std::string to_title(std::string_view text) {
  std::string out;
  for (bool inside = false; !text.empty();) {
    std::string_view bytes;
    const char32_t code = next_code_point(text, &bytes);
    if (code == kNoCharacter) {
      out += bytes;
    } else {
      inside ? append_lower(out, code) : append_upper(out, code);
    }
    inside = code != kNoCharacter && is_letter(code);
  }
  return out;
}

std::string to_capitalised(std::string_view text) {
  if (text.empty()) return {};
  std::string_view rest = text, first;
  next_code_point(rest, &first);
  return to_upper(first) + to_lower(rest);
}

void append_quoted(std::string& out, std::string_view text) {
  const char quote = text.find('\'') != text.npos && text.find('"') == text.npos ? '"' : '\'';
  out += quote;
  while (!text.empty()) {
    std::string_view bytes;
    const char32_t code = next_code_point(text, &bytes);
    if (code == static_cast<char32_t>(quote) || code == '\\') {
      (out += '\\') += bytes;
    } else if (code == '\n') {
      out += "\\n";
    } else if (code == '\r') {
      out += "\\r";
    } else if (code == '\t') {
      out += "\\t";
    } else if (code == kNoCharacter || is_printable(code)) {
      out += bytes;
    } else {
      const auto number = static_cast<uint32_t>(code);
      out += number < 0x100     ? fmt::format("\\x{:02x}", number)
             : number < 0x10000 ? fmt::format("\\u{:04x}", number)
                                : fmt::format("\\U{:08x}", number);
    }
  }
  out += quote;
}

std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

}  // namespace narae
