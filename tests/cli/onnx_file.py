# SPDX-License-Identifier: Apache-2.0
"""ONNX models and .npy files written by hand, so that the command's tests need nothing but Python."""
import array
import struct

F32, I64, F64, I32 = 1, 7, 11, 6
DESCR = {F32: ("<f4", "f"), I64: ("<i8", "q"), F64: ("<f8", "d"), I32: ("<i4", "i")}


def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def block(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def tensor(name, dtype, dims, values=None, raw=None, external=None):
    out = b"".join(number(1, dim) for dim in dims) + number(2, dtype) + block(8, name)
    if external is not None:
        pairs = external if isinstance(external, dict) else {"location": external}
        return out + b"".join(block(13, block(1, key) + block(2, str(text))) for key, text in pairs.items()) + number(14, 1)
    return out + block(9, array.array(DESCR[dtype][1], values).tobytes() if raw is None else raw)


def value_info(name, dtype, dims):
    shape = b"".join(block(1, block(2, dim) if isinstance(dim, str) else number(1, dim)) for dim in dims)
    return block(1, name) + block(2, block(1, number(1, dtype) + block(2, shape)))


def ints(name, values):
    return block(1, name) + b"".join(number(8, value) for value in values) + number(20, 7)


def node(op, inputs, outputs, name, attributes=()):
    out = b"".join(block(1, text) for text in inputs) + b"".join(block(2, text) for text in outputs)
    return out + block(3, name) + block(4, op) + b"".join(block(5, attribute) for attribute in attributes)


def model(nodes, inputs, outputs, initializers=(), opset=17):
    """The graph comes last, so that a file cut anywhere is cut inside a message."""
    graph = b"".join(block(1, item) for item in nodes) + block(2, "made")
    graph += b"".join(block(5, item) for item in initializers)
    graph += b"".join(block(11, item) for item in inputs) + b"".join(block(12, item) for item in outputs)
    metadata = block(1, "author") + block(2, "nobody")
    return number(1, 8) + block(8, number(2, opset)) + block(14, metadata) + block(7, graph)


def ramp(count, scale):
    return [((index * 37) % 101 - 50) * scale for index in range(count)]


def small_cnn():
    """x [N,3,8,8] -> conv 3x3 -> relu -> mean -> matmul -> y [N,5]"""
    nodes = [node("Conv", ["x", "w", "b"], ["c"], "conv", [ints("pads", [1, 1, 1, 1])]),
             node("Relu", ["c"], ["r"], "relu"),
             node("GlobalAveragePool", ["r"], ["p"], "pool"),
             node("Flatten", ["p"], ["f"], "flatten"),
             node("MatMul", ["f", "m"], ["y"], "head")]
    constants = [tensor("w", F32, [16, 3, 3, 3], ramp(432, 0.01)), tensor("b", F32, [16], ramp(16, 0.02)),
                 tensor("m", F32, [16, 5], ramp(80, 0.03))]
    return model(nodes, [value_info("x", F32, ["N", 3, 8, 8])], [value_info("y", F32, ["N", 5])], constants)


def write_npy(path, dtype, dims, values):
    descr, code = DESCR[dtype]
    shape = "".join(f"{dim}, " for dim in dims)
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        file.write(array.array(code, values).tobytes())


def read_npy(path):
    """(descr, shape, values) of a plain little-endian file."""
    data = path.read_bytes()
    length = struct.unpack("<H", data[8:10])[0]
    header = eval(data[10:10 + length].decode(), {"__builtins__": {}})  # a literal that we have just written
    code = {descr: code for descr, code in DESCR.values()}[header["descr"]]
    return header["descr"], list(header["shape"]), list(array.array(code, data[10 + length:]))
