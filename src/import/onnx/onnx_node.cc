// SPDX-License-Identifier: Apache-2.0
#include "import/onnx/onnx_node.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "import/onnx/to_tensor.h"

namespace narae::onnx {

namespace {

const char* attribute_type_name(AttributeType type) {
  static constexpr const char* names[] = {"undefined",      "float", "int",     "string",  "tensor", "graph",
                                          "floats",         "ints",  "strings", "tensors", "graphs", "sparse tensor",
                                          "sparse tensors", "type",  "types"};
  const auto index = static_cast<size_t>(type);
  return index < sizeof names / sizeof *names ? names[index] : "unknown";
}

}  // namespace

OnnxNode::OnnxNode(Emit& emit, TensorSource& source, const Scope& scope, const NodeProto& proto,
                   std::string_view narae_op)
    : emit_(emit), source_(source), scope_(scope), proto_(proto), narae_op_(narae_op) {
  const auto found = scope.opsets.find("");
  opset_ = found == scope.opsets.end() ? 1 : found->second;
}

Value* OnnxNode::optional(size_t i) const {
  if (i >= proto_.inputs.size() || proto_.inputs[i].empty()) return nullptr;
  const auto found = scope_.values.find(proto_.inputs[i]);
  NARAE_CHECK(found != scope_.values.end());
  return found->second;  // null: an operand that the call of a function left out
}

Value* OnnxNode::in(size_t i) const {
  Value* value = optional(i);
  if (!value) fail(ErrorCode::bad_file, "input {} is missing; export the model again", i);
  return value;
}

Results OnnxNode::inputs() const {
  Results all;
  for (size_t i = 0; i < input_count(); ++i) all.push_back(in(i));
  return all;
}

const AttributeProto* OnnxNode::find(std::string_view name, AttributeType type) const {
  const AttributeProto* attribute = proto_.attribute(name);
  if (!attribute) return nullptr;
  read_.insert(attribute->name);
  if (!attribute->ref_attr_name.empty()) {
    const auto found = scope_.attributes.find(attribute->ref_attr_name);
    if (found == scope_.attributes.end()) return nullptr;
    attribute = found->second;
  }
  if (attribute->type != type && attribute->type != AttributeType::undefined) {
    fail(ErrorCode::bad_file, "attribute {} has type {}, not {}; export the model again", name,
         attribute_type_name(attribute->type), attribute_type_name(type));
  }
  return attribute;
}

bool OnnxNode::has_attribute(std::string_view name) const {
  const AttributeProto* attribute = proto_.attribute(name);
  return attribute && (attribute->ref_attr_name.empty() || scope_.attributes.count(attribute->ref_attr_name) > 0);
}

namespace {
template <typename T>
T or_missing(const std::optional<T>& otherwise, std::string_view name) {
  if (!otherwise) fail(ErrorCode::bad_file, "attribute {} is missing; export the model again", name);
  return *otherwise;
}
}  // namespace

int64_t OnnxNode::integer(std::string_view name, std::optional<int64_t> otherwise) const {
  const AttributeProto* attribute = find(name, AttributeType::integer);
  return attribute ? attribute->i : or_missing(otherwise, name);
}

double OnnxNode::number(std::string_view name, std::optional<double> otherwise) const {
  const AttributeProto* attribute = find(name, AttributeType::number);
  return attribute ? static_cast<double>(attribute->f) : or_missing(otherwise, name);
}

std::string OnnxNode::text(std::string_view name, std::optional<std::string> otherwise) const {
  const AttributeProto* attribute = find(name, AttributeType::string);
  return attribute ? std::string(attribute->s) : or_missing(otherwise, name);
}

std::vector<int64_t> OnnxNode::integers(std::string_view name) const {
  const AttributeProto* attribute = find(name, AttributeType::integers);
  return attribute ? attribute->ints : std::vector<int64_t>();
}

std::vector<double> OnnxNode::numbers(std::string_view name) const {
  const AttributeProto* attribute = find(name, AttributeType::numbers);
  return attribute ? std::vector<double>(attribute->floats.begin(), attribute->floats.end()) : std::vector<double>();
}

std::vector<std::string> OnnxNode::texts(std::string_view name) const {
  const AttributeProto* attribute = find(name, AttributeType::strings);
  return attribute ? std::vector<std::string>(attribute->strings.begin(), attribute->strings.end())
                   : std::vector<std::string>();
}

Tensor OnnxNode::tensor(std::string_view name) const {
  const AttributeProto* attribute = find(name, AttributeType::tensor);
  if (!attribute || attribute->t.size() != 1) fail(ErrorCode::bad_file, "attribute {} holds no tensor", name);
  return with_context([&] { return fmt::format("attribute {}", name); },
                      [&] { return to_tensor(attribute->t[0], source_); });
}

void OnnxNode::ignore(std::initializer_list<std::string_view> names) const { read_.insert(names.begin(), names.end()); }

void OnnxNode::check_all_read() const {
  for (const AttributeProto& attribute : proto_.attributes) {
    if (read_.count(attribute.name) > 0) continue;
    fail(ErrorCode::bad_file, "attribute {} of {} is not known for opset {}; export the model for another opset",
         attribute.name, op_type(), opset_);
  }
}

Tensor OnnxNode::constant(size_t i, std::string_view what) const {
  std::optional<Tensor> known = emit_.known(in(i));
  if (!known) {
    fail(ErrorCode::bad_file, "input {} ({}) \"{}\" must be a constant; fix its value in the model", i, what,
         proto_.inputs[i]);
  }
  return std::move(*known);
}

std::vector<int64_t> OnnxNode::constant_integers(size_t i, std::string_view what) const {
  const Tensor tensor = constant(i, what);
  if (!is_integer(tensor.dtype)) {
    fail(ErrorCode::bad_file, "input {} ({}) has type {}, not an integer type", i, what, dtype_name(tensor.dtype));
  }
  std::vector<int64_t> values;
  for (int64_t k = 0; k < tensor.count(); ++k) values.push_back(element_as_int(tensor, k));
  return values;
}

double OnnxNode::constant_number(size_t i, std::string_view what) const {
  const Tensor tensor = constant(i, what);
  if (tensor.count() != 1) fail(ErrorCode::bad_file, "input {} ({}) has {} elements, not one", i, what, tensor.count());
  return element_as_double(tensor, 0);
}

std::optional<std::vector<int64_t>> OnnxNode::integers_or_operand(std::string_view name, size_t i) const {
  if (has_attribute(name)) return integers(name);
  if (has(i)) return constant_integers(i, name);
  return {};
}

std::vector<Dim> OnnxNode::dims(size_t i, std::string_view what) const {
  Value* value = in(i);
  if (value->contents()) return *value->contents();
  std::vector<Dim> out;
  if (const std::optional<Tensor> known = emit_.known(value)) {
    for (int64_t k = 0; k < known->count(); ++k) {
      const double size = element_as_double(*known, k);
      if (is_float(known->dtype) && (size != std::trunc(size) || std::fabs(size) > 1e15)) {
        fail(ErrorCode::bad_file, "input {} ({}) holds {}, not a whole number", i, what, size);
      }
      out.push_back(is_float(known->dtype) ? static_cast<int64_t>(size) : element_as_int(*known, k));
    }
    return out;
  }
  fail(ErrorCode::bad_file,
       "input {} ({}) \"{}\" decides a shape but cannot be followed back to constants, shapes or graph inputs; fix its "
       "value in the model",
       i, what, proto_.inputs[i]);
}

size_t normal_axis(int64_t axis, size_t rank) {
  const auto signed_rank = static_cast<int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    fail(ErrorCode::bad_file, "axis {} is outside the rank {}", axis, rank);
  }
  return static_cast<size_t>(axis < 0 ? axis + signed_rank : axis);
}

std::vector<int64_t> normal_axes(const std::vector<int64_t>& axes, size_t rank) {
  std::vector<int64_t> out;
  for (const int64_t axis : axes) out.push_back(static_cast<int64_t>(normal_axis(axis, rank)));
  std::sort(out.begin(), out.end());
  const auto twice = std::adjacent_find(out.begin(), out.end());
  if (twice != out.end()) fail(ErrorCode::bad_file, "axis {} is given twice", *twice);
  return out;
}

}  // namespace narae::onnx
