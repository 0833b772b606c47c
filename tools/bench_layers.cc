// SPDX-License-Identifier: Apache-2.0
#include "bench_layers.h"

#include <fmt/core.h>

#include <algorithm>

#include "flops.h"
#include "ops/interpret.h"

namespace narae {

std::vector<LayerTime> time_layers(Session& session, const std::vector<Tensor>& inputs, const Target& target,
                                   int rounds) {
  std::vector<std::vector<double>> seconds;
  std::vector<RecordTime> last;
  for (int round = 0; round < rounds; ++round) {
    last = session.profile(inputs);
    seconds.resize(last.size());
    for (size_t i = 0; i < last.size(); ++i) seconds[i].push_back(last[i].seconds);
  }
  const SymbolValues symbols = bind_symbols(*session.engine().lowered().graph, inputs);
  std::vector<LayerTime> layers;
  for (size_t i = 0; i < last.size(); ++i) {
    std::nth_element(seconds[i].begin(), seconds[i].begin() + rounds / 2, seconds[i].end());
    LayerTime layer;
    layer.tactic = last[i].what;
    layer.seconds = seconds[i][static_cast<size_t>(rounds / 2)];
    if (const Node* node = last[i].node) {
      const Work work = work_of(*node, symbols);
      layer.name = node->label();
      layer.op = node->op().name;
      layer.flops_per_s = work.flops / layer.seconds;
      layer.bytes_per_s = work.bytes / layer.seconds;
      layer.share = least_seconds(work, target) / layer.seconds;
    } else {
      layer.op = "reformat";
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

std::string layer_table(const std::vector<LayerTime>& layers) {
  double total = 0;
  for (const LayerTime& layer : layers) total += layer.seconds;
  std::string text = fmt::format("{:>9} {:>5} {:>8} {:>7} {:>6}  {:<10} {:<32} {}\n", "ms", "time", "GFLOP/s", "GB/s",
                                 "peak", "op", "tactic", "name");
  for (const LayerTime& layer : layers) {
    text += fmt::format("{:>9.4f} {:>4.1f}% {:>8.1f} {:>7.1f} {:>5.0f}%  {:<10} {:<32} {}\n", layer.seconds * 1e3,
                        layer.seconds / total * 100, layer.flops_per_s / 1e9, layer.bytes_per_s / 1e9,
                        layer.share * 100, layer.op, layer.tactic, layer.name);
  }
  return text + fmt::format("{:>9.4f} ms in all, one record at a time", total * 1e3);
}

}  // namespace narae
