// SPDX-License-Identifier: Apache-2.0
#include "batch/step.h"

namespace narae {

Error error_of(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::does_not_fit, "out of memory in a step");
  } catch (const std::exception& other) {
    return Error(ErrorCode::internal, other.what());
  } catch (...) {
    return Error(ErrorCode::internal, "a step threw something that is no exception");
  }
}

}  // namespace narae
