// SPDX-License-Identifier: Apache-2.0
// Paged and dense attention against float64 loops over the operands as stored. Places that no sequence owns hold NaN:
// a kernel that reads past a length shows.
#include <algorithm>
#include <numeric>

#include "kernels/cuda/dense_attention.h"
#include "kernels/cuda/device_test.h"
#include "kernels/cuda/paged_attention.h"

namespace narae::cuda {
namespace {

struct StepRows {
  int rows, length;  // of one sequence
};
struct PagedCase {
  std::vector<StepRows> sequences;
  int heads, kv_heads, width, page_size, window, spare_rows;
  DType kv;
};

struct PagedStep {
  PagedCase c;
  std::vector<int32_t> starts{0}, lengths, tables;
  int pages = 0, rows = 0, places = 0;
  std::vector<float> q, k, v;

  PagedStep(const PagedCase& given, uint32_t seed) : c(given) {
    for (const StepRows& s : c.sequences) {
      rows += s.rows;
      starts.push_back(rows), lengths.push_back(s.length);
      pages = std::max(pages, (s.length + c.page_size - 1) / c.page_size);
    }
    rows += c.spare_rows;
    const int count = static_cast<int>(c.sequences.size()), all = count * pages + 1;
    std::vector<int32_t> order(static_cast<size_t>(all - 1));
    std::iota(order.begin(), order.end(), 1);
    std::shuffle(order.begin(), order.end(), std::mt19937(seed));
    tables.assign(order.begin(), order.end());
    places = all * c.page_size;
    q = normals(int64_t{rows} * c.heads * c.width, seed + 1);
    k = rounded(normals(int64_t{places} * c.kv_heads * c.width, seed + 2), c.kv);
    v = rounded(normals(int64_t{places} * c.kv_heads * c.width, seed + 3), c.kv);
    std::vector<bool> owned(static_cast<size_t>(places));
    for (int s = 0; s < count; ++s) {
      for (int t = 0; t < lengths[static_cast<size_t>(s)]; ++t) owned[static_cast<size_t>(place(s, t))] = true;
    }
    const int64_t each = int64_t{c.kv_heads} * c.width;
    for (int p = 0; p < places; ++p) {
      if (owned[static_cast<size_t>(p)]) continue;
      std::fill_n(k.begin() + p * each, each, NAN), std::fill_n(v.begin() + p * each, each, NAN);
    }
  }
  int64_t place(int s, int t) const {
    return int64_t{tables[static_cast<size_t>(s * pages + t / c.page_size)]} * c.page_size + t % c.page_size;
  }

  std::vector<double> expected() const {
    std::vector<double> out(q.size(), 0.0);
    for (size_t s = 0; s < lengths.size(); ++s) {
      for (int row = starts[s]; row < starts[s + 1]; ++row) {
        const int last = lengths[s] - starts[s + 1] + row, first = c.window ? std::max(0, last - c.window + 1) : 0;
        for (int head = 0; head < c.heads; ++head) attend(static_cast<int>(s), row, head, first, last, out);
      }
    }
    return out;
  }
  float scale() const { return 1 / std::sqrt(static_cast<float>(c.width)); }
  void attend(int s, int row, int head, int first, int last, std::vector<double>& out) const {
    const int kv_head = head / (c.heads / c.kv_heads);
    const size_t at = (static_cast<size_t>(row) * static_cast<size_t>(c.heads) + static_cast<size_t>(head)) *
                      static_cast<size_t>(c.width);
    std::vector<double> scores;
    double sum = 0, high = -INFINITY;
    const auto from = [&](int t) { return static_cast<size_t>((place(s, t) * c.kv_heads + kv_head) * c.width); };
    for (int t = first; t <= last; ++t) {
      double dot = 0;
      for (size_t d = 0; d < static_cast<size_t>(c.width); ++d) dot += static_cast<double>(q[at + d]) * k[from(t) + d];
      scores.push_back(dot * scale()), high = std::max(high, scores.back());
    }
    for (double& score : scores) sum += score = std::exp(score - high);
    for (int t = first; t <= last; ++t) {
      for (size_t d = 0; d < static_cast<size_t>(c.width); ++d) {
        out[at + d] += scores[static_cast<size_t>(t - first)] / sum * v[from(t) + d];
      }
    }
  }

