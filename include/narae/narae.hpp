// SPDX-License-Identifier: Apache-2.0
// C++20 over the C ABI (narae.h says what each call means, its units and errors): owners that free themselves, and
// narae::Error instead of status codes. Header-only, so no C++ type ever crosses the library's boundary.
// The one thing not to get wrong: bind() keeps a pointer, and an output is a view until the next run().
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "narae/narae.h"

namespace narae {
// Keeps these names apart from the library's own classes where both end up in one binary.
inline namespace v1 {

using Shape = std::vector<std::int64_t>;

// what() is the whole line, `frame > frame > message`.
class Error : public std::runtime_error {
 public:
  // Takes over `error`; it may be null when the library could not even make one.
  Error(narae_status status, narae_error* error)
      : std::runtime_error(error ? narae_error_text(error) : narae_status_name(status)), status_(status) {
    if (!error) return;
    message_ = narae_error_message(error);
    for (std::size_t i = 0; i < narae_error_context_count(error); ++i)
      context_.emplace_back(narae_error_context(error, i));
    narae_error_free(error);
  }

  narae_status status() const { return status_; }
  const std::string& message() const { return message_; }
  // Outermost first.
  const std::vector<std::string>& context() const { return context_; }

 private:
  narae_status status_;
  std::string message_;
  std::vector<std::string> context_;
};

// Runs `call(narae_error**)` and throws Error unless it returns NARAE_OK.
template <typename Call>
void check(Call&& call) {
  narae_error* error = nullptr;
  if (narae_status status = call(&error); status != NARAE_OK) throw Error(status, error);
}

// The element types a Tensor can be made from or read as.
template <typename T>
constexpr narae_dtype dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return NARAE_F32;
  else if constexpr (std::is_same_v<T, double>)
    return NARAE_F64;
  else if constexpr (std::is_same_v<T, bool>)
    return NARAE_BOOL;
  else if constexpr (std::is_same_v<T, std::int8_t>)
    return NARAE_I8;
  else if constexpr (std::is_same_v<T, std::int16_t>)
    return NARAE_I16;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return NARAE_I32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return NARAE_I64;
  else if constexpr (std::is_same_v<T, std::uint8_t>)
    return NARAE_U8;
  else if constexpr (std::is_same_v<T, std::uint16_t>)
    return NARAE_U16;
  else if constexpr (std::is_same_v<T, std::uint32_t>)
    return NARAE_U32;
  else {
    static_assert(std::is_same_v<T, std::uint64_t>, "no narae_dtype for this type; use the untyped call");
    return NARAE_U64;
  }
}

// Product of the dims; 1 for a scalar.
inline std::size_t element_count(std::span<const std::int64_t> shape) {
  std::size_t count = 1;
  for (std::int64_t dim : shape) count *= static_cast<std::size_t>(dim);
  return count;
}

// A view of an output: row-major, valid until the session's next run().
class TensorView {
 public:
  explicit TensorView(const narae_tensor& tensor) : tensor_(tensor) {}

  narae_dtype dtype() const { return tensor_.dtype; }
  std::span<const std::int64_t> shape() const { return {tensor_.dims, static_cast<std::size_t>(tensor_.rank)}; }
  const void* data() const { return tensor_.data; }
  // Throws std::invalid_argument when the dtype is another.
  template <typename T>
  std::span<const T> as() const {
    if (tensor_.dtype != dtype_of<T>())
      throw std::invalid_argument(std::string("the tensor holds ") + narae_dtype_name(tensor_.dtype));
    return {static_cast<const T*>(tensor_.data), element_count(shape())};
  }

 private:
  narae_tensor tensor_;
};

// An input or an output of an engine; dims hold -1 and symbols a text where the size is not fixed.
struct ValueInfo {
  std::string name;
  narae_dtype dtype = NARAE_F32;
  Shape dims;
  std::vector<std::string> symbols;
};

struct RuntimeOptions {
  std::string device = "cpu";
  std::string isa = "auto";
  std::string cache_dir = {};  // empty: keep nothing on disk
  std::uint64_t memory_limit_bytes = 0;
  int threads = 0;  // per core set; 0 = usable cores / core_sets
  int core_sets = 1;
  bool deterministic = false;
  std::string activations = "int8";  // rows before weights in blocks (GGUF); or "fp32": slower
};

// Returns false to cancel. What it throws comes out of build() after the build has stopped.
using Progress = std::function<bool(std::string_view stage, std::int64_t done, std::int64_t total)>;

struct BuildOptions {
  std::string passes = "all";
  // "NAME:1x3x224x224,.."; empty: any shape the model allows.
  std::string min_shapes = {}, opt_shapes = {}, max_shapes = {};
  int opt_level = 2;
  Progress progress = {};
};

namespace detail {
template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

inline const char* text_or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

// Lets a C++ callback be called through C: what it throws waits here until the C call is over.
struct ProgressCall {
  const Progress& progress;
  std::exception_ptr thrown;
  static int call(void* user, const char* stage, std::int64_t done, std::int64_t total) noexcept {
    auto* self = static_cast<ProgressCall*>(user);
    try {
      return self->progress(stage, done, total) ? 0 : 1;
    } catch (...) {
      self->thrown = std::current_exception();
      return 1;
    }
  }
};
}  // namespace detail

// The device, its core sets and one memory account; engines are built in it.
class Runtime {
 public:
  explicit Runtime(const RuntimeOptions& options = {}) {
    narae_runtime_options c = NARAE_RUNTIME_OPTIONS_INIT;
    c.device = detail::text_or_null(options.device);
    c.isa = detail::text_or_null(options.isa);
    c.cache_dir = detail::text_or_null(options.cache_dir);
    c.memory_limit_bytes = options.memory_limit_bytes;
    c.threads = options.threads;
    c.core_sets = options.core_sets;
    c.deterministic = options.deterministic;
    c.activations = detail::text_or_null(options.activations);
    narae_runtime* handle = nullptr;
    check([&](narae_error** error) { return narae_runtime_create(&c, &handle, error); });
    handle_.reset(handle);
  }
  narae_runtime* get() const { return handle_.get(); }

