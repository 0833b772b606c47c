// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/text_kernels.h"

#include <fstream>
#include <iterator>

#include "backend/cuda/cuda_error.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/mapped_file.h"

namespace narae::cuda {

TextKernels::TextKernels(const std::string& library_dirs, std::string cache_dir, int ordinal, std::string arch)
    : library_({"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"}, library_dirs),
      cache_dir_(std::move(cache_dir)),
      arch_(std::move(arch)),
      ordinal_(ordinal) {
  const bool found = library_.loaded() && library_.find("nvrtcVersion", version_) &&
                     library_.find("nvrtcCreateProgram", create_) && library_.find("nvrtcDestroyProgram", destroy_) &&
                     library_.find("nvrtcCompileProgram", compile_) &&
                     library_.find("nvrtcGetCUBINSize", image_size_) && library_.find("nvrtcGetCUBIN", image_) &&
                     library_.find("nvrtcGetProgramLogSize", log_size_) && library_.find("nvrtcGetProgramLog", log_) &&
                     library_.find("nvrtcGetErrorString", error_text_);
  if (!found) {
    reason_ = "no NVRTC, so pointwise code runs on the host: " + library_.reason();
    return;
  }
  version_(&major_, &minor_);
}

std::string TextKernels::version() const { return fmt::format("NVRTC {}.{}", major_, minor_); }

std::string TextKernels::compile(const std::string& text) const {
  nvrtcProgram program = nullptr;
  nvrtcResult code = create_(&program, text.c_str(), "body.cu", 0, nullptr, nullptr);
  if (code != NVRTC_SUCCESS) fail(ErrorCode::failed, "NVRTC: {}", error_text_(code));
  const std::string arch = "--gpu-architecture=" + arch_;
  const char* options[] = {arch.c_str(), "--std=c++17", "--no-source-include"};
  code = compile_(program, 2, options);
  std::string log;
  size_t size = 0;
  if (code != NVRTC_SUCCESS) {
    if (log_size_(program, &size) == NVRTC_SUCCESS && size > 1) {
      log.resize(size);
      log_(program, log.data());
    }
    destroy_(&program);
    fail(ErrorCode::failed, "NVRTC: {}: {}", error_text_(code), log);
  }
  std::string image;
  code = image_size_(program, &size);
  if (code == NVRTC_SUCCESS) {
    image.resize(size);
    code = image_(program, image.data());
  }
  destroy_(&program);
  if (code != NVRTC_SUCCESS) fail(ErrorCode::failed, "NVRTC: {}", error_text_(code));
  return image;
}

// From disk where it was compiled before. The text stands in the file too: equal hashes of other texts do no harm.
std::string TextKernels::image(const std::string& text) const {
  if (cache_dir_.empty()) return compile(text);
  const std::string key = fmt::format("{} {}.{}\n{}", arch_, major_, minor_, text);
  const std::string path = fmt::format("{}/kernel-{:016x}.bin", cache_dir_, hash_bytes(key.data(), key.size(), 0));
  std::ifstream file(path, std::ios::binary);
  const std::string kept{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (kept.size() > key.size() && kept.compare(0, key.size(), key) == 0) return kept.substr(key.size());
  std::string made = compile(text);
  try {
    AtomicFile out(path);
    out.write(key.data(), key.size());
    out.write(made.data(), made.size());
    out.commit();
  } catch (const Error&) {
    // A cache that cannot be written costs time, not the answer.
  }
  return made;
}

cudaKernel_t TextKernels::get(const std::string& text, const char* name) {
  if (!available()) fail(ErrorCode::failed, "{}", reason_);
  const std::lock_guard<std::mutex> lock(mutex_);
  check(cudaSetDevice(ordinal_), "choosing the device");
  auto [it, fresh] = loaded_.try_emplace(text, nullptr);
  if (fresh) {
    try {
      const std::string bytes = image(text);
      check(cudaLibraryLoadData(&it->second, bytes.data(), nullptr, nullptr, 0, nullptr, nullptr, 0),
            "loading a compiled kernel");
    } catch (...) {
      loaded_.erase(it);
      throw;
    }
  }
  cudaKernel_t kernel = nullptr;
  check(cudaLibraryGetKernel(&kernel, it->second, name), "finding a compiled kernel");
  return kernel;
}

}  // namespace narae::cuda
