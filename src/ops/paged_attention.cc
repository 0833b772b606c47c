// SPDX-License-Identifier: Apache-2.0
#include "ops/paged_attention.h"

#include "ops/define.h"
#include "ops/ops.h"

namespace narae {
namespace {

void infer_paged_attention(InferContext& c) {
  const Shape &q = c.shape(0), &k = c.shape(1), &v = c.shape(2);
  const auto& attributes = c.attributes<PagedAttentionAttributes>();
  const auto is_stored = [&](size_t i) { return is_float(c.dtype(i)) && c.dtype(i) != DType::f64; };
  if (q.size() != 3 || k.size() != 3 || v != k || !is_stored(0) || c.dtype(1) != c.dtype(2) || !is_stored(1)) {
    fail(ErrorCode::bad_file,
         "paged_attention takes q [T, heads, D] and k, v [places, heads, D] of f32, f16 or bf16, not {}{}, {}{}",
         dtype_name(c.dtype(0)), shape_text(q), dtype_name(c.dtype(1)), shape_text(k));
  }
  for (const size_t axis : {size_t{1}, size_t{2}}) {
    if (!q[axis].is_constant() || !k[axis].is_constant()) {
      fail(ErrorCode::bad_file, "paged_attention needs fixed heads and head sizes");
    }
  }
  if (k[1].value() < 1 || q[1].value() % k[1].value() != 0 || q[2] != k[2]) {
    fail(ErrorCode::bad_file, "{} heads of size {} cannot read {} of size {}", q[1].text(), q[2].text(), k[1].text(),
         k[2].text());
  }
  const Shape &starts = c.shape(3), &lengths = c.shape(4), &tables = c.shape(5);
  if (starts.size() != 1 || lengths.size() != 1 || tables.size() != 2) {
    fail(ErrorCode::bad_file,
         "paged_attention takes row_starts [S + 1], lengths [S] and page_tables [S, P], not {}, {}, {}",
         shape_text(starts), shape_text(lengths), shape_text(tables));
  }
  for (size_t i = 3; i < 6; ++i) {
    if (c.dtype(i) != DType::i32) fail(ErrorCode::bad_file, "operand {} of paged_attention is not i32", i);
  }
  c.require_equal(starts[0], lengths[0] + Dim(1), "paged_attention: starts of the sequences and their end");
  c.require_equal(tables[0], lengths[0], "paged_attention: one page table per sequence");
  if (attributes.page_size < 1 || attributes.window < 0) {
    fail(ErrorCode::bad_file, "page_size {} and window {}", attributes.page_size, attributes.window);
  }
  c.set_output(0, c.dtype(0), q);
}

struct Sequences {
  const PagedAttentionAttributes& attributes;
  const int32_t *starts, *lengths, *tables;
  int64_t count, pages, rows, places;

  explicit Sequences(const ReferenceContext& c)
      : attributes(c.attributes<PagedAttentionAttributes>()),
        starts(c.inputs[3].as<int32_t>()),
        lengths(c.inputs[4].as<int32_t>()),
        tables(c.inputs[5].as<int32_t>()),
        count(c.inputs[4].count()),
        pages(c.inputs[5].dims[1]),
        rows(c.inputs[0].dims[0]),
        places(c.inputs[1].dims[0]) {
    for (int64_t s = 0; s < count; ++s) check(s);
  }
  void check(int64_t s) const {
    const int64_t own = int64_t{starts[s + 1]} - starts[s];
    if (starts[s] < 0 || own < 0 || starts[s + 1] > rows || lengths[s] < own ||
        lengths[s] > pages * attributes.page_size) {
      fail(ErrorCode::does_not_fit, "sequence {}: rows [{}, {}) of {}, {} tokens in {} pages of {}", s, starts[s],
           starts[s + 1], rows, lengths[s], pages, attributes.page_size);
    }
  }
  int64_t place(int64_t s, int64_t token) const {
    const int64_t page = tables[s * pages + token / attributes.page_size];
    const int64_t place = page * attributes.page_size + token % attributes.page_size;
    if (page < 0 || place >= places)
      fail(ErrorCode::does_not_fit, "sequence {}: page {} is outside the state", s, page);
    return place;
  }
};

// One head of one row over tokens [first, last].
void attend(const ReferenceContext& c, const Sequences& sequences, int64_t s, int64_t row, int64_t head, int64_t first,
            int64_t last) {
  const Tensor &q = c.inputs[0], &k = c.inputs[1], &v = c.inputs[2];
  const int64_t heads = q.dims[1], width = q.dims[2], kv_heads = k.dims[1], kv_head = head / (heads / kv_heads);
  std::vector<double> scores;
  for (int64_t t = first; t <= last; ++t) {
    const int64_t at = (sequences.place(s, t) * kv_heads + kv_head) * width;
    double dot = 0;
    for (int64_t i = 0; i < width; ++i) {
      dot += element_as_double(q, (row * heads + head) * width + i) * element_as_double(k, at + i);
    }
    scores.push_back(dot * sequences.attributes.scale);
  }
  const double high = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - high);
  std::vector<double> mixed(static_cast<size_t>(width));
  for (int64_t t = first; t <= last; ++t) {
    const int64_t at = (sequences.place(s, t) * kv_heads + kv_head) * width;
    for (int64_t i = 0; i < width; ++i) {
      mixed[static_cast<size_t>(i)] += scores[static_cast<size_t>(t - first)] / sum * element_as_double(v, at + i);
    }
  }
  for (int64_t i = 0; i < width; ++i) {
    set_element(c.outputs[0], (row * heads + head) * width + i, mixed[static_cast<size_t>(i)]);
  }
}

void reference_paged_attention(ReferenceContext& c) {
  const Sequences sequences(c);
  if (c.outputs[0].bytes()) std::memset(c.outputs[0].data, 0, c.outputs[0].bytes());
  for (int64_t s = 0; s < sequences.count; ++s) {
    for (int64_t row = sequences.starts[s]; row < sequences.starts[s + 1]; ++row) {
      const int64_t last = sequences.lengths[s] - sequences.starts[s + 1] + row;
      const int64_t window = sequences.attributes.window;
      const int64_t first = window > 0 ? std::max<int64_t>(0, last - window + 1) : 0;
      for (int64_t head = 0; head < c.inputs[0].dims[1]; ++head) attend(c, sequences, s, row, head, first, last);
    }
  }
}

}  // namespace

const OpDef* paged_attention_op() {
  static const OpDef def =
      define_op<PagedAttentionAttributes>("paged_attention", 6, 6, 0, infer_paged_attention, reference_paged_attention);
  return &def;
}

}  // namespace narae
