// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/vendor_library.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include <filesystem>

namespace narae::cuda {

VendorLibrary::VendorLibrary(const std::vector<std::string>& names, const std::string& dirs) {
  std::vector<std::string> paths;
  for (size_t at = 0; at < dirs.size();) {
    const size_t end = std::min(dirs.find(':', at), dirs.size());
    const std::string dir = dirs.substr(at, end - at);
    for (const std::string& name : names) {
      std::error_code error;
      const auto path = std::filesystem::path(dir) / name;
      if (!dir.empty() && std::filesystem::exists(path, error)) paths.push_back(path.string());
    }
    at = end + 1;
  }
  paths.insert(paths.end(), names.begin(), names.end());
  for (const std::string& path : paths) {
    handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle_) {
      reason_.clear();
      return;
    }
    const char* why = dlerror();
    if (reason_.empty() || path.find('/') != std::string::npos) reason_ = why ? why : path + " could not be loaded";
  }
}

void* VendorLibrary::symbol(const char* name) {
  if (!handle_) return nullptr;
  void* found = dlsym(handle_, name);
  if (!found) reason_ = fmt::format("the library lacks {}: it is too old", name);
  return found;
}

}  // namespace narae::cuda
