/* SPDX-License-Identifier: Apache-2.0
 * Compiles a model, runs it once on seeded numbers and prints the shapes that come out, in plain C.
 * run_model MODEL [DIMS ..]     DIMS such as 1x3x224x224, one for each input in order; 1 for what stays open */
#include <narae/narae.h>
#include <stdio.h>
#include <stdlib.h>

enum { max_inputs = 16, max_rank = 8 };

/* Prints what went wrong and takes over `error`; returns the exit status. */
static int report(narae_status status, narae_error* error) {
  fprintf(stderr, "run_model: %s\n", error ? narae_error_text(error) : narae_status_name(status));
  narae_error_free(error);
  return (int)status;
}

/* Fills dims from "1x3x8" (text may be NULL): open dims take its numbers, or 1. Returns the element count, 0 if the
 * text does not fit. */
static size_t choose_dims(const narae_value_info* info, const char* text, int64_t* dims) {
  size_t count = 1;
  if (info->rank > max_rank) return 0;
  for (int32_t d = 0; d < info->rank; ++d) {
    dims[d] = info->dims[d] < 0 ? 1 : info->dims[d];
    if (text) {
      char* end = NULL;
      dims[d] = strtoll(text, &end, 10);
      if (end == text || dims[d] <= 0 || *end != (d + 1 < info->rank ? 'x' : '\0')) return 0;
      text = end + 1;
    }
    count *= (size_t)dims[d];
  }
  return count;
}

/* The same numbers on every machine: f32 between -1 and 1, all else zero bytes (valid in every dtype). */
static void* seeded(narae_dtype dtype, size_t count, uint32_t seed) {
  void* data = calloc(count, narae_dtype_size(dtype));
  if (data && dtype == NARAE_F32)
    for (size_t i = 0; i < count; ++i) {
      seed = seed * 1664525u + 1013904223u;
      ((float*)data)[i] = (float)(seed >> 8) / 8388608.0f - 1.0f;
    }
  return data;
}

static void print_tensor(const char* name, const narae_tensor* tensor) {
  printf("%s %s [", name, narae_dtype_name(tensor->dtype));
  for (int32_t d = 0; d < tensor->rank; ++d) printf("%s%lld", d ? "," : "", (long long)tensor->dims[d]);
  printf("]\n");
}

/* Binds input `index`; its memory goes to *data, to be freed after the run. */
static int bind(narae_engine* engine, narae_session* session, size_t index, const char* text, void** data) {
  narae_error* error = NULL;
  narae_status status;
  narae_value_info info = NARAE_VALUE_INFO_INIT;
  narae_tensor tensor = NARAE_TENSOR_INIT;
  int64_t dims[max_rank];
  size_t count;
  if ((status = narae_engine_input(engine, index, &info, &error)) != NARAE_OK) return report(status, error);
  if ((count = choose_dims(&info, text, dims)) == 0) {
    fprintf(stderr, "run_model: input \"%s\" wants %d dims like 1x3x8\n", info.name, (int)info.rank);
    return NARAE_USAGE;
  }
  if (!(*data = seeded(info.dtype, count, 1u + (uint32_t)index))) {
    fprintf(stderr, "run_model: not enough memory for input \"%s\"\n", info.name);
    return NARAE_FAILED;
  }
  tensor.data = *data;
  tensor.dims = dims;
  tensor.rank = info.rank;
  tensor.dtype = info.dtype;
  print_tensor(info.name, &tensor);
  if ((status = narae_session_bind(session, index, &tensor, &error)) != NARAE_OK) return report(status, error);
  return 0;
}

static int run(narae_engine* engine, narae_session* session) {
  narae_error* error = NULL;
  narae_status status = narae_session_run(session, &error);
  if (status != NARAE_OK) return report(status, error);
  for (size_t i = 0; i < narae_engine_output_count(engine); ++i) {
    narae_value_info info = NARAE_VALUE_INFO_INIT;
    narae_tensor tensor = NARAE_TENSOR_INIT;
    if ((status = narae_engine_output(engine, i, &info, &error)) != NARAE_OK) return report(status, error);
    if ((status = narae_session_output(session, i, &tensor, &error)) != NARAE_OK) return report(status, error);
    print_tensor(info.name, &tensor);
  }
  return 0;
}

int main(int argc, char** argv) {
  narae_runtime* runtime = NULL;
  narae_engine* engine = NULL;
  narae_session* session = NULL;
  narae_error* error = NULL;
  narae_status status;
  void* data[max_inputs] = {NULL};
  int result = 0;
  if (argc < 2) {
    fprintf(stderr, "run_model MODEL [DIMS ..]\n");
    return NARAE_USAGE;
  }
  if (narae_api_version() < NARAE_API_VERSION) {
    fprintf(stderr, "run_model: the installed Narae %s is older than its header\n", narae_version());
    return NARAE_FAILED;
  }
  if ((status = narae_runtime_create(NULL, &runtime, &error)) != NARAE_OK ||
      (status = narae_engine_build(runtime, argv[1], NULL, &engine, &error)) != NARAE_OK ||
      (status = narae_session_create(engine, NULL, &session, &error)) != NARAE_OK)
    result = report(status, error);
  if (result == 0 && narae_engine_input_count(engine) > max_inputs) {
    fprintf(stderr, "run_model: more than %d inputs\n", max_inputs);
    result = NARAE_USAGE;
  }
  for (size_t i = 0; result == 0 && i < narae_engine_input_count(engine); ++i)
    result = bind(engine, session, i, i + 2 < (size_t)argc ? argv[i + 2] : NULL, &data[i]);
  if (result == 0) result = run(engine, session);
  narae_session_free(session);
  narae_engine_free(engine);
  narae_runtime_free(runtime);
  for (size_t i = 0; i < max_inputs; ++i) free(data[i]);
  return result;
}
