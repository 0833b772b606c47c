// SPDX-License-Identifier: Apache-2.0
#include "api/boundary.h"

#include <new>

namespace narae::api {
namespace {

narae_status status_of(ErrorCode code) { return static_cast<narae_status>(static_cast<int>(code)); }
static_assert(static_cast<int>(ErrorCode::does_not_fit) == NARAE_DOES_NOT_FIT &&
              static_cast<int>(ErrorCode::internal) == NARAE_INTERNAL);

narae_status give_error(narae_error** error, narae_status status, const Error& what) {
  if (error) *error = new narae_error{status, what};
  return status;
}

}  // namespace

narae_status caught(narae_error** error) noexcept {
  narae_status status = NARAE_FAILED;
  try {
    try {
      throw;
    } catch (const Error& what) {
      status = status_of(what.code());
      return give_error(error, status, what);
    } catch (const Cancelled& cancelled) {
      status = NARAE_CANCELLED;
      return give_error(error, status, cancelled.what);
    } catch (const std::bad_alloc&) {
      status = NARAE_DOES_NOT_FIT;
      return give_error(error, status, Error(ErrorCode::does_not_fit, "the machine has not enough free memory"));
    } catch (const std::exception& what) {
      return give_error(error, status, Error(ErrorCode::failed, what.what()));
    } catch (...) {
      status = NARAE_INTERNAL;
      return give_error(error, status, Error(ErrorCode::internal, "an exception of an unknown type"));
    }
  } catch (...) {  // not even the error could be made: the status says it all
    return status;
  }
}

}  // namespace narae::api

extern "C" {

uint32_t narae_api_version(void) { return NARAE_API_VERSION; }
const char* narae_version(void) { return NARAE_VERSION; }

const char* narae_status_name(narae_status status) {
  switch (status) {
    case NARAE_OK: return "ok";
    case NARAE_FAILED: return "failed";
    case NARAE_USAGE: return "usage";
    case NARAE_BAD_FILE: return "bad_file";
    case NARAE_DOES_NOT_FIT: return "does_not_fit";
    case NARAE_DIFFERS: return "differs";
    case NARAE_INTERNAL: return "internal";
    case NARAE_CANCELLED: return "cancelled";
  }
  return "unknown";
}

narae_status narae_error_status(const narae_error* error) { return error ? error->status : NARAE_OK; }
const char* narae_error_message(const narae_error* error) { return error ? error->what.message().c_str() : ""; }
size_t narae_error_context_count(const narae_error* error) { return error ? error->what.context().size() : 0; }
const char* narae_error_context(const narae_error* error, size_t index) {
  return index < narae_error_context_count(error) ? error->what.context()[index].c_str() : nullptr;
}
const char* narae_error_text(const narae_error* error) { return error ? error->what.what() : ""; }
void narae_error_free(narae_error* error) { delete error; }

}  // extern "C"
