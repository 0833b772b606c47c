// SPDX-License-Identifier: Apache-2.0
// The elements of a TensorProto as plain little-endian bytes: a view into the mapped model (raw_data, packed words) or
// into a mapped external file wherever one will do, decoded only from varints. A view may be unaligned for its type.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/mapped_file.h"
#include "import/onnx/model_proto.h"

namespace narae::onnx {

struct TensorData {
  Bytes bytes;
  std::shared_ptr<const void> owner;  // keeps `bytes` alive
  const MappedFile* file = nullptr;   // where `bytes` is a view into a mapped file
};

// What the views of a model point into: its own bytes and the files its external tensors name.
class TensorSource {
 public:
  // `owner` keeps the model's bytes alive; `folder` is where external files are looked for.
  TensorSource(std::shared_ptr<const void> owner, std::string folder);
  // A model that is a mapped file, with external files beside it.
  explicit TensorSource(const std::shared_ptr<const MappedFile>& file);

  // The elements of `tensor`. Throws Error bad_file when their size differs from what dims and type say, and for
  // strings, segments, unknown types, missing external files and paths that leave the folder.
  TensorData read(const TensorProto& tensor);

 private:
  TensorData read_external(const TensorProto& tensor, uint64_t size);
  std::shared_ptr<const MappedFile> external_file(const std::string& location);

  std::shared_ptr<const void> owner_;
  const MappedFile* file_ = nullptr;
  std::string folder_;
  std::map<std::string, std::shared_ptr<const MappedFile>> files_;
};

// Elements and bytes (4- and 2-bit elements packed) that dims and type ask for; Error bad_file on negative dims, types
// without a size, and sizes beyond 2^62.
uint64_t proto_element_count(const TensorProto& tensor);
uint64_t byte_size(const TensorProto& tensor);

}  // namespace narae::onnx
