// SPDX-License-Identifier: Apache-2.0
// Finds out what a path holds. A folder's other files only add to tokenizer.json, they never overrule it.
#include "import/text/read_tokenizer.h"

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/mapped_file.h"
#include "import/text/gguf_tokenizer.h"
#include "import/text/json_tokenizer.h"
#include "import/weights/gguf.h"
#include "import/weights/json_file.h"
#include "import/weights/shown_text.h"

namespace narae {
namespace {

namespace fs = std::filesystem;

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TokenizerTables read_json_file(const std::string& path) {
  const auto file = MappedFile::open(path);
  return with_context([&] { return fmt::format("tokenizer of \"{}\"", path); },
                      [&] { return json_tokenizer(text_of(*file)); });
}

// The id of a special token of tokenizer_config.json: a text or {"content": ..}.
int32_t special_id(const Json& config, const char* key, const StringIndex& index) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return -1;
  const Json& name = found->is_object() ? found->at("content") : *found;
  const int32_t id = index.find(name.get<std::string>());
  if (id < 0) fail(ErrorCode::bad_file, "{} \"{}\" is no token", key, shown_text(name.get<std::string>()));
  return id;
}

std::string chat_template(const Json& config) {
  const auto found = config.find("chat_template");
  if (found == config.end() || found->is_null()) return "";
  if (found->is_string()) return found->get<std::string>();
  for (const Json& named : *found) {
    if (named.at("name").get<std::string>() == "default") return named.at("template").get<std::string>();
  }
  fail(ErrorCode::bad_file, "chat_template has none named \"default\"");
}

void add_stop(int64_t id, TokenizerTables& tables) {
  if (id < 0 || id >= static_cast<int64_t>(tables.tokens.size())) {
    fail(ErrorCode::bad_file, "eos_token_id {} is no token: there are {}", id, tables.tokens.size());
  }
  const auto stop = static_cast<int32_t>(id);
  if (std::find(tables.stops.begin(), tables.stops.end(), stop) == tables.stops.end()) tables.stops.push_back(stop);
}

void read_tokenizer_config(const Json& config, TokenizerTables& tables) {
  const StringIndex index(tables.tokens);
  const int32_t eos = special_id(config, "eos_token", index);
  const int32_t bos = special_id(config, "bos_token", index);
  if (tables.begin < 0) tables.begin = bos;
  if (tables.end < 0) tables.end = eos;
  tables.padding = special_id(config, "pad_token", index);
  if (eos >= 0) add_stop(eos, tables);
  tables.chat_template = chat_template(config);
}

void read_eos(const Json& config, TokenizerTables& tables) {
  const auto eos = config.find("eos_token_id");
  if (eos == config.end() || eos->is_null()) return;
  if (!eos->is_array()) return add_stop(eos->get<int64_t>(), tables);
  for (const Json& id : *eos) add_stop(id.get<int64_t>(), tables);
}

// Calls read(object) for FOLDER/NAME, if it is there.
template <typename Read>
void with_json(const fs::path& folder, const char* name, const Read& read) {
  const std::string path = (folder / name).string();
  if (!fs::exists(path)) return;
  const Json object = read_json(path);
  with_context([&] { return fmt::format("\"{}\"", path); },
               [&] {
                 try {
                   if (!object.is_object()) fail(ErrorCode::bad_file, "is no JSON object");
                   read(object);
                 } catch (const Json::exception& error) {
                   fail(ErrorCode::bad_file, "holds a value of the wrong type: {}", shown_text(error.what()));
                 }
               });
}

TokenizerTables read_folder(const fs::path& folder) {
  const std::string path = (folder / "tokenizer.json").string();
  if (!fs::exists(path)) {
    const bool other = fs::exists(folder / "tokenizer.model");
    fail(ErrorCode::bad_file, "\"{}\" holds no tokenizer.json{}", folder.string(),
         other ? " (tokenizer.model is not read: save the tokenizer with Hugging Face's tokenizers library)" : "");
  }
  TokenizerTables tables = read_json_file(path);
  with_json(folder, "tokenizer_config.json", [&](const Json& config) { read_tokenizer_config(config, tables); });
  with_json(folder, "generation_config.json", [&](const Json& config) { read_eos(config, tables); });
  if (tables.stops.empty()) {
    with_json(folder, "config.json", [&](const Json& config) { read_eos(config, tables); });
  }
  const std::string jinja = (folder / "chat_template.jinja").string();
  if (fs::exists(jinja)) tables.chat_template = std::string(text_of(*MappedFile::open(jinja)));
  return tables;
}

}  // namespace

TokenizerTables read_tokenizer(const std::string& path) {
  std::error_code unknown;
  if (fs::is_directory(path, unknown)) return read_folder(path);
  const auto file = MappedFile::open(path);
  const std::string_view bytes = text_of(*file);
  if (bytes.substr(0, 4) == "GGUF") return gguf_tokenizer(*Gguf::open(path));
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first != bytes.npos && bytes[first] == '{') return read_json_file(path);
  fail(ErrorCode::bad_file, "\"{}\" holds no tokenizer: it is neither a GGUF file nor a tokenizer.json", path);
}

std::unique_ptr<const Tokenizer> load_tokenizer(const std::string& path) {
  TokenizerTables tables = read_tokenizer(path);
  return with_context([&] { return fmt::format("tokenizer of \"{}\"", path); },
                      [&] { return std::make_unique<const Tokenizer>(std::move(tables)); });
}

}  // namespace narae
