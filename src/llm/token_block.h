// SPDX-License-Identifier: Apache-2.0
// The input tensors of a token step, flat, in the order of the entries' inputs. Row counts are padded to buckets so
// that a Session sees few shapes. Padding token rows belong to no sequence (they lie behind the last row start) and
// have slot, id, position and place 0; padding sequences have no rows and length 0; padding outputs have row and slot
// 0.
#pragma once

#include <span>

#include "llm/token_sequence.h"
#include "ops/sample.h"

namespace narae {

// 1, 2, 4, 8, then four steps an octave: 10, 12, 14, 16, 20, .. At most a quarter of the rows is padding.
int64_t bucket_size(int64_t count);

// Behind the operands of op `sample`: i32[B], the rows whose likeliest tokens are asked for; none: no rows.
inline constexpr size_t sample_inputs = sample_operands + 1;

// Inputs of the entry `forward`, with their dimensions; i32 all. Padding as above.
enum class ForwardInput {
  ids,          // [T] token, or -1: the last token of the row's slot
  slots,        // [T]
  positions,    // [T]
  places,       // [T] page * page_size + offset
  row_starts,   // [S + 1] the first token row of each sequence
  lengths,      // [S] visible tokens, with those of this step
  page_tables,  // [S, P] of the first state group; P is the same in every step
  wanted,       // [R] token rows whose logits are asked for
};
inline constexpr size_t forward_inputs = 8;

struct BlockSizes {
  int64_t vocabulary = 0;
  int32_t page_size = 16;
  int64_t table_pages = 0;  // P
  int64_t most_rows = 0;    // of token rows; buckets end there
};

class TokenBlock {
 public:
  explicit TokenBlock(const BlockSizes& sizes) : sizes_(sizes) {}

  void clear();
  // Token rows of a sequence; those that are not known to the host are in flight.
  void add(const TokenSequence& sequence, int64_t first, int64_t count);
  // The last token row added asks for logits. Returns the index of its output.
  int32_t want();
  // Pads and shows the tensors of the first half.
  void show_begin(std::vector<Tensor>& tensors);
  // The second half, when all tokens before are known: rows in the order of want(). Its tensors are the operands of op
  // `sample`, but for the logits: in their place i32[R], the slots whose last tokens these will be; then the top rows.
  void add_sample(const TokenSequence& sequence, int64_t position, bool forbid_stop);
  void show_finish(std::vector<Tensor>& tensors);

  int64_t tokens() const { return tokens_; }
  // The row of the likeliest tokens of this output; -1: nobody asked.
  int32_t top_row(int32_t output) const { return top_of_[static_cast<size_t>(output)]; }

 private:
  template <typename T>
  static void show(Tensor& tensor, DType dtype, std::vector<T>& values, int64_t rows, int64_t columns);
  std::vector<int32_t>& in(ForwardInput input) { return forward_[static_cast<size_t>(input)]; }
  std::vector<int32_t>& in(SampleOperand operand) { return sample_[static_cast<size_t>(operand)]; }
  std::vector<float>& floats(SampleOperand operand) { return sample_floats_[static_cast<size_t>(operand)]; }

  BlockSizes sizes_;
  int64_t tokens_ = 0, sequences_ = 0, outputs_ = 0;
  std::vector<int32_t> forward_[forward_inputs], sample_[sample_operands], slots_;
  std::vector<int32_t> top_rows_, top_of_;
  std::vector<float> sample_floats_[sample_operands];
  std::vector<int64_t> seeds_;
};

}  // namespace narae
