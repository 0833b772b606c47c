// SPDX-License-Identifier: Apache-2.0
#include "serve/model_folder.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/error.h"

namespace narae {
namespace {

namespace fs = std::filesystem;

// The number that a folder is named for; 0: none.
int64_t version_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  int64_t version = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), version);
  return read.ec == std::errc() && read.ptr == name.data() + name.size() && version > 0 ? version : 0;
}

fs::path model_in(const fs::path& version) {
  if (fs::exists(version / "config.json")) return version;  // Hugging Face's
  fs::path found;
  for (const fs::directory_entry& entry : fs::directory_iterator(version)) {
    if (entry.path().stem() != "model") continue;
    if (!found.empty()) fail(ErrorCode::bad_file, "\"{}\" holds two models; leave one", version.string());
    found = entry.path();
  }
  if (found.empty()) fail(ErrorCode::bad_file, "\"{}\" holds no file model.*", version.string());
  return found;
}

void read_folder(const fs::path& folder, ModelSource& source) {
  int64_t newest = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) newest = std::max(newest, version_of(entry.path()));
  }
  if (newest == 0) {
    fail(ErrorCode::bad_file,
         "\"{}\" is no model: it has neither a folder of a version, such as {}/1/model.onnx, nor a config.json; of "
         "a folder with several models give each by itself",
         folder.string(), folder.string());
  }
  source.version = std::to_string(newest);
  source.path = model_in(folder / source.version).string();
  std::ifstream file(folder / "config.pbtxt", std::ios::binary);
  if (!file) return;
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  source.config =
      with_context([&] { return fmt::format("\"{}\"", folder.string()); }, [&] { return parse_model_config(text); });
}

}  // namespace

ModelSource model_source(const std::string& argument) {
  ModelSource source;
  const size_t equals = argument.find('=');
  const bool named = equals != std::string::npos && argument.find('/') > equals;
  fs::path path = named ? argument.substr(equals + 1) : argument;
  if (path.filename().empty()) path = path.parent_path();
  source.path = path.string();
  if (fs::exists(path / "config.json")) {
    source.name = path.filename().string();
  } else if (fs::is_directory(path)) {
    read_folder(path, source);
    source.name = path.filename().string();
    if (source.config.name && *source.config.name != source.name && !named) {
      fail(ErrorCode::bad_file, "the folder \"{}\" holds the configuration of \"{}\"; give them one name",
           path.string(), *source.config.name);
    }
  } else {
    source.name = path.stem().string();
  }
  if (named) source.name = argument.substr(0, equals);
  return source;
}

}  // namespace narae
