// SPDX-License-Identifier: Apache-2.0
#include "llm/token_block.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace narae {

int64_t bucket_size(int64_t count) {
  if (count <= 8) return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(count, 1))));
  const int shift = static_cast<int>(std::bit_width(static_cast<uint64_t>(count - 1))) - 3;
  return (((count - 1) >> shift) + 1) << shift;
}

void TokenBlock::clear() {
  tokens_ = sequences_ = outputs_ = 0;
  for (std::vector<int32_t>& values : forward_) values.clear();
  for (std::vector<int32_t>& values : sample_) values.clear();
  for (std::vector<float>& values : sample_floats_) values.clear();
  seeds_.clear();
  slots_.clear();
  top_rows_.clear();
  top_of_.clear();
}

void TokenBlock::add(const TokenSequence& sequence, int64_t first, int64_t count) {
  const std::vector<int32_t>& pages = sequence.pages.front();
  const int32_t page_size = sizes_.page_size;
  in(ForwardInput::row_starts).push_back(static_cast<int32_t>(tokens_));
  in(ForwardInput::lengths).push_back(static_cast<int32_t>(first + count));
  for (int64_t position = first; position < first + count; ++position) {
    const bool known = position < sequence.known;
    in(ForwardInput::ids).push_back(known ? sequence.tokens[static_cast<size_t>(position)] : -1);
    in(ForwardInput::slots).push_back(sequence.slot);
    in(ForwardInput::positions).push_back(static_cast<int32_t>(position));
    const int32_t page = pages[static_cast<size_t>(position / page_size)];
    in(ForwardInput::places).push_back(page * page_size + static_cast<int32_t>(position % page_size));
  }
  std::vector<int32_t>& tables = in(ForwardInput::page_tables);
  const auto used = static_cast<size_t>((first + count + page_size - 1) / page_size);
  tables.insert(tables.end(), pages.begin(), pages.begin() + static_cast<ptrdiff_t>(used));
  tables.resize(static_cast<size_t>((sequences_ + 1) * sizes_.table_pages), 0);
  tokens_ += count;
  ++sequences_;
}

int32_t TokenBlock::want() {
  in(ForwardInput::wanted).push_back(static_cast<int32_t>(tokens_ - 1));
  return static_cast<int32_t>(outputs_++);
}

template <typename T>
void TokenBlock::show(Tensor& tensor, DType dtype, std::vector<T>& values, int64_t rows, int64_t columns) {
  values.resize(static_cast<size_t>(rows * std::max<int64_t>(columns, 1)), T{});
  tensor.data = values.data();
  tensor.dtype = dtype;
  tensor.dims.resize(columns ? 2 : 1);
  tensor.dims[0] = rows;
  if (columns) tensor.dims[1] = columns;
}

void TokenBlock::show_begin(std::vector<Tensor>& tensors) {
  const int64_t rows = std::min(bucket_size(tokens_), sizes_.most_rows), sequences = bucket_size(sequences_);
  in(ForwardInput::row_starts).resize(static_cast<size_t>(sequences) + 1, static_cast<int32_t>(tokens_));
  tensors.resize(forward_inputs);
  for (size_t i = 0; i < forward_inputs; ++i) {
    int64_t count = rows, columns = 0;
    switch (static_cast<ForwardInput>(i)) {
      case ForwardInput::row_starts: count = sequences + 1; break;
      case ForwardInput::lengths: count = sequences; break;
      case ForwardInput::page_tables: count = sequences, columns = sizes_.table_pages; break;
      case ForwardInput::wanted: count = bucket_size(outputs_); break;
      default: break;
    }
    show(tensors[i], DType::i32, forward_[i], count, columns);
  }
}

void TokenBlock::add_sample(const TokenSequence& sequence, int64_t position, bool forbid_stop) {
  const SamplingParams& params = *sequence.ask->params;
  const bool asks_top = params.top_logprobs > 0;
  top_of_.push_back(asks_top ? static_cast<int32_t>(top_rows_.size()) : -1);
  if (asks_top) top_rows_.push_back(static_cast<int32_t>(slots_.size()));
  slots_.push_back(sequence.slot);
  floats(SampleOperand::temperatures).push_back(params.temperature);
  in(SampleOperand::top_ks).push_back(params.top_k);
  floats(SampleOperand::top_ps).push_back(params.top_p);
  floats(SampleOperand::min_ps).push_back(params.min_p);
  seeds_.push_back(static_cast<int64_t>(params.seed));
  in(SampleOperand::branches).push_back(sequence.branch);
  in(SampleOperand::positions).push_back(static_cast<int32_t>(position));
  const auto change = [&](int32_t token, float scale, float add) {
    in(SampleOperand::change_tokens).push_back(token);
    floats(SampleOperand::change_scales).push_back(scale);
    floats(SampleOperand::change_adds).push_back(add);
  };
  in(SampleOperand::change_starts).push_back(static_cast<int32_t>(in(SampleOperand::change_tokens).size()));
  for (const LogitChange& one : sequence.changes.list()) change(one.token, one.scale, one.add);
  if (forbid_stop) {
    for (const int32_t token : params.stop_ids) change(token, 1, -std::numeric_limits<float>::infinity());
  }
  if (!params.constraint || sequence.ended) return in(SampleOperand::mask_rows).push_back(-1);
  const auto words = static_cast<size_t>((sizes_.vocabulary + 31) / 32);
  std::vector<int32_t>& masks = in(SampleOperand::masks);
  in(SampleOperand::mask_rows).push_back(static_cast<int32_t>(masks.size() / words));
  masks.resize(masks.size() + words, 0);
  const std::span<const int32_t> answer(sequence.tokens.data() + sequence.prompt,
                                        static_cast<size_t>(sequence.known - sequence.prompt));
  params.constraint->allow(answer, {reinterpret_cast<uint32_t*>(masks.data() + masks.size() - words), words});
}

void TokenBlock::show_finish(std::vector<Tensor>& tensors) {
  const int64_t rows = bucket_size(outputs_), words = (sizes_.vocabulary + 31) / 32;
  const auto changes = static_cast<int64_t>(in(SampleOperand::change_tokens).size());
  const auto masks = static_cast<int64_t>(in(SampleOperand::masks).size()) / words;
  in(SampleOperand::change_starts).resize(static_cast<size_t>(rows) + 1, static_cast<int32_t>(changes));
  in(SampleOperand::mask_rows).resize(static_cast<size_t>(rows), -1);
  tensors.resize(sample_inputs);
  show(tensors[0], DType::i32, slots_, rows, 0);
  for (size_t i = 1; i < sample_operands; ++i) {
    int64_t count = rows, columns = 0;
    switch (sample_forms[i].extent) {
      case SampleExtent::row_start: count = rows + 1; break;
      case SampleExtent::change: count = bucket_size(changes); break;
      case SampleExtent::mask: count = bucket_size(masks), columns = words; break;
      case SampleExtent::logits:
      case SampleExtent::row: break;
    }
    switch (sample_forms[i].dtype) {
      case DType::i64: show(tensors[i], DType::i64, seeds_, count, columns); break;
      case DType::f32: show(tensors[i], DType::f32, sample_floats_[i], count, columns); break;
      default: show(tensors[i], DType::i32, sample_[i], count, columns); break;
    }
  }
  const int64_t tops = top_rows_.empty() ? 0 : bucket_size(static_cast<int64_t>(top_rows_.size()));
  show(tensors[sample_operands], DType::i32, top_rows_, tops, 0);
}

}  // namespace narae
