// SPDX-License-Identifier: Apache-2.0
#include "explain_json.h"

#include <algorithm>
#include <unordered_map>

namespace narae {
namespace {

using Json = nlohmann::ordered_json;

Json layouts(const std::vector<Layout>& all) {
  Json list = Json::array();
  for (const Layout& layout : all) list.push_back(layout.text());
  return list;
}

std::string name_of(const Choice& choice) {
  return choice.config.empty() ? choice.tactic->name() : fmt::format("{}/{}", choice.tactic->name(), choice.config);
}

Json candidates_json(const Node& node, const std::vector<Candidate>& candidates, const NodeDims& dims, Device& device) {
  Json list = Json::array();
  for (const Candidate& candidate : candidates) {
    const auto kernel = candidate.choice.tactic->specialise(node, candidate.choice, dims, device);
    list.push_back({{"name", name_of(candidate.choice)},
                    {"ms", candidate.seconds * 1e3},
                    {"measured", candidate.measured},
                    {"workspace_bytes", kernel->workspace_bytes()},
                    {"layout_in", layouts(candidate.choice.inputs)},
                    {"layout_out", layouts(candidate.choice.outputs)}});
  }
  std::stable_sort(list.begin(), list.end(), [](const Json& a, const Json& b) { return a["ms"] < b["ms"]; });
  return list;
}

bool is_measured(const Choice& chosen, const std::vector<Candidate>& candidates) {
  return std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
    return candidate.measured && choice_text(candidate.choice) == choice_text(chosen);
  });
}

std::string label_of(const Value& value) {
  if (!value.name().empty()) return value.name();
  return value.producer() ? value.producer()->label() : std::string();
}

// A concat is gone when whatever makes its operands writes them into the result.
FusionRecord concat_fusion(const Record& record) {
  FusionRecord fusion;
  fusion.kind = "concat";
  fusion.into = record.node->label();
  for (size_t i = 0; i < record.node->inputs().size(); ++i) {
    fusion.nodes.push_back(label_of(*record.node->input(i)));
    if (record.aliased[i]) continue;
    fusion.reason += fmt::format("{}operand {}", fusion.reason.empty() ? "" : ", ", i);
  }
  fusion.done = fusion.reason.empty();
  if (!fusion.done) fusion.reason += " copied: it cannot lie in the result alone";
  return fusion;
}

}  // namespace

Json passes_json(const PassReport& report) {
  Json list = Json::array();
  for (const PassRecord& pass : report.passes) {
    list.push_back({{"name", pass.name},
                    {"ms", pass.ms},
                    {"nodes_before", pass.nodes_before},
                    {"nodes_after", pass.nodes_after},
                    {"changed", pass.changed}});
  }
  return list;
}

Json fusions_json(const PassReport& report, const Program& program) {
  std::vector<FusionRecord> fusions = report.fusions;
  for (const Record& record : program.records) {
    if (record.node && record.node->is("concat")) fusions.push_back(concat_fusion(record));
  }
  Json list = Json::array();
  for (const FusionRecord& fusion : fusions) {
    list.push_back({{"kind", fusion.kind},
                    {"nodes", fusion.nodes},
                    {"into", fusion.into},
                    {"done", fusion.done},
                    {"reason", fusion.reason}});
  }
  return list;
}

Json bodies_json(const Engine& engine) {
  Json list = Json::array();
  auto ms = [](double seconds) { return seconds < 0 ? Json(nullptr) : Json(seconds * 1e3); };
  for (const BodyDecision& body : engine.lowered().notes.bodies) {
    list.push_back({{"node", body.node},
                    {"kind", body.kind},
                    {"kept", body.kept},
                    {"whole_ms", ms(body.whole_seconds)},
                    {"split_ms", ms(body.split_seconds)}});
  }
  return list;
}

Json tactics_json(const Engine& engine, const Program& program, Device& device, const CostSource& costs) {
  Json list = Json::array();
  std::unordered_map<const Node*, int64_t> aliased;
  for (const Record& record : program.records) {
    if (record.node) aliased[record.node] = std::count(record.aliased.begin(), record.aliased.end(), true);
  }
  const LoweredEngine& lowered = engine.lowered();
  for (const Node* node = lowered.graph->first(); node; node = node->next()) {
    const NodeChoice& chosen = lowered.selection.nodes.at(node);
    std::vector<Candidate> anew;
    if (chosen.candidates.empty()) anew = candidates_for(*node, device, lowered.opt, costs);
    const std::vector<Candidate>& candidates = anew.empty() ? chosen.candidates : anew;
    list.push_back({{"node", node->label()},
                    {"op", node->op().name},
                    {"chosen", name_of(chosen.choice)},
                    {"ms", chosen.seconds * 1e3},
                    {"measured", is_measured(chosen.choice, candidates)},
                    {"reference", chosen.choice.tactic->is_reference()},
                    {"aliased", aliased[node]},
                    {"layout_in", layouts(chosen.choice.inputs)},
                    {"layout_out", layouts(chosen.choice.outputs)},
                    {"candidates", candidates_json(*node, candidates, node_dims(*node, lowered.opt), device)}});
  }
  return list;
}

Json reference_nodes_json(const Engine& engine) {
  Json list = Json::array();
  const LoweredEngine& lowered = engine.lowered();
  for (const Node* node = lowered.graph->first(); node; node = node->next()) {
    if (lowered.selection.nodes.at(node).choice.tactic->is_reference()) {
      list.push_back({{"node", node->label()}, {"op", node->op().name}});
    }
  }
  return list;
}

std::vector<Region> regions_of(const Program& program) {
  std::vector<Region> regions;
  for (const Slot& slot : program.slots) {
    if (slot.place != SlotPlace::arena || slot.parent >= 0 || slot.first < 0) continue;
    regions.push_back(
        {slot.value ? label_of(*slot.value) : std::string(), slot.offset, slot.bytes, slot.first, slot.last});
  }
  for (size_t i = 0; i < program.records.size(); ++i) {
    const Record& record = program.records[i];
    if (record.workspace_offset < 0 || !record.kernel) continue;
    const auto bytes = static_cast<int64_t>(record.kernel->workspace_bytes());
    const std::string name = "workspace of " + (record.node ? record.node->label() : record.what);
    regions.push_back({name, record.workspace_offset, bytes, static_cast<int>(i), static_cast<int>(i)});
  }
  return regions;
}

Json memory_json(const Program& program, const Engine& engine) {
  Json regions = Json::array();
  for (const Region& region : regions_of(program)) {
    regions.push_back({{"value", region.value},
                       {"offset", region.offset},
                       {"bytes", region.bytes},
                       {"first", region.first},
                       {"last", region.last}});
  }
  int64_t states = 0;
  for (const Slot& slot : program.slots) states += slot.place == SlotPlace::state && slot.parent < 0 ? slot.bytes : 0;
  return {{"arena_bytes", program.arena_bytes},
          {"lower_bound_bytes", program.lower_bound_bytes},
          {"weights_bytes", engine.weights().bytes()},
          {"state_bytes", states},
          {"regions", std::move(regions)}};
}

}  // namespace narae
