// SPDX-License-Identifier: Apache-2.0
#include "graph/target.h"

#include "base/hash.h"

namespace narae {

uint64_t Target::fingerprint() const {
  uint64_t hash = hash_combine(hash_string(device), hash_string(isa));
  for (const std::string& feature : features) hash = hash_combine(hash, hash_string(feature));
  if (!precision.empty()) hash = hash_combine(hash, hash_string(precision));
  for (const DType dtype : dtypes) hash = hash_combine(hash, static_cast<uint64_t>(dtype));
  for (const int64_t bytes : {l1_bytes, l2_bytes, l3_bytes, static_cast<int64_t>(cores)}) {
    hash = hash_combine(hash, static_cast<uint64_t>(bytes));
  }
  return hash;
}

}  // namespace narae
