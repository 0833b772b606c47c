// SPDX-License-Identifier: Apache-2.0
#include "backend/library_file.h"

#include <dlfcn.h>
#include <link.h>

#include <filesystem>

namespace narae {
namespace {

// The folder of the executable or library that this code is part of; empty where the system does not tell.
std::filesystem::path own_folder() {
  Dl_info info;
  link_map* map = nullptr;
  std::error_code error;
  static const char inside = 0;
  if (!dladdr1(&inside, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) || !map) return {};
  const bool is_program = !map->l_name || !*map->l_name;
  const auto path = std::filesystem::canonical(is_program ? "/proc/self/exe" : map->l_name, error);
  return error ? std::filesystem::path() : path.parent_path();
}

}  // namespace

std::string library_file(const std::string& file_name) {
  const std::filesystem::path folder = own_folder();
  if (folder.empty()) return {};
  std::error_code error;
  for (const std::filesystem::path& place : {folder / file_name, folder.parent_path() / "lib" / file_name}) {
    if (std::filesystem::exists(place, error)) return place.string();
  }
  return {};
}

}  // namespace narae
