// SPDX-License-Identifier: Apache-2.0
#include "import/arch/rotary.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace narae {
namespace {

constexpr double two_pi = 6.283185307179586;

// A fact of the scaling under its places in config.json, the newer first.
Names scaling(const Checkpoint& c, const std::string& folder, const std::string& gguf) {
  const Names newer{"rope_parameters." + folder, gguf.empty() ? "" : "rope.scaling." + gguf};
  return c.is_gguf() || c.has(newer) ? newer : Names{"rope_scaling." + folder, newer.gguf};
}

std::string scaling_type(const Checkpoint& c) {
  const Names newer = scaling(c, "rope_type", "type"), older{"rope_scaling.type", ""};
  return c.text(c.has(newer) || c.is_gguf() ? newer : older, "default");
}

double base_of(const Checkpoint& c) {
  const Names newer{"rope_parameters.rope_theta", "rope.freq_base"};
  return c.number(c.has(newer) || c.is_gguf() ? newer : Names{"rope_theta", ""}, 10000.0, 1.0);
}

int64_t rotating_size(const Checkpoint& c, int64_t head_size) {
  if (c.is_gguf()) return c.integer({"", "rope.dimension_count"}, head_size, 2, head_size);
  const Names inner{"rope_parameters.partial_rotary_factor", ""};
  const double share = c.number(c.has(inner) ? inner : Names{"partial_rotary_factor", ""}, 1.0, 0.0, 1.0);
  return static_cast<int64_t>(static_cast<double>(head_size) * share);
}

double original_context(const Checkpoint& c) {
  const Names inner = scaling(c, "original_max_position_embeddings", "original_context_length");
  const Names outer{"original_max_position_embeddings", "context_length"};
  const Names& names = c.has(inner) || !c.has(outer) ? inner : outer;
  return c.number(c.has(names) ? names : Names{"max_position_embeddings", "context_length"}, {}, 1.0);
}

// Low frequencies are divided by the factor, high ones kept, those between blended.
// https://arxiv.org/abs/2407.21783
void scale_llama3(const Checkpoint& c, std::vector<double>& frequencies) {
  const double factor = c.number(scaling(c, "factor", ""), {}, 1e-6);
  const double low = c.number(scaling(c, "low_freq_factor", ""), {}, 1e-6);
  const double high = c.number(scaling(c, "high_freq_factor", ""), {}, 1e-6);
  const double context = original_context(c);
  if (high <= low) fail(ErrorCode::bad_file, "rope scaling: high_freq_factor {} is not above {}", high, low);
  for (double& frequency : frequencies) {
    const double turns = context * frequency / two_pi;
    const double kept = std::clamp((turns - low) / (high - low), 0.0, 1.0);
    frequency = (1 - kept) * frequency / factor + kept * frequency;
  }
}

double attention_factor(const Checkpoint& c, double factor) {
  const auto magnitude = [&](double by) { return factor <= 1 ? 1.0 : 0.1 * by * std::log(factor) + 1.0; };
  if (c.is_gguf()) return c.number({"", "rope.scaling.attn_factor"}, 1.0) * magnitude(1);
  const Names given = scaling(c, "attention_factor", "");
  if (c.has(given)) return c.number(given);
  const double one = c.number(scaling(c, "mscale", ""), 0.0), all = c.number(scaling(c, "mscale_all_dim", ""), 0.0);
  return one != 0 && all != 0 ? magnitude(one) / magnitude(all) : magnitude(1);
}

// Pairs that turn seldom within the original context are divided by the factor, by a ramp over the pairs.
// https://arxiv.org/abs/2309.00071
double scale_yarn(const Checkpoint& c, double base, std::vector<double>& frequencies) {
  const double factor = c.number(scaling(c, "factor", "factor"), {}, 1e-6);
  const double context = original_context(c);
  const double size = 2.0 * static_cast<double>(frequencies.size());
  if (base <= 1.0) fail(ErrorCode::bad_file, "rope scaling: yarn with a base of {}", base);
  const auto pair_with_turns = [&](double turns) {
    return size * std::log(context / (turns * two_pi)) / (2 * std::log(base));
  };
  double low = pair_with_turns(c.number(scaling(c, "beta_fast", "yarn_beta_fast"), 32.0, 1e-6));
  double high = pair_with_turns(c.number(scaling(c, "beta_slow", "yarn_beta_slow"), 1.0, 1e-6));
  if (c.flag(scaling(c, "truncate", ""), true)) low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0), high = std::min(high, size - 1);
  if (low == high) high += 0.001;
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double scaled = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] = frequencies[i] / factor * scaled + frequencies[i] * (1 - scaled);
  }
  return attention_factor(c, factor);
}

}  // namespace

nn::Rotary read_rotary(const Checkpoint& c, int64_t head_size) {
  nn::Rotary rotary;
  const double base = base_of(c);
  const int64_t size = rotating_size(c, head_size);
  if (size < 2 || size % 2 != 0) fail(ErrorCode::bad_file, "{} of {} elements of a head turn", size, head_size);
  std::vector<double> frequencies;
  for (int64_t i = 0; i < size; i += 2) {
    frequencies.push_back(std::pow(base, -static_cast<double>(i) / static_cast<double>(size)));
  }
  const std::string type = scaling_type(c);
  if (type == "linear") {
    const double factor = c.number(scaling(c, "factor", "factor"), {}, 1e-6);
    for (double& frequency : frequencies) frequency /= factor;
  } else if (type == "llama3") {
    scale_llama3(c, frequencies);
  } else if (type == "yarn") {
    rotary.scale = scale_yarn(c, base, frequencies);
  } else if (type != "default" && type != "none") {
    fail(ErrorCode::bad_file, "rope scaling of type \"{}\" is not known; known: default, none, linear, llama3, yarn",
         type);
  }
  rotary.inv_freq.assign(frequencies.begin(), frequencies.end());
  const Names divisors{"", "rope_freqs.weight"};  // how GGUF has llama3
  if (c.is_gguf() && c.has_tensor(divisors)) {
    const nn::Parameter tensor = c.tensor(divisors, {size / 2});
    const Tensor values = aligned(tensor.data);
    for (size_t i = 0; i < rotary.inv_freq.size(); ++i) {
      const double divisor = element_as_double(values, static_cast<int64_t>(i));
      rotary.inv_freq[i] = static_cast<float>(frequencies[i] / divisor);
      if (!std::isfinite(rotary.inv_freq[i])) fail(ErrorCode::bad_file, "rope_freqs.weight holds {}", divisor);
    }
  }
  return rotary;
}

}  // namespace narae
