// SPDX-License-Identifier: Apache-2.0
#include "plan/timing_cache.h"

#include <cinttypes>
#include <cstdio>
#include <fstream>

#include "base/hash.h"
#include "base/mapped_file.h"

namespace narae {
namespace {

constexpr const char* magic = "narae timing cache 1";

void append_body(const Graph& body, std::string& text) {
  std::unordered_map<const Value*, size_t> ids;
  auto id = [&](const Value* value) { return value ? ids.try_emplace(value, ids.size()).first->second : size_t{9999}; };
  for (const Value* value : body.inputs()) id(value);
  for (const Node* node = body.first(); node; node = node->next()) {
    text += fmt::format("{}{}(", node->op().name, node->attribute_box()->text());
    for (const Value* value : node->inputs()) {
      text += fmt::format("{},", id(value));
      if (value && value->is_constant()) text += dims_text(value->tensor().dims);
    }
    text += ")";
    for (const Value* value : node->outputs()) id(value);
    for (const auto& nested : node->bodies()) append_body(*nested, text);
  }
  for (const Value* value : body.outputs()) text += fmt::format(">{}", id(value));
}

std::unordered_map<uint64_t, double> read_file(const std::string& path, uint64_t fingerprint) {
  std::unordered_map<uint64_t, double> seconds;
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line) || line != fmt::format("{} {:016x}", magic, fingerprint)) return seconds;
  while (std::getline(file, line)) {
    uint64_t key;
    double value;
    if (std::sscanf(line.c_str(), "%" SCNx64 " %lf", &key, &value) == 2 && value > 0 && value < 1e6)
      seconds[key] = value;
  }
  return seconds;
}

}  // namespace

std::string node_signature(const Node& node, const NodeDims& dims) {
  std::string text = std::string(node.op().name) + node.attribute_box()->text();
  for (size_t i = 0; i < dims.inputs.size(); ++i) {
    if (!node.input(i)) {
      text += "_";
      continue;
    }
    text += (node.input(i)->is_constant() ? "c" : "") + std::string(dtype_name(node.input(i)->dtype())) +
            dims_text(dims.inputs[i]);
  }
  text += ">";
  for (size_t i = 0; i < dims.outputs.size(); ++i) {
    text += dtype_name(node.output(i)->dtype()) + dims_text(dims.outputs[i]);
  }
  for (const auto& body : node.bodies()) append_body(*body, text);
  return text;
}

uint64_t TimingCache::key(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target) {
  uint64_t key = hash_string(node_signature(node, dims), static_cast<uint64_t>(target.cores));
  return hash_combine(hash_combine(key, hash_string(choice_text(choice))),
                      static_cast<uint64_t>(choice.tactic->revision()));
}

TimingCache::TimingCache(std::string path, const Target& target)
    : path_(std::move(path)), fingerprint_(target.fingerprint()), seconds_(read_file(path_, fingerprint_)) {}

bool TimingCache::find(uint64_t key, double& seconds) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto it = seconds_.find(key);
  if (it == seconds_.end()) return false;
  seconds = it->second;
  return true;
}

void TimingCache::put(uint64_t key, double seconds) {
  const std::lock_guard<std::mutex> lock(mutex_);
  seconds_[key] = seconds;
}

size_t TimingCache::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return seconds_.size();
}

void TimingCache::save() const {
  if (path_.empty()) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  auto all = read_file(path_, fingerprint_);
  for (const auto& [key, seconds] : seconds_) all[key] = seconds;
  std::string text = fmt::format("{} {:016x}\n", magic, fingerprint_);
  for (const auto& [key, seconds] : all) text += fmt::format("{:016x} {:.9g}\n", key, seconds);
  AtomicFile file(path_);
  file.write(text.data(), text.size());
  file.commit();
}

double MeasuredCosts::seconds(const Node& node, const Choice& choice, const NodeDims& dims, const Target& target,
                              bool* measured) const {
  double seconds;
  if (!cache_.find(TimingCache::key(node, choice, dims, target), seconds)) {
    return EstimatedCosts::seconds(node, choice, dims, target, measured);
  }
  if (measured) *measured = true;
  return seconds;
}

}  // namespace narae