  std::vector<float> run(DType q_type, DType out_type, int32_t& outside, int splits = 0) const {
    DeviceArray dq(q, q_type), dk(k, c.kv), dv(v, c.kv), out(q.size() * static_cast<size_t>(bytes_of(out_type)));
    DeviceArray dstarts(starts), dlengths(lengths), dtables(tables), flag(std::vector<int32_t>{0});
    PagedAttentionArgs a;
    a.q = dq.get(), a.out = out.get(), a.k = dk.get(), a.v = dv.get();
    a.row_starts = dstarts.as<int32_t>(), a.lengths = dlengths.as<int32_t>(), a.tables = dtables.as<int32_t>();
    a.outside = flag.as<int32_t>(), a.q_type = q_type, a.out_type = out_type, a.kv_type = c.kv;
    a.rows = rows, a.heads = c.heads, a.kv_heads = c.kv_heads, a.width = c.width;
    a.sequences = static_cast<int64_t>(lengths.size()), a.pages = pages, a.page_size = c.page_size;
    a.places = places, a.window = c.window, a.scale = scale(), a.splits = splits;
    EXPECT_EQ(paged_attention(a, nullptr), cudaSuccess);
    const std::vector<float> result = out.floats(out_type);
    outside = flag.values<int32_t>()[0];
    return result;
  }
};

TEST(CudaAttention, Paged) {
  NARAE_NEEDS_GPU();
  const std::vector<StepRows> decode = {{1, 1}, {1, 700}, {1, 33}, {1, 128}, {1, 1025}};
  const std::vector<StepRows> mixed = {{1, 300}, {130, 130}, {37, 200}, {1, 9}, {0, 0}, {64, 500}, {2, 2}};
  const PagedCase cases[] = {
      {decode, 8, 2, 128, 16, 0, 0, DType::bf16},
      {decode, 8, 8, 64, 16, 0, 0, DType::f16},
      {decode, 16, 1, 64, 32, 0, 0, DType::bf16},
      {decode, 24, 1, 128, 16, 100, 0, DType::f16},
      {decode, 6, 2, 80, 16, 0, 0, DType::bf16},
      {decode, 4, 2, 256, 8, 50, 0, DType::f32},
      {mixed, 8, 2, 128, 16, 0, 5, DType::bf16},
      {mixed, 6, 2, 64, 16, 0, 3, DType::f16},
      {mixed, 4, 4, 128, 16, 60, 0, DType::f16},
      {mixed, 4, 2, 64, 16, 0, 2, DType::f32},
      {mixed, 10, 1, 96, 16, 70, 2, DType::bf16},
      {{{5, 5}, {0, 0}, {0, 0}, {0, 0}, {0, 0}}, 8, 2, 128, 16, 0, 0, DType::bf16},
  };
  uint32_t seed = 100;
  for (const PagedCase& c : cases) {
    const PagedStep step(c, seed += 10);
    const std::vector<double> expected = step.expected();
    for (const int splits : {0, 1, 2, 8}) {
      int32_t outside = 0;
      const std::vector<float> out = step.run(splits ? c.kv : DType::f32, DType::f32, outside, splits);
      EXPECT_EQ(outside, 0);
      // q and the weights are rounded to the keys' type.
      EXPECT_LT(relative_error(out, expected), c.kv == DType::f32   ? 3e-6
                                               : c.kv == DType::f16 ? 1.5e-3
                                                                    : 1e-2)
          << c.heads << "/" << c.kv_heads << " x " << c.width << " type " << static_cast<int>(c.kv);
    }
  }
}

// A row alone and the same row among others: the same bits.
TEST(CudaAttention, RowsDoNotDependOnOthers) {
  NARAE_NEEDS_GPU();
  PagedStep together({{{1, 300}, {1, 77}, {1, 1000}}, 8, 2, 128, 16, 0, 0, DType::bf16}, 7);
  int32_t outside = 0;
  const std::vector<float> all = together.run(DType::f32, DType::f32, outside, 8);
  for (size_t s = 0; s < 3; ++s) {
    PagedStep alone = together;
    const size_t each = together.q.size() / 3;
    alone.starts = {0, 1}, alone.lengths = {together.lengths[s]}, alone.rows = 1;
    alone.q.assign(together.q.begin() + static_cast<long>(s * each),
                   together.q.begin() + static_cast<long>((s + 1) * each));
    alone.tables.assign(together.tables.begin() + static_cast<long>(s) * together.pages,
                        together.tables.begin() + static_cast<long>(s + 1) * together.pages);
    const std::vector<float> own = alone.run(DType::f32, DType::f32, outside, 8);
    for (size_t i = 0; i < each; ++i) ASSERT_EQ(own[i], all[s * each + i]) << s << " " << i;
  }
}

TEST(CudaAttention, ReportsWhatLiesOutside) {
  NARAE_NEEDS_GPU();
  const PagedCase c{{{1, 40}, {30, 50}}, 8, 2, 128, 16, 0, 0, DType::bf16};
  for (int kind = 0; kind < 4; ++kind) {
    PagedStep step(c, 9);
    if (kind == 0) step.tables[0] = 1 << 20;
    if (kind == 1) step.tables[static_cast<size_t>(step.pages)] = -1;
    if (kind == 2) step.lengths[1] = 1000;
    if (kind == 3) step.starts[2] = 99;
    int32_t outside = 0;
    step.run(DType::f32, DType::f32, outside);
    EXPECT_EQ(outside, 1) << kind;
  }
}

struct DenseCase {
  int batch, heads, queries, keys, width, value_width;
  DType type;
  int bias;  // 0: none, 1: [batch, 1, 1, keys], 2: [1, heads, queries, keys]
};

TEST(CudaAttention, Dense) {
  NARAE_NEEDS_GPU();
  for (const DenseCase& c : {DenseCase{2, 3, 128, 128, 64, 64, DType::f16, 1},
                             {1, 2, 100, 77, 64, 64, DType::bf16, 0},
                             {2, 2, 65, 300, 128, 128, DType::f16, 2},
                             {1, 2, 33, 70, 64, 64, DType::f32, 1},
                             {1, 2, 20, 65, 40, 56, DType::f16, 2},
                             {1, 1, 1, 1, 64, 64, DType::f16, 0}}) {
    const auto at = [](int64_t b, int64_t t, int64_t h, int64_t d, int64_t tokens, int64_t heads, int64_t width) {
      return static_cast<size_t>(((b * tokens + t) * heads + h) * width + d);
    };
    const std::vector<float> q = rounded(normals(int64_t{c.batch} * c.queries * c.heads * c.width, 1), c.type);
    const std::vector<float> k = rounded(normals(int64_t{c.batch} * c.keys * c.heads * c.width, 2), c.type);
    const std::vector<float> v = rounded(normals(int64_t{c.batch} * c.keys * c.heads * c.value_width, 3), c.type);
    std::vector<float> bias =
        normals(c.bias == 1 ? int64_t{c.batch} * c.keys : int64_t{c.heads} * c.queries * c.keys, 4);
    if (c.bias == 1) {
      for (size_t i = 0; i < bias.size(); i += 3) bias[i] = i % 2 ? -INFINITY : -3.4e38f;
    }
    DenseAttentionArgs a;
    a.type = c.type, a.batch = c.batch, a.heads = c.heads, a.queries = c.queries, a.keys = c.keys;
    a.width = c.width, a.value_width = c.value_width, a.scale = 0.125f;
    const auto strides = [&](int64_t tokens, int64_t width) {
      return AttentionStrides{tokens * c.heads * width, width, c.heads * width};
    };
    a.q_strides = strides(c.queries, c.width), a.k_strides = strides(c.keys, c.width);
    a.v_strides = strides(c.keys, c.value_width), a.out_strides = strides(c.queries, c.value_width);
    DeviceArray dq(q, c.type), dk(k, c.type), dv(v, c.type), dbias(bias);
    DeviceArray out(static_cast<size_t>(int64_t{c.batch} * c.queries * c.heads * c.value_width * bytes_of(c.type)));
    a.q = dq.get(), a.k = dk.get(), a.v = dv.get(), a.out = out.get();
    if (c.bias) a.bias = dbias.get();
    if (c.bias == 1) a.bias_batch = c.keys, a.bias_key = 1;
    if (c.bias == 2) a.bias_head = int64_t{c.queries} * c.keys, a.bias_query = c.keys, a.bias_key = 1;
    ASSERT_EQ(dense_attention(a, nullptr), cudaSuccess);
    std::vector<double> expected(static_cast<size_t>(int64_t{c.batch} * c.queries * c.heads * c.value_width), 0.0);
    for (int b = 0; b < c.batch; ++b) {
      for (int h = 0; h < c.heads; ++h) {
        for (int i = 0; i < c.queries; ++i) {
          std::vector<double> scores;
          double high = -INFINITY, sum = 0;
          for (int t = 0; t < c.keys; ++t) {
            double dot = 0;
            for (int d = 0; d < c.width; ++d) {
              dot += static_cast<double>(q[at(b, i, h, d, c.queries, c.heads, c.width)]) *
                     k[at(b, t, h, d, c.keys, c.heads, c.width)];
            }
            dot *= a.scale;
            if (c.bias) dot += bias[static_cast<size_t>(b * a.bias_batch + h * a.bias_head + i * a.bias_query + t)];
            scores.push_back(dot), high = std::max(high, dot);
          }
          for (double& score : scores) sum += score = std::exp(score - high);
          for (int t = 0; t < c.keys; ++t) {
            for (int d = 0; d < c.value_width; ++d) {
              expected[at(b, i, h, d, c.queries, c.heads, c.value_width)] +=
                  scores[static_cast<size_t>(t)] / sum * v[at(b, t, h, d, c.keys, c.heads, c.value_width)];
            }
          }
        }
      }
    }
    EXPECT_LT(relative_error(out.floats(c.type), expected), c.type == DType::f32   ? 3e-6
                                                            : c.type == DType::f16 ? 1.5e-3
                                                                                   : 1e-2)
        << c.queries << "x" << c.keys << "x" << c.width << " bias " << c.bias;
  }
}

}  // namespace
}  // namespace narae::cuda
