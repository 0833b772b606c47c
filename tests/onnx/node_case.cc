// SPDX-License-Identifier: Apache-2.0
#include "node_case.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/mapped_file.h"
#include "import/onnx/model_proto.h"
#include "import/onnx/to_tensor.h"

namespace narae {

namespace fs = std::filesystem;

namespace {

Tensor read_pb(const fs::path& path) {
  return with_context([&] { return path.filename().string(); },
                      [&] {
                        const std::shared_ptr<const MappedFile> file = MappedFile::open(path.string());
                        onnx::TensorSource source(file);
                        // A copy is aligned; the bytes in the file need not be, and inputs must.
                        return Tensor::copy_of(onnx::to_tensor(onnx::read_tensor(file->bytes()), source));
                      });
}

std::vector<Tensor> read_numbered(const fs::path& folder, const char* stem) {
  std::vector<Tensor> tensors;
  for (int i = 0;; ++i) {
    const fs::path path = folder / fmt::format("{}_{}.pb", stem, i);
    if (!fs::exists(path)) return tensors;
    tensors.push_back(read_pb(path));
  }
}

}  // namespace

std::vector<NodeCase> find_node_cases(const std::string& folder) {
  std::vector<NodeCase> cases;
  for (const auto& entry : fs::directory_iterator(folder)) {
    NodeCase found;
    found.name = entry.path().filename().string();
    found.model = (entry.path() / "model.onnx").string();
    if (!fs::exists(found.model)) continue;
    const std::shared_ptr<const MappedFile> file = MappedFile::open(found.model);
    const onnx::ModelProto model = onnx::read_model(file->bytes());
    std::set<std::string> ops;
    for (const onnx::NodeProto& node : model.graph.nodes) ops.emplace(node.op_type);
    found.op_types.assign(ops.begin(), ops.end());
    const auto random = [&](const char* op) { return ops.count(op) > 0; };
    found.wanted_by_value = !random("Bernoulli") && !random("RandomUniformLike");
    cases.push_back(std::move(found));
  }
  std::sort(cases.begin(), cases.end(), [](const NodeCase& a, const NodeCase& b) { return a.name < b.name; });
  return cases;
}

std::vector<NodeDataSet> read_data_sets(const NodeCase& node_case) {
  std::vector<NodeDataSet> sets;
  for (int i = 0;; ++i) {
    const fs::path folder = fs::path(node_case.model).parent_path() / fmt::format("test_data_set_{}", i);
    if (!fs::exists(folder)) break;
    sets.push_back({read_numbered(folder, "input"), read_numbered(folder, "output")});
  }
  if (sets.empty()) fail(ErrorCode::bad_file, "no test_data_set_0");
  return sets;
}

std::string difference(const Tensor& got, const Tensor& want, bool by_value, double atol) {
  if (got.dtype != want.dtype)
    return fmt::format("type {} instead of {}", dtype_name(got.dtype), dtype_name(want.dtype));
  if (got.dims != want.dims) return fmt::format("shape {} instead of {}", dims_text(got.dims), dims_text(want.dims));
  if (!by_value) return {};
  int64_t wrong = 0;
  std::string first;
  for (int64_t i = 0; i < want.count(); ++i) {
    const double a = element_as_double(got, i), b = element_as_double(want, i);
    const bool equal = a == b || (std::isnan(a) && std::isnan(b)) || std::fabs(a - b) <= atol + 1e-3 * std::fabs(b);
    if (!equal && ++wrong == 1) first = fmt::format("element {} is {} instead of {}", i, a, b);
  }
  return wrong == 0 ? std::string() : fmt::format("{} of {} elements differ, {}", wrong, want.count(), first);
}

}  // namespace narae
