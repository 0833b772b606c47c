// SPDX-License-Identifier: Apache-2.0
// Runtimes and element types.
#include "api/boundary.h"
#include "api/handles.h"

namespace narae::api {
namespace {

struct Pair {
  narae_dtype c;
  DType dtype;
};
constexpr Pair pairs[] = {{NARAE_F32, DType::f32},     {NARAE_F64, DType::f64}, {NARAE_F16, DType::f16},
                          {NARAE_BF16, DType::bf16},   {NARAE_I8, DType::i8},   {NARAE_I16, DType::i16},
                          {NARAE_I32, DType::i32},     {NARAE_I64, DType::i64}, {NARAE_U8, DType::u8},
                          {NARAE_U16, DType::u16},     {NARAE_U32, DType::u32}, {NARAE_U64, DType::u64},
                          {NARAE_BOOL, DType::boolean}};

const Pair* pair_of(narae_dtype dtype) {
  for (const Pair& pair : pairs) {
    if (pair.c == dtype) return &pair;
  }
  return nullptr;
}

std::string text_of(const char* text, const char* otherwise) { return text ? text : otherwise; }

RuntimeOptions options_of(const narae_runtime_options& c) {
  if (c.threads < 0) fail(ErrorCode::usage, "{} threads: give 0 for all usable cores, or more", c.threads);
  if (c.core_sets < 1) fail(ErrorCode::usage, "{} core sets: there must be at least 1", c.core_sets);
  if (c.memory_limit_bytes > static_cast<uint64_t>(INT64_MAX))
    fail(ErrorCode::usage, "a memory limit of {} bytes is no limit; give 0 for none", c.memory_limit_bytes);
  RuntimeOptions options;
  options.device = text_of(c.device, "cpu");
  options.isa = text_of(c.isa, "auto");
  options.activations = text_of(c.activations, "int8");
  options.cache_dir = text_of(c.cache_dir, "");
  options.memory_limit = static_cast<int64_t>(c.memory_limit_bytes);
  options.threads = c.threads;
  options.core_sets = c.core_sets;
  options.deterministic = c.deterministic != 0;
  return options;
}

}  // namespace

narae_dtype to_c(DType dtype) {
  for (const Pair& pair : pairs) {
    if (pair.dtype == dtype) return pair.c;
  }
  fail(ErrorCode::internal, "{} has no number in the C interface", dtype_name(dtype));
}

DType from_c(narae_dtype dtype) {
  const Pair* pair = pair_of(dtype);
  if (!pair) fail(ErrorCode::usage, "there is no dtype of number {}", static_cast<int>(dtype));
  return pair->dtype;
}

}  // namespace narae::api

using namespace narae::api;  // NOLINT: the C functions below are its only purpose

extern "C" {

const char* narae_dtype_name(narae_dtype dtype) {
  const Pair* pair = pair_of(dtype);
  return pair ? narae::dtype_name(pair->dtype) : nullptr;
}

size_t narae_dtype_size(narae_dtype dtype) {
  const Pair* pair = pair_of(dtype);
  return pair ? narae::dtype_size(pair->dtype) : 0;
}

narae_status narae_runtime_create(const narae_runtime_options* options, narae_runtime** runtime, narae_error** error) {
  return guarded(error, [&] {
    wanted(runtime, "runtime");
    const narae_runtime_options defaults = NARAE_RUNTIME_OPTIONS_INIT;
    auto made = std::make_unique<narae_runtime>();
    made->runtime = std::make_shared<narae::Runtime>(options_of(known_fields(options, defaults)));
    *runtime = made.release();
  });
}

void narae_runtime_free(narae_runtime* runtime) { delete runtime; }

}  // extern "C"
