// SPDX-License-Identifier: Apache-2.0
// A unit of work for a Runner, in two halves. What varies from step to step is in its Block, flat input tensors; a
// Runner needs to look at nothing else but `moves`. Steps belong to their Batcher, which uses them again.
#pragma once

#include <exception>
#include <memory>
#include <vector>

#include "batch/request.h"

namespace narae {

// One independent run of states: a tensor request, or one branch of a token request.
struct Sequence {
  RequestPtr request;
  int32_t slot = 0;                         // its row in the per-sequence states; 0 belongs to padding
  int64_t known = 0;                        // units on the host
  int64_t settled = 0;                      // confirmed in state; <= bound
  int64_t bound = 0;                        // the most that steps in flight may reach
  std::vector<std::vector<int32_t>> pages;  // by state group
  uint64_t last_step = 0;                   // the last step that names it
  HoldBits holds = 0;
  Time held_since = 0;
  bool chainable = true;  // may be planned while its last token is in flight
};

enum class Want : uint8_t { none, last, all };  // whose outputs are asked for

struct Row {
  Sequence* sequence = nullptr;
  int64_t first = 0;  // position of the first unit
  int32_t count = 0;  // units
  int32_t drafts = 0;
  Want want = Want::none;
  int32_t output = 0;  // index of its (last) row of outputs
  uint32_t life = 0;   // of the sequence; older than its current one after a preemption
};

// Copies the first `units` of a page; before anything else of the step.
struct Move {
  int32_t group = 0, from = 0, to = 0, units = 0;
};

// In the order of the entries' inputs. The Batcher owns the memory, which stays as it is until complete().
struct Block {
  std::vector<Tensor> begin;   // inputs of the first half
  std::vector<Tensor> finish;  // of the second half, after its inputs that are outputs of the first; final after late()
};

struct Step {
  uint64_t id = 0;     // counts up from 1
  uint64_t after = 0;  // late() needs the outputs of this step
  int entry = 0, profile = 0;
  bool finished = false;     // its second half is under way (the Worker's)
  std::exception_ptr error;  // fails its requests only
  std::vector<Row> rows;
  std::vector<Move> moves;
  Block block;
  std::vector<Tensor> out;  // set by the Runner: host memory, valid until complete() returns
};

// The Error of a failed step, whatever was thrown.
Error error_of(const std::exception_ptr& exception);

}  // namespace narae
