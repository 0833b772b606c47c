// SPDX-License-Identifier: Apache-2.0
// One branch of a token request. There is no prefill and no decode: it has tokens computed and tokens known, and the
// first catch up with the second.
#pragma once

#include "batch/step.h"
#include "llm/logit_changes.h"
#include "llm/page_group.h"

namespace narae {

struct TokenAsk;

struct TokenSequence : Sequence {
  TokenAsk* ask = nullptr;
  int32_t branch = 0;
  std::vector<int32_t> tokens;     // prompt and answer, as far as the host knows: `known` of them
  int64_t prompt = 0;              // of them
  int64_t limit = 0;               // tokens it may have at most
  int64_t promised = 0;            // tokens that steps in flight will bring
  int in_flight = 0;               // steps that name it
  uint64_t last_sample = 0;        // the last step that brings one
  uint64_t age = 0;                // lower is older
  uint32_t life = 0;               // counts preemptions
  bool admitted = false;           // has a slot, and pages
  bool ended = false;              // answered; kept while a step in flight names it
  bool swept = false;              // and out of all lists
  std::vector<int64_t> published;  // full pages in the prefix index, by group
  LogitChanges changes;
  PrefixRoot root;

  // Tokens that could be computed now: once the answer's last token is under way, none.
  int64_t pending() const { return known + promised < limit ? known + promised - bound : 0; }
};

// A token request, whole.
struct TokenAsk {
  RequestPtr request;
  const SamplingParams* params = nullptr;
  std::vector<TokenSequence*> branches;
  int open = 0;  // branches without an end
  int64_t cached = 0, answered = 0, preemptions = 0;
  bool first_token = false;
};

}  // namespace narae
