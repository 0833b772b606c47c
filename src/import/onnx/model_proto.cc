// SPDX-License-Identifier: Apache-2.0
// One function a message; the numbers are the field numbers of onnx.proto. Recursion (graphs inside attributes) goes
// through WireReader::message, which bounds it.
#include "import/onnx/model_proto.h"

#include "base/error.h"

namespace narae::onnx {

namespace {

void read(WireReader in, TensorProto& out);
void read(WireReader in, Dimension& out);
void read(WireReader in, TypeProto& out);
void read(WireReader in, ValueInfoProto& out);
void read(WireReader in, AttributeProto& out);
void read(WireReader in, NodeProto& out);
void read(WireReader in, GraphProto& out);
void read(WireReader in, OpsetImport& out);
void read(WireReader in, FunctionProto& out);

void read(WireReader in, StringEntry& out) {
  while (in.next()) {
    if (in.field() == 1) out.key = in.text();
    if (in.field() == 2) out.value = in.text();
  }
}

template <typename T>
T& read_into(std::vector<T>& list, WireReader in) {
  list.emplace_back();
  read(in, list.back());
  return list.back();
}

std::string_view as_view(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void read(WireReader in, TensorProto& out) {
  while (in.next()) {
    switch (in.field()) {
      case 1: in.append(out.dims); break;
      case 2: out.data_type = static_cast<ElementType>(in.integer32()); break;
      case 3: out.segmented = true; break;
      case 4: in.append_words(out.float_data, 4); break;
      case 5: in.append_varints(out.int32_data); break;
      case 6: out.string_data.push_back(as_view(in.bytes())); break;
      case 7: in.append_varints(out.int64_data); break;
      case 8: out.name = in.text(); break;
      case 9:
        out.has_raw_data = true;
        out.raw_data = in.bytes();
        break;
      case 10: in.append_words(out.double_data, 8); break;
      case 11: in.append_varints(out.uint64_data); break;
      case 13: read_into(out.external_data, in.message("StringStringEntryProto")); break;
      case 14: out.external = in.integer() == 1; break;
      default: break;
    }
  }
}

void read(WireReader in, Dimension& out) {
  while (in.next()) {
    if (in.field() == 1) {
      out.has_value = true;
      out.value = in.integer();
    }
    if (in.field() == 2) {
      out.has_value = false;  // a oneof: the last one counts
      out.param = in.text();
    }
  }
}

void read_tensor_type(WireReader in, TypeProto& out) {
  while (in.next()) {
    if (in.field() == 1) out.elem_type = static_cast<ElementType>(in.integer32());
    if (in.field() == 2) {
      out.has_shape = true;
      WireReader shape = in.message("TensorShapeProto");
      while (shape.next()) {
        if (shape.field() == 1) read_into(out.shape, shape.message("Dimension"));
      }
    }
  }
}

void read(WireReader in, TypeProto& out) {
  while (in.next()) {
    switch (in.field()) {
      case 1:
        out = TypeProto();
        out.kind = TypeProto::Kind::tensor;
        read_tensor_type(in.message("TypeProto.Tensor"), out);
        break;
      case 4: out.kind = TypeProto::Kind::sequence; break;
      case 5: out.kind = TypeProto::Kind::map; break;
      case 8: out.kind = TypeProto::Kind::sparse_tensor; break;
      case 9: out.kind = TypeProto::Kind::optional; break;
      default: break;
    }
  }
}

void read(WireReader in, ValueInfoProto& out) {
  while (in.next()) {
    if (in.field() == 1) out.name = in.text();
    if (in.field() == 2) read(in.message("TypeProto"), out.type);
  }
}

void read(WireReader in, AttributeProto& out) {
  while (in.next()) {
    switch (in.field()) {
      case 1: out.name = in.text(); break;
      case 2: out.f = in.f32(); break;
      case 3: out.i = in.integer(); break;
      case 4: out.s = as_view(in.bytes()); break;
      case 5:
      case 10: read_into(out.t, in.message("TensorProto")); break;
      case 6:
      case 11: read_into(out.g, in.message("GraphProto")); break;
      case 7: in.append(out.floats); break;
      case 8: in.append(out.ints); break;
      case 9: out.strings.push_back(as_view(in.bytes())); break;
      case 20: out.type = static_cast<AttributeType>(in.integer32()); break;
      case 21: out.ref_attr_name = in.text(); break;
      default: break;
    }
  }
}

void read(WireReader in, NodeProto& out) {
  while (in.next()) {
    switch (in.field()) {
      case 1: out.inputs.push_back(in.text()); break;
      case 2: out.outputs.push_back(in.text()); break;
      case 3: out.name = in.text(); break;
      case 4: out.op_type = in.text(); break;
      case 5: read_into(out.attributes, in.message("AttributeProto")); break;
      case 7: out.domain = in.text(); break;
      case 8: out.overload = in.text(); break;
      default: break;
    }
  }
}

std::string_view sparse_tensor_name(WireReader in) {
  TensorProto values;
  while (in.next()) {
    if (in.field() == 1) read(in.message("TensorProto"), values);
  }
  return values.name;
}

void read(WireReader in, GraphProto& out) {
  while (in.next()) {
    switch (in.field()) {
      case 1: read_into(out.nodes, in.message("NodeProto")); break;
      case 2: out.name = in.text(); break;
      case 5: read_into(out.initializers, in.message("TensorProto")); break;
      case 11: read_into(out.inputs, in.message("ValueInfoProto")); break;
      case 12: read_into(out.outputs, in.message("ValueInfoProto")); break;
      case 13: read_into(out.value_info, in.message("ValueInfoProto")); break;
      case 15: out.sparse_initializers.push_back(sparse_tensor_name(in.message("SparseTensorProto"))); break;
      default: break;
    }
  }
}

void read(WireReader in, OpsetImport& out) {
  while (in.next()) {
    if (in.field() == 1) out.domain = in.text();
    if (in.field() == 2) out.version = in.integer();
  }
}

void read(WireReader in, FunctionProto& out) {
  while (in.next()) {
    switch (in.field()) {
      case 1: out.name = in.text(); break;
      case 4: out.inputs.push_back(in.text()); break;
      case 5: out.outputs.push_back(in.text()); break;
      case 6: out.attributes.push_back(in.text()); break;
      case 7: read_into(out.nodes, in.message("NodeProto")); break;
      case 9: read_into(out.opset_imports, in.message("OperatorSetIdProto")); break;
      case 10: out.domain = in.text(); break;
      case 11: read_into(out.attribute_defaults, in.message("AttributeProto")); break;
      case 13: out.overload = in.text(); break;
      default: break;
    }
  }
}

bool is_lfs_pointer(Bytes file) { return as_view(file).starts_with("version https://git-lfs"); }

}  // namespace

const AttributeProto* NodeProto::attribute(std::string_view wanted) const {
  for (const AttributeProto& attribute : attributes) {
    if (attribute.name == wanted) return &attribute;
  }
  return nullptr;
}

ModelProto read_model(Bytes file) {
  if (file.empty()) fail(ErrorCode::bad_file, "the file is empty; fetch or export it again");
  if (is_lfs_pointer(file)) {
    fail(ErrorCode::bad_file, "this is a Git LFS pointer, not a model; run `git lfs pull` where it came from");
  }
  ModelProto model;
  bool has_graph = false;
  WireReader in(file, "ModelProto");
  while (in.next()) {
    switch (in.field()) {
      case 1: model.ir_version = in.integer(); break;
      case 2: model.producer_name = in.text(); break;
      case 3: model.producer_version = in.text(); break;
      case 7:
        if (has_graph) fail(ErrorCode::bad_file, "the model holds more than one graph; export it again");
        has_graph = true;
        read(in.message("GraphProto"), model.graph);
        break;
      case 8: read_into(model.opset_imports, in.message("OperatorSetIdProto")); break;
      case 14: read_into(model.metadata_props, in.message("StringStringEntryProto")); break;
      case 25: read_into(model.functions, in.message("FunctionProto")); break;
      default: break;
    }
  }
  if (!has_graph) fail(ErrorCode::bad_file, "there is no graph in it: this is not an ONNX model");
  return model;
}

TensorProto read_tensor(Bytes file) {
  TensorProto tensor;
  read(WireReader(file, "TensorProto"), tensor);
  return tensor;
}

const char* element_type_name(ElementType type) {
  static constexpr const char* names[] = {
      "undefined", "float32",    "uint8",      "int8",         "uint16",         "int16",      "int32",
      "int64",     "string",     "bool",       "float16",      "float64",        "uint32",     "uint64",
      "complex64", "complex128", "bfloat16",   "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz",
      "uint4",     "int4",       "float4e2m1", "float8e8m0",   "uint2",          "int2"};
  const auto index = static_cast<size_t>(type);
  return index < sizeof names / sizeof *names ? names[index] : "unknown";
}

int element_bits(ElementType type) {
  static constexpr uint8_t bits[] = {0,  32,  8,  8, 16, 16, 32, 64, 0, 8, 16, 64, 32, 64,
                                     64, 128, 16, 8, 8,  8,  8,  4,  4, 4, 8,  2,  2};
  const auto index = static_cast<size_t>(type);
  return index < sizeof bits ? bits[index] : 0;
}

}  // namespace narae::onnx
