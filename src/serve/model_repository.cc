// SPDX-License-Identifier: Apache-2.0
#include "serve/model_repository.h"

#include "base/error.h"

namespace narae {

const char* model_state_name(ModelState state) {
  switch (state) {
    case ModelState::unavailable: return "UNAVAILABLE";
    case ModelState::loading: return "LOADING";
    case ModelState::ready: return "READY";
    case ModelState::unloading: return "UNLOADING";
  }
  return "UNAVAILABLE";
}

void ModelRepository::add(ModelSource source) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (source.name.empty()) fail(ErrorCode::usage, "a model needs a name; give NAME=PATH");
  Slot slot;
  slot.source = std::move(source);
  const std::string name = slot.source.name;
  if (!slots_.emplace(name, std::move(slot)).second) {
    fail(ErrorCode::usage, "two models are called \"{}\"; give one another name with NAME=PATH", name);
  }
}

std::string ModelRepository::unknown(const std::string& name) const {
  std::string names;
  for (const auto& [known, slot] : slots_) names += (names.empty() ? "\"" : ", \"") + known + "\"";
  return fmt::format("there is no model \"{}\"; the server was started with {}", name, names);
}

std::shared_ptr<Model> ModelRepository::replace(const std::string& name, std::shared_ptr<Model> model, ModelState state,
                                                std::string reason) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Slot& slot = slots_.at(name);
  std::shared_ptr<Model> old = std::exchange(slot.model, std::move(model));
  slot.state = state;
  slot.reason = std::move(reason);
  return old;
}

void ModelRepository::load(const std::string& name) {
  const std::lock_guard<std::mutex> changing(changes_);
  ModelSource source;
  bool had_model = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto slot = slots_.find(name);
    if (slot == slots_.end()) throw Error(ErrorCode::usage, unknown(name));
    source = slot->second.source;
    had_model = slot->second.model != nullptr;
    if (!had_model) slot->second.state = ModelState::loading;
  }
  try {
    std::shared_ptr<Model> made = loader_(source);
    if (const std::shared_ptr<Model> old = replace(name, std::move(made), ModelState::ready, {})) old->close();
  } catch (const std::exception& error) {
    if (!had_model) replace(name, nullptr, ModelState::unavailable, error.what());
    throw;
  }
}

void ModelRepository::unload(const std::string& name) {
  const std::lock_guard<std::mutex> changing(changes_);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!slots_.count(name)) throw Error(ErrorCode::usage, unknown(name));
  }
  const std::shared_ptr<Model> old = replace(name, nullptr, ModelState::unloading, {});
  if (old) old->close();
  replace(name, nullptr, ModelState::unavailable, "unloaded");
}

std::shared_ptr<Model> ModelRepository::find(const std::string& name, const std::string& version) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto slot = slots_.find(name);
  if (slot == slots_.end() || !slot->second.model) return nullptr;
  return version.empty() || version == slot->second.model->version() ? slot->second.model : nullptr;
}

bool ModelRepository::knows(const std::string& name) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return slots_.count(name) > 0;
}

std::vector<ModelRepository::Entry> ModelRepository::index() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<Entry> entries;
  for (const auto& [name, slot] : slots_) {
    entries.push_back({name, slot.source.version, slot.model ? slot.model->kind() : "", slot.state, slot.reason});
  }
  return entries;
}

std::vector<std::shared_ptr<Model>> ModelRepository::ready() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::shared_ptr<Model>> models;
  for (const auto& [name, slot] : slots_) {
    if (slot.model) models.push_back(slot.model);
  }
  return models;
}

void ModelRepository::close() {
  for (const Entry& entry : index()) unload(entry.name);
}

void ModelRepository::stop() {
  const std::lock_guard<std::mutex> changing(changes_);
  for (const Entry& entry : index()) {
    if (const std::shared_ptr<Model> old = replace(entry.name, nullptr, ModelState::unavailable, "the server stops")) {
      old->stop();
    }
  }
}

}  // namespace narae