 private:
  std::unique_ptr<narae_runtime, detail::Deleter<narae_runtime_free>> handle_;
};

// A compiled model, immutable; any number of threads may use it.
class Engine {
 public:
  // Compiles a model file, or loads an engine file, whichever `path` is.
  static Engine build(Runtime& runtime, const std::string& path, const BuildOptions& options = {}) {
    detail::ProgressCall progress{options.progress, nullptr};
    narae_build_options c = NARAE_BUILD_OPTIONS_INIT;
    c.passes = detail::text_or_null(options.passes);
    c.min_shapes = detail::text_or_null(options.min_shapes);
    c.opt_shapes = detail::text_or_null(options.opt_shapes);
    c.max_shapes = detail::text_or_null(options.max_shapes);
    c.opt_level = options.opt_level;
    if (options.progress) {
      c.progress = detail::ProgressCall::call;
      c.progress_user = &progress;
    }
    narae_engine* handle = nullptr;
    narae_error* error = nullptr;
    narae_status status = narae_engine_build(runtime.get(), path.c_str(), &c, &handle, &error);
    if (progress.thrown) {
      narae_error_free(error);
      narae_engine_free(handle);
      std::rethrow_exception(progress.thrown);
    }
    if (status != NARAE_OK) throw Error(status, error);
    return Engine(handle);
  }
  // Loads an engine file.
  static Engine load(Runtime& runtime, const std::string& path) {
    narae_engine* handle = nullptr;
    check([&](narae_error** error) { return narae_engine_load(runtime.get(), path.c_str(), &handle, error); });
    return Engine(handle);
  }
  void save(const std::string& path) const {
    check([&](narae_error** error) { return narae_engine_save(get(), path.c_str(), error); });
  }

  std::vector<ValueInfo> inputs() const { return infos(narae_engine_input_count(get()), narae_engine_input); }
  std::vector<ValueInfo> outputs() const { return infos(narae_engine_output_count(get()), narae_engine_output); }
  // Null when the model has no such key; lives as long as the engine.
  const char* metadata(const std::string& key) const { return narae_engine_metadata(get(), key.c_str()); }
  narae_engine_stats stats() const {
    narae_engine_stats stats = NARAE_ENGINE_STATS_INIT;
    check([&](narae_error** error) { return narae_engine_get_stats(get(), &stats, error); });
    return stats;
  }
  narae_engine* get() const { return handle_.get(); }

 private:
  explicit Engine(narae_engine* handle) : handle_(handle) {}

  template <typename Query>
  std::vector<ValueInfo> infos(std::size_t count, Query query) const {
    std::vector<ValueInfo> result(count);
    for (std::size_t i = 0; i < count; ++i) {
      narae_value_info c = NARAE_VALUE_INFO_INIT;
      check([&](narae_error** error) { return query(get(), i, &c, error); });
      result[i].name = c.name;
      result[i].dtype = c.dtype;
      result[i].dims.assign(c.dims, c.dims + c.rank);
      for (std::int32_t d = 0; d < c.rank; ++d) result[i].symbols.emplace_back(c.symbols[d] ? c.symbols[d] : "");
    }
    return result;
  }

  std::unique_ptr<narae_engine, detail::Deleter<narae_engine_free>> handle_;
};

// Mutable run state of one engine on one core set; one thread at a time, but for cancel().
class Session {
 public:
  explicit Session(const Engine& engine, int core_set = 0) {
    narae_session_options c = NARAE_SESSION_OPTIONS_INIT;
    c.core_set = core_set;
    narae_session* handle = nullptr;
    check([&](narae_error** error) { return narae_session_create(engine.get(), &c, &handle, error); });
    handle_.reset(handle);
  }

  // Row-major `data` of `shape`, read in place by every run until bound again.
  template <typename T>
  void bind(std::size_t index, const T* data, std::span<const std::int64_t> shape) {
    bind(index, data, dtype_of<T>(), shape);
  }
  template <typename T>
  void bind(std::size_t index, const T* data, std::initializer_list<std::int64_t> shape) {
    bind(index, data, dtype_of<T>(), std::span<const std::int64_t>(shape.begin(), shape.size()));
  }
  void bind(std::size_t index, const void* data, narae_dtype dtype, std::span<const std::int64_t> shape) {
    narae_tensor c = NARAE_TENSOR_INIT;
    c.data = data;
    c.dims = shape.data();
    c.rank = static_cast<std::int32_t>(shape.size());
    c.dtype = dtype;
    check([&](narae_error** error) { return narae_session_bind(get(), index, &c, error); });
  }
  void run() {
    check([&](narae_error** error) { return narae_session_run(get(), error); });
  }
  TensorView output(std::size_t index = 0) const {
    narae_tensor c = NARAE_TENSOR_INIT;
    check([&](narae_error** error) { return narae_session_output(get(), index, &c, error); });
    return TensorView(c);
  }
  void cancel() { narae_session_cancel(get()); }
  narae_session_stats stats() const {
    narae_session_stats stats = NARAE_SESSION_STATS_INIT;
    check([&](narae_error** error) { return narae_session_get_stats(get(), &stats, error); });
    return stats;
  }
  narae_session* get() const { return handle_.get(); }

 private:
  std::unique_ptr<narae_session, detail::Deleter<narae_session_free>> handle_;
};

}  // namespace v1
}  // namespace narae
