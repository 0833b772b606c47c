// SPDX-License-Identifier: Apache-2.0
// What a server knows by a name: something with a Queue and Workers. The fronts ask for the kind they talk to.
#pragma once

#include <memory>
#include <string>

#include "serve/statistics.h"

namespace narae {

class EmbeddingModel;
class TensorModel;
class TextModel;

class Model {
 public:
  Model(std::string name, std::string version) : name_(std::move(name)), version_(std::move(version)) {}
  virtual ~Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  const std::string& name() const { return name_; }
  const std::string& version() const { return version_; }
  virtual const char* kind() const = 0;
  virtual TensorModel* tensors() { return nullptr; }        // null: it does not take tensors
  virtual TextModel* text() { return nullptr; }             // null: it does not continue text
  virtual EmbeddingModel* embeddings() { return nullptr; }  // null: it makes no vectors of texts
  virtual size_t pending() const = 0;                       // requests that wait
  virtual uint64_t executions() const = 0;                  // steps so far
  // Refuses what comes, answers what is there, then returns. Called once, before the last reference goes.
  virtual void close() = 0;
  // The same without answering: what waits is cancelled.
  virtual void stop() = 0;

  ModelStatistics& statistics() { return statistics_; }

 private:
  std::string name_, version_;
  ModelStatistics statistics_;
};

}  // namespace narae
