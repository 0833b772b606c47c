// SPDX-License-Identifier: Apache-2.0
// The messages of an ONNX file (github.com/onnx/onnx, onnx/onnx.proto), as plain structs of views into the mapped
// bytes. They live no longer than those bytes. Names and field names are ONNX's own; what Narae never reads is skipped.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "import/onnx/wire.h"

namespace narae::onnx {

struct StringEntry {
  std::string_view key, value;
};

// TensorProto.DataType
enum class ElementType : int32_t {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  string = 8,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  complex64 = 14,
  complex128 = 15,
  bfloat16 = 16,
  float8e4m3fn = 17,
  float8e4m3fnuz = 18,
  float8e5m2 = 19,
  float8e5m2fnuz = 20,
  uint4 = 21,
  int4 = 22,
  float4e2m1 = 23,
  float8e8m0 = 24,
  uint2 = 25,
  int2 = 26,
};

const char* element_type_name(ElementType type);  // "float32"; "unknown" outside the list
int element_bits(ElementType type);               // 0: not a number, or unknown

struct TensorProto {
  std::string_view name;
  std::vector<int64_t> dims;
  ElementType data_type = ElementType::undefined;
  bool segmented = false;
  bool has_raw_data = false;
  Bytes raw_data;
  Chunks float_data, double_data;              // words
  Chunks int32_data, int64_data, uint64_data;  // varints
  std::vector<std::string_view> string_data;   // any bytes
  bool external = false;
  std::vector<StringEntry> external_data;
};

struct Dimension {
  bool has_value = false;
  int64_t value = 0;
  std::string_view param;  // a hint only: "?" or "" name nothing
};

struct TypeProto {
  enum class Kind { none, tensor, sequence, map, optional, sparse_tensor };
  Kind kind = Kind::none;
  ElementType elem_type = ElementType::undefined;  // tensor
  bool has_shape = false;
  std::vector<Dimension> shape;
};

struct ValueInfoProto {
  std::string_view name;
  TypeProto type;
};

struct GraphProto;

// AttributeProto.AttributeType
enum class AttributeType : int32_t {
  undefined = 0,
  number = 1,
  integer = 2,
  string = 3,
  tensor = 4,
  graph = 5,
  numbers = 6,
  integers = 7,
  strings = 8,
  tensors = 9,
  graphs = 10,
  sparse_tensor = 11,
  sparse_tensors = 12,
  type_proto = 13,
  type_protos = 14,
};

struct AttributeProto {
  std::string_view name, ref_attr_name;
  AttributeType type = AttributeType::undefined;
  float f = 0;
  int64_t i = 0;
  std::string_view s;
  std::vector<TensorProto> t;  // t (at most one) or tensors
  std::vector<GraphProto> g;   // g (at most one) or graphs
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string_view> strings;
};

struct NodeProto {
  std::string_view name, op_type, domain, overload;
  std::vector<std::string_view> inputs, outputs;
  std::vector<AttributeProto> attributes;

  const AttributeProto* attribute(std::string_view name) const;  // nullptr: absent
};

struct GraphProto {
  std::string_view name;
  std::vector<NodeProto> nodes;
  std::vector<TensorProto> initializers;
  std::vector<std::string_view> sparse_initializers;  // names only: refused by the importer
  std::vector<ValueInfoProto> inputs, outputs, value_info;
};

struct OpsetImport {
  std::string_view domain;
  int64_t version = 0;
};

struct FunctionProto {
  std::string_view name, domain, overload;
  std::vector<std::string_view> inputs, outputs, attributes;
  std::vector<AttributeProto> attribute_defaults;
  std::vector<NodeProto> nodes;
  std::vector<OpsetImport> opset_imports;
};

struct ModelProto {
  int64_t ir_version = 0;
  std::string_view producer_name, producer_version;
  std::vector<OpsetImport> opset_imports;
  std::vector<StringEntry> metadata_props;
  std::vector<FunctionProto> functions;
  GraphProto graph;
};

// Both throw Error bad_file with the byte offset of the damage.
ModelProto read_model(Bytes file);
TensorProto read_tensor(Bytes file);  // a .pb of test data: one serialised TensorProto

}  // namespace narae::onnx
