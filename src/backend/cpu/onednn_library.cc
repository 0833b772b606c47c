// SPDX-License-Identifier: Apache-2.0
// The library is never unloaded: its OpenMP runtime keeps state in every thread that ran it.
#include "backend/cpu/onednn_library.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include "backend/library_file.h"

namespace narae::cpu {
namespace {

constexpr const char* file_name = "libnarae_onednn.so";

#ifdef NARAE_ONEDNN_BUILD_ID
constexpr const char* own_build_id = NARAE_ONEDNN_BUILD_ID;
#else
constexpr const char* own_build_id = "";
#endif

}  // namespace

OnednnLibrary::OnednnLibrary() : OnednnLibrary({}, own_build_id) {}
OnednnLibrary::OnednnLibrary(std::string path, std::string build_id)
    : path_(std::move(path)), build_id_(std::move(build_id)) {}

const OnednnTable* OnednnLibrary::table() const {
  std::call_once(once_, [this] { load(); });
  return table_;
}

const std::string& OnednnLibrary::reason() const {
  table();
  return reason_;
}

void OnednnLibrary::load() const {
  if (build_id_.empty()) {
    reason_ = "this build is without oneDNN";
    return;
  }
  const std::string path = path_.empty() ? library_file(file_name) : path_;
  if (path.empty()) {
    reason_ = fmt::format("{} does not lie beside this program", file_name);
    return;
  }
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!handle) {
    const char* why = dlerror();
    reason_ = why ? why : path + " could not be loaded";
    return;
  }
  const auto entry = reinterpret_cast<OnednnEntry>(dlsym(handle, "narae_onednn_table"));
  table_ = entry ? entry(build_id_.c_str()) : nullptr;
  if (!table_) reason_ = fmt::format("{} is of another build of Narae (not {})", path, build_id_);
}

}  // namespace narae::cpu
