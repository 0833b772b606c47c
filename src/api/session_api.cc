// SPDX-License-Identifier: Apache-2.0
// Sessions: bind, run, read. A run in the steady state allocates nothing here.
#include "api/boundary.h"
#include "api/handles.h"
#include "base/clock.h"

namespace narae::api {
namespace {

void check_dims(const ValueInfo& info, const narae_tensor& tensor) {
  const std::vector<int64_t>& dims = info.dims;
  bool same = tensor.rank >= 0 && dims.size() == static_cast<size_t>(tensor.rank);
  if (tensor.rank > 0) wanted(tensor.dims, "dims");
  for (size_t i = 0; same && i < dims.size(); ++i) {
    same = tensor.dims[i] >= 0 && tensor.dims[i] <= Dim::no_limit && (dims[i] < 0 || tensor.dims[i] == dims[i]);
  }
  if (same) return;
  std::string shape;
  for (size_t i = 0; i < dims.size(); ++i)
    shape += (i ? "," : "") + (dims[i] < 0 ? info.texts[i] : std::to_string(dims[i]));
  // What a wrong rank promises need not be there to be read.
  if (static_cast<size_t>(tensor.rank) != dims.size() && (tensor.rank < 0 || tensor.rank > 16))
    fail(ErrorCode::does_not_fit, "input \"{}\" must be of shape [{}], not of rank {}", info.name, shape, tensor.rank);
  const Dims given(tensor.dims, tensor.dims + tensor.rank);
  fail(ErrorCode::does_not_fit, "input \"{}\" must be of shape [{}], not {}", info.name, shape, dims_text(given));
}

void check_data(const ValueInfo& info, const narae_tensor& tensor, DType dtype) {
  if (reinterpret_cast<uintptr_t>(tensor.data) % dtype_size(dtype) != 0) {
    fail(ErrorCode::usage, "the data of input \"{}\" is not aligned to its type: {} needs {} bytes; copy it", info.name,
         dtype_name(dtype), dtype_size(dtype));
  }
  const bool empty = std::find(tensor.dims, tensor.dims + tensor.rank, 0) != tensor.dims + tensor.rank;
  if (!tensor.data && !empty) fail(ErrorCode::usage, "the data of input \"{}\" is NULL", info.name);
}

// Everything is checked before the binding that was there is touched.
void bind(narae_session& session, size_t index, const narae_tensor& tensor) {
  const auto& infos = session.state->inputs;
  if (index >= infos.size()) fail(ErrorCode::usage, "there is no input {}: the engine has {}", index, infos.size());
  const ValueInfo& info = *infos[index];
  const DType dtype = from_c(tensor.dtype);
  if (tensor.dtype != info.dtype) {
    fail(ErrorCode::does_not_fit, "input \"{}\" must be {}, not {}", info.name, narae_dtype_name(info.dtype),
         dtype_name(dtype));
  }
  check_dims(info, tensor);
  check_data(info, tensor, dtype);
  Tensor& bound = session.inputs[index];
  Tensor fresh;
  fresh.dtype = dtype;
  fresh.data = const_cast<void*>(tensor.data);
  if (fresh.dtype == bound.dtype &&
      std::equal(bound.dims.begin(), bound.dims.end(), tensor.dims, tensor.dims + tensor.rank)) {
    fresh.dims = std::move(bound.dims);
  } else {
    fresh.dims.assign(tensor.dims, tensor.dims + tensor.rank);
  }
  bound = std::move(fresh);
  session.bound[index] = true;
}

void run(narae_session& session) {
  session.outputs = nullptr;
  session.cancel_requested = false;
  for (size_t i = 0; i < session.bound.size(); ++i) {
    if (!session.bound[i]) fail(ErrorCode::usage, "input {} \"{}\" is not bound", i, session.state->inputs[i]->name);
  }
  const Program* before = session.session->program();
  const double start = now_seconds();
  session.session->output_dims(session.inputs);
  const double prepared = now_seconds();
  try {
    session.outputs = &session.session->run(session.inputs);
  } catch (const Error& error) {
    if (session.cancel_requested) throw Cancelled{error};
    throw;
  }
  const Program& program = *session.session->program();
  session.stats.prepare_ms = &program == before ? 0 : (prepared - start) * 1e3;
  session.stats.run_ms = (now_seconds() - prepared) * 1e3;
  session.stats.arena_bytes = static_cast<uint64_t>(program.arena_bytes);
  session.stats.arena_lower_bound_bytes = static_cast<uint64_t>(program.lower_bound_bytes);
  ++session.stats.runs;
}

narae_tensor view_of(const Tensor& tensor) {
  narae_tensor c = NARAE_TENSOR_INIT;
  c.data = tensor.data;
  c.dims = tensor.dims.data();
  c.rank = static_cast<int32_t>(tensor.dims.size());
  c.dtype = to_c(tensor.dtype);
  return c;
}

}  // namespace
}  // namespace narae::api

using namespace narae::api;  // NOLINT: the C functions below are its only purpose
using narae::ErrorCode;

extern "C" {

narae_status narae_session_create(narae_engine* engine, const narae_session_options* options, narae_session** session,
                                  narae_error** error) {
  return guarded(error, [&] {
    wanted(session, "session");
    const narae_session_options defaults = NARAE_SESSION_OPTIONS_INIT;
    const int set = known_fields(options, defaults).core_set;
    auto made = std::make_unique<narae_session>();
    made->state = wanted(engine, "engine").state;
    narae::Runtime& runtime = *made->state->runtime;
    if (set < 0 || set >= runtime.core_sets())
      narae::fail(ErrorCode::usage, "there is no core set {}: the runtime has {}", set, runtime.core_sets());
    const auto& device = runtime.device(set);
    auto states = std::make_shared<narae::StateSet>(*device, &runtime.budget());
    made->session = std::make_unique<narae::Session>(made->state->engine, device, std::move(states));
    made->inputs.resize(made->state->inputs.size());
    made->bound.resize(made->state->inputs.size());
    *session = made.release();
  });
}

void narae_session_free(narae_session* session) { delete session; }

narae_status narae_session_bind(narae_session* session, size_t index, const narae_tensor* tensor, narae_error** error) {
  return guarded(error, [&] {
    const narae_tensor defaults = NARAE_TENSOR_INIT;
    narae_session& target = wanted(session, "session");
    bind(target, index, known_fields(&wanted(tensor, "tensor"), defaults));
  });
}

narae_status narae_session_run(narae_session* session, narae_error** error) {
  return guarded(error, [&] { run(wanted(session, "session")); });
}

narae_status narae_session_output(narae_session* session, size_t index, narae_tensor* tensor, narae_error** error) {
  return guarded(error, [&] {
    const auto* outputs = wanted(session, "session").outputs;
    if (!outputs) narae::fail(ErrorCode::usage, "there are no outputs: no run has completed since the last failure");
    if (index >= outputs->size())
      narae::fail(ErrorCode::usage, "there is no output {}: the engine has {}", index, outputs->size());
    give(tensor, view_of((*outputs)[index]));
  });
}

void narae_session_cancel(narae_session* session) {
  if (!session) return;
  session->cancel_requested = true;
  session->session->cancel();
}

narae_status narae_session_get_stats(const narae_session* session, narae_session_stats* stats, narae_error** error) {
  return guarded(error, [&] { give(stats, wanted(session, "session").stats); });
}

}  // extern "C"
