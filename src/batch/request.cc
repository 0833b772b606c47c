// SPDX-License-Identifier: Apache-2.0
#include "batch/request.h"

namespace narae {

void end_request(Request& request, Finish finish, Time now, std::optional<Error> error) {
  request.trace->mark_end(now, finish_name(finish));
  Ending ending;
  ending.finish = finish;
  ending.error = std::move(error);
  ending.prompt_tokens = static_cast<int64_t>(request.in.tokens.size());
  request.out->end(std::move(ending));
  request.out->flush();
}

}  // namespace narae
