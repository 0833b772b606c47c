// SPDX-License-Identifier: Apache-2.0
// Sampling on the device against the host's: the same tokens from the same logits and seeds.
#include "kernels/cuda/sample.h"

#include "kernels/cpu/sample.h"
#include "kernels/cuda/device_test.h"
#include "tensor/noise.h"

namespace narae::cuda {
namespace {

struct Sampling {
  float temperature;
  int32_t top_k;
  float top_p, min_p;
};

struct Batch {
  int vocabulary;
  std::vector<float> logits, temperatures, top_ps, min_ps, scales, adds;
  std::vector<int32_t> top_ks, branches, positions, starts{0}, tokens, mask_rows, masks;
  std::vector<int64_t> seeds;
  size_t rows() const { return temperatures.size(); }
  int words() const { return (vocabulary + 31) / 32; }

  void add_row(const Sampling& s, uint32_t seed, int change_count, bool masked) {
    std::vector<float> row = normals(vocabulary, seed, 3);
    if (seed % 3 == 0) {
      for (float& x : row) x = std::round(x * 4) / 4;  // many equals
    }
    logits.insert(logits.end(), row.begin(), row.end());
    temperatures.push_back(s.temperature), top_ks.push_back(s.top_k), top_ps.push_back(s.top_p),
        min_ps.push_back(s.min_p);
    seeds.push_back(seed * 77 + 5), branches.push_back(static_cast<int32_t>(seed % 4)),
        positions.push_back(static_cast<int32_t>(seed + 9));
    std::mt19937 random(seed);
    for (int i = 0; i < change_count; ++i) {
      tokens.push_back(static_cast<int32_t>(random() % static_cast<uint32_t>(std::min(vocabulary, change_count))));
      scales.push_back(i % 2 ? 1.f : 1.3f), adds.push_back(i % 2 ? -0.5f : 0.f);
    }
    starts.push_back(static_cast<int32_t>(tokens.size()));
    mask_rows.push_back(masked ? static_cast<int32_t>(masks.size()) / words() : -1);
    for (int i = 0; masked && i < words(); ++i) masks.push_back(static_cast<int32_t>(random()));
  }

  std::vector<cpu::Sampled> on_host() const {
    std::vector<cpu::Sampled> result;
    const cpu::ReduceKernels& reduce = *cpu::reduce_kernels("portable");
    std::vector<char> scratch(cpu::sample_scratch(vocabulary));
    for (size_t i = 0; i < rows(); ++i) {
      cpu::SampleRow row;
      row.logits = logits.data() + i * static_cast<size_t>(vocabulary), row.vocabulary = vocabulary;
      row.temperature = temperatures[i], row.top_p = top_ps[i], row.min_p = min_ps[i], row.top_k = top_ks[i];
      row.key = noise_key(static_cast<uint64_t>(seeds[i]), branches[i], positions[i]);
      row.changes = starts[i + 1] - starts[i], row.tokens = tokens.data() + starts[i];
      row.scales = scales.data() + starts[i], row.adds = adds.data() + starts[i];
      if (mask_rows[i] >= 0) row.mask = masks.data() + mask_rows[i] * words();
      result.push_back(cpu::sample_row(reduce, row, scratch.data()));
    }
    return result;
  }

