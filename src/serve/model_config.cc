// SPDX-License-Identifier: Apache-2.0
// A reader of protobuf's text format, as far as configurations need it. The schema is the code that asks for fields.
#include "serve/model_config.h"

#include <charconv>
#include <functional>

#include "base/error.h"

namespace narae {
namespace {

class PbText {
 public:
  explicit PbText(std::string_view text) : text_(text) {}

  // Calls `field` for each `name:` or `name {` up to the end or a closing brace.
  void fields(const std::string& path, const std::function<void(const std::string& path)>& field) {
    if (++depth_ > 16) bad("messages are nested too deeply");
    for (skip(); at_ < text_.size() && text_[at_] != '}'; skip()) {
      const std::string name = word();
      if (name.empty()) bad(fmt::format("a field is expected, not '{}'", text_[at_]));
      field(path.empty() ? name : path + "." + name);
      skip();
      if (at_ < text_.size() && (text_[at_] == ',' || text_[at_] == ';')) ++at_;
    }
    if (--depth_ == 0 && at_ < text_.size()) bad("'}' closes nothing");
  }
  void message(const std::string& path, const std::function<void(const std::string& path)>& field) {
    take(':');
    repeated([&] {
      need('{');
      fields(path, field);
      need('}');
    });
  }
  // One value or a list of them in brackets.
  void repeated(const std::function<void()>& value) {
    if (!take('[')) return value();
    while (!take(']')) {
      value();
      if (!take(',') && !peek(']')) bad("',' or ']' is expected");
    }
  }
  int64_t integer(const std::string& path) {
    skip();
    int64_t value = 0;
    const char* end = text_.data() + text_.size();
    const auto read = std::from_chars(text_.data() + at_, end, value);
    if (read.ec != std::errc()) bad(fmt::format("{} is to be a whole number", path));
    at_ = static_cast<size_t>(read.ptr - text_.data());
    return value;
  }
  std::string text(const std::string& path) {
    skip();
    const char quote = at_ < text_.size() ? text_[at_] : ' ';
    if (quote != '"' && quote != '\'') bad(fmt::format("{} is to be a text in quotes", path));
    const size_t end = text_.find(quote, at_ + 1);
    if (end == text_.npos) bad(fmt::format("the text of {} is not closed", path));
    std::string out(text_.substr(at_ + 1, end - at_ - 1));
    if (out.find('\\') != out.npos) bad(fmt::format("{}: escapes are not known here", path));
    at_ = end + 1;
    return out;
  }
  std::string name() {
    skip();
    return word();
  }
  void colon() { need(':'); }
  void need(char c) {
    if (!take(c)) bad(fmt::format("'{}' is expected", c));
  }
  [[noreturn]] void bad(const std::string& what) const {
    size_t line = 1;
    for (size_t i = 0; i < at_ && i < text_.size(); ++i) line += text_[i] == '\n';
    fail(ErrorCode::bad_file, "config.pbtxt, line {}: {}", line, what);
  }

 private:
  void skip() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (text_[at_] == ' ' || (text_[at_] >= '\t' && text_[at_] <= '\r')) {
        ++at_;
      } else {
        return;
      }
    }
  }
  bool peek(char c) {
    skip();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool take(char c) {
    if (!peek(c)) return false;
    ++at_;
    return true;
  }
  std::string word() {
    const size_t begin = at_;
    const auto is_word = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

class ConfigReader {
 public:
  explicit ConfigReader(std::string_view text) : in_(text) {}
  ModelConfig read() {
    in_.fields("", [&](const std::string& path) { top(path); });
    return std::move(config_);
  }

 private:
  int64_t number(const std::string& path, int64_t low) {
    in_.colon();
    const int64_t value = in_.integer(path);
    if (value < low) in_.bad(fmt::format("{} is {}; it must be at least {}", path, value, low));
    return value;
  }
  [[noreturn]] void unknown(const std::string& path) {
    in_.bad(fmt::format("the field {} is not known; leave it out", path));
  }
  void top(const std::string& path) {
    if (path == "name") {
      in_.colon();
      config_.name = in_.text(path);
    } else if (path == "platform" || path == "backend") {
      in_.colon();
      const std::string what = in_.text(path);
      if (what != "narae" && what != "onnxruntime" && what != "onnxruntime_onnx" && !what.empty()) {
        in_.bad(fmt::format("the {} \"{}\" is not here; Narae takes ONNX models and its own engine files", path, what));
      }
    } else if (path == "max_batch_size") {
      config_.max_batch = number(path, 0);
    } else if (path == "input" || path == "output") {
      in_.message(path, [&](const std::string& inner) { tensor(inner); });
    } else if (path == "dynamic_batching") {
      in_.message(path, [&](const std::string& inner) { batching(inner); });
    } else if (path == "instance_group") {
      in_.message(path, [&](const std::string& inner) { group(inner); });
    } else {
      unknown(path);
    }
  }
  // The model itself says these; they are read, so that files written for others load.
  void tensor(const std::string& path) {
    const std::string field = path.substr(path.find('.') + 1);
    if (field != "name" && field != "data_type" && field != "dims") unknown(path);
    in_.colon();
    if (field == "name") {
      in_.text(path);
    } else if (field == "data_type") {
      if (in_.name().rfind("TYPE_", 0) != 0) in_.bad(fmt::format("{} is to be TYPE_..", path));
    } else {
      in_.repeated([&] { in_.integer(path); });
    }
  }
  void batching(const std::string& path) {
    if (path == "dynamic_batching.max_queue_delay_microseconds") {
      config_.max_delay = number(path, 0);
    } else if (path == "dynamic_batching.preferred_batch_size") {
      in_.colon();
      in_.repeated([&] { config_.preferred.push_back(in_.integer(path)); });
    } else if (path == "dynamic_batching.default_queue_policy") {
      in_.message(path, [&](const std::string& inner) {
        if (inner != path + ".max_queue_size") unknown(inner);
        config_.max_queue = number(inner, 1);
      });
    } else {
      unknown(path);
    }
  }
  void group(const std::string& path) {
    if (path == "instance_group.count") {
      config_.instances = config_.instances.value_or(0) + number(path, 1);
    } else if (path == "instance_group.kind") {
      in_.colon();
      const std::string kind = in_.name();
      if (kind != "KIND_CPU" && kind != "KIND_AUTO") in_.bad(fmt::format("{} is to be KIND_CPU or KIND_AUTO", path));
    } else {
      unknown(path);
    }
  }

  PbText in_;
  ModelConfig config_;
};

}  // namespace

ModelConfig parse_model_config(std::string_view text) {
  if (text.size() > 1 << 20) fail(ErrorCode::bad_file, "config.pbtxt: more than a megabyte");
  return ConfigReader(text).read();
}

}  // namespace narae
