// SPDX-License-Identifier: Apache-2.0
// The input tensors of a token step, flat, in the order of the entries' inputs. Row counts are padded to buckets so
// that a Session sees few shapes. Padding token rows belong to no sequence (they lie behind the last row start) and
// have slot, id, position and place 0; padding sequences have no rows and length 0; padding outputs have row and slot
// 0.
#pragma once

#include <span>

#include "llm/token_sequence.h"

namespace narae {

// 1, 2, 4, 8, then four steps an octave: 10, 12, 14, 16, 20, .. At most a quarter of the rows is padding.
int64_t bucket_size(int64_t count);

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

// Inputs of the entry `sample` after the logits f32[R, V]. A row of change_*: l = (l > 0 ? l / scale : l * scale) +
// add.
enum class SampleInput {
  slots,          // i32[R] whose last token it will be
  temperatures,   // f32[R] 0: the most likely
  top_ks,         // i32[R] 0: off
  top_ps,         // f32[R]
  min_ps,         // f32[R]
  seeds,          // i64[R]
  branches,       // i32[R]
  positions,      // i32[R] index, in its sequence, of the token that is sampled
  change_starts,  // i32[R + 1] into the three that follow
  change_tokens,  // i32[A]
  change_scales,  // f32[A]
  change_adds,    // f32[A]
  mask_rows,      // i32[R] row of `masks`, -1: all tokens may come
  masks,          // i32[M, ceil(V / 32)] bit t % 32 of word t / 32: token t may come
};
inline constexpr size_t sample_inputs = 14;

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
  // The second half, when all tokens before are known: rows in the order of want().
  void add_sample(const TokenSequence& sequence, int64_t position, bool forbid_stop);
  void show_finish(std::vector<Tensor>& tensors);

  int64_t tokens() const { return tokens_; }

 private:
  template <typename T>
  static void show(Tensor& tensor, DType dtype, std::vector<T>& values, int64_t rows, int64_t columns);
  std::vector<int32_t>& in(ForwardInput input) { return forward_[static_cast<size_t>(input)]; }
  std::vector<int32_t>& in(SampleInput input) { return sample_[static_cast<size_t>(input)]; }
  std::vector<float>& floats(SampleInput input) { return sample_floats_[static_cast<size_t>(input)]; }

  BlockSizes sizes_;
  int64_t tokens_ = 0, sequences_ = 0, outputs_ = 0;
  std::vector<int32_t> forward_[forward_inputs], sample_[sample_inputs];
  std::vector<float> sample_floats_[sample_inputs];
  std::vector<int64_t> seeds_;
};

}  // namespace narae