  std::vector<cpu::Sampled> on_device(int32_t& outside) const {
    DeviceArray dlogits(logits), dtemperatures(temperatures), dtop_ks(top_ks), dtop_ps(top_ps), dmin_ps(min_ps),
        dseeds(seeds), dbranches(branches), dpositions(positions), dstarts(starts), dtokens(tokens), dscales(scales),
        dadds(adds), dmask_rows(mask_rows), dmasks(masks), out(rows() * 4), logprobs(rows() * 4),
        flag(std::vector<int32_t>{0}), workspace(logits.size() * 4);
    SampleArgs a;
    a.logits = dlogits.as<float>(), a.temperatures = dtemperatures.as<float>(), a.top_ks = dtop_ks.as<int32_t>();
    a.top_ps = dtop_ps.as<float>(), a.min_ps = dmin_ps.as<float>(), a.seeds = dseeds.as<int64_t>();
    a.branches = dbranches.as<int32_t>(), a.positions = dpositions.as<int32_t>(),
    a.change_starts = dstarts.as<int32_t>();
    a.change_tokens = dtokens.as<int32_t>(), a.change_scales = dscales.as<float>(), a.change_adds = dadds.as<float>();
    a.mask_rows = dmask_rows.as<int32_t>(), a.masks = dmasks.as<int32_t>(), a.tokens = out.as<int32_t>();
    a.logprobs = logprobs.as<float>(), a.outside = flag.as<int32_t>(), a.workspace = workspace.as<float>();
    a.rows = static_cast<int64_t>(rows()), a.vocabulary = vocabulary, a.changes = static_cast<int64_t>(tokens.size());
    a.mask_words = words(), a.mask_count = static_cast<int64_t>(masks.size()) / words();
    EXPECT_EQ(sample(a, nullptr), cudaSuccess);
    const auto chosen = out.values<int32_t>();
    const auto probabilities = logprobs.floats(DType::f32);
    outside = flag.values<int32_t>()[0];
    std::vector<cpu::Sampled> result;
    for (size_t i = 0; i < rows(); ++i) result.push_back({chosen[i], probabilities[i]});
    return result;
  }
};

TEST(CudaSample, SameTokensAsTheHost) {
  NARAE_NEEDS_GPU();
  const Sampling kinds[] = {{0, 0, 1, 0},
                            {1, 0, 1, 0},
                            {0.7f, 1, 1, 0},
                            {0.8f, 40, 1, 0},
                            {1, 0, 0.9f, 0},
                            {1, 0, 1, 0.05f},
                            {1.3f, 50, 0.8f, 0.02f},
                            {2, 7, 0.99f, 0},
                            {0.1f, 0, 0.5f, 0},
                            {1, 500, 0.999f, 0},
                            {1, 0, 0, 0},
                            {1, 1000000, 1, 0}};
  for (const int vocabulary : {1, 50, 1000, 32003}) {
    Batch batch;
    batch.vocabulary = vocabulary;
    uint32_t seed = 1;
    for (int repeat = 0; repeat < 4; ++repeat) {
      for (const Sampling& kind : kinds) batch.add_row(kind, seed++, repeat % 2 ? 60 : 0, repeat / 2);
    }
    int32_t outside = 0;
    const auto expected = batch.on_host(), found = batch.on_device(outside);
    EXPECT_EQ(outside, 0);
    int different = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      if (found[i].token != expected[i].token) {
        ++different;
        std::printf("row %zu of %d: %d, host %d\n", i, vocabulary, found[i].token, expected[i].token);
        continue;
      }
      if (found[i].token >= 0) {
        EXPECT_NEAR(found[i].logprob, expected[i].logprob, 1e-4);
      }
    }
    EXPECT_EQ(different, 0) << vocabulary;
  }
}

TEST(CudaSample, NothingCanComeAndListsOutside) {
  NARAE_NEEDS_GPU();
  Batch batch;
  batch.vocabulary = 70;
  for (uint32_t i = 0; i < 5; ++i) batch.add_row({1, 5, 0.9f, 0}, i + 1, 3, true);
  std::fill_n(batch.masks.begin(), 3, 0);                   // row 0
  std::fill_n(batch.logits.begin() + 70, 70, -INFINITY);    // row 1
  batch.logits[2 * 70 + 5] = NAN, batch.mask_rows[2] = -1;  // row 2
  int32_t outside = 0;
  auto found = batch.on_device(outside);
  EXPECT_EQ(outside, 0);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(found[i].token, -1) << i;
  EXPECT_EQ(found[3].token, batch.on_host()[3].token);
  batch.tokens[static_cast<size_t>(batch.starts[3])] = 70;
  batch.mask_rows[4] = 5;
  found = batch.on_device(outside);
  EXPECT_EQ(outside, 1);
  EXPECT_EQ(found[3].token, -1);
  EXPECT_EQ(found[4].token, -1);
}

}  // namespace
}  // namespace narae::cuda
