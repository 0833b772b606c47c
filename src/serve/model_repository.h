// SPDX-License-Identifier: Apache-2.0
// The models of a server by name. Loading and unloading take as long as they take and are serialised; looking one up
// never waits for them, and whoever holds a model may finish with it after it is unloaded.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "serve/model.h"
#include "serve/model_config.h"

namespace narae {

struct ModelSource {
  std::string name, version = "1", path;
  ModelConfig config;
};

// Makes a model of a file; throws Error.
using Loader = std::function<std::shared_ptr<Model>(const ModelSource&)>;

enum class ModelState : uint8_t { unavailable, loading, ready, unloading };
const char* model_state_name(ModelState state);  // as KServe's repository index says it

class ModelRepository {
 public:
  struct Entry {
    std::string name, version, kind;
    ModelState state = ModelState::unavailable;
    std::string reason;  // why it is unavailable
  };

  explicit ModelRepository(Loader loader) : loader_(std::move(loader)) {}
  ~ModelRepository() { stop(); }

  // Throws Error usage for a name that is there already.
  void add(ModelSource source);
  // Loads a model, again where it is loaded already: the old one then answers until the new one is ready. Throws Error
  // usage for an unknown name, and what the Loader throws; the reason stays in the index.
  void load(const std::string& name);
  // Refuses new requests at once and returns when those that are there are answered. Throws Error usage for an unknown
  // name.
  void unload(const std::string& name);
  // Null: no such model, another version, or not ready. An empty version: the one there is.
  std::shared_ptr<Model> find(const std::string& name, const std::string& version = {}) const;
  bool knows(const std::string& name) const;
  std::vector<Entry> index() const;
  std::vector<std::shared_ptr<Model>> ready() const;
  void close();  // answers everything, then unloads all
  void stop();   // cancels everything, then unloads all

 private:
  struct Slot {
    ModelSource source;
    ModelState state = ModelState::unavailable;
    std::string reason = "not loaded yet";
    std::shared_ptr<Model> model;
  };
  std::shared_ptr<Model> replace(const std::string& name, std::shared_ptr<Model> model, ModelState state,
                                 std::string reason);
  std::string unknown(const std::string& name) const;

  Loader loader_;
  std::mutex changes_;        // held while a model is loaded or unloaded
  mutable std::mutex mutex_;  // of slots_
  std::map<std::string, Slot> slots_;
};

}  // namespace narae
