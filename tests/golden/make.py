#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Layers and blocks of layers as small ONNX models with results that torch computed in float64.

    make.py [NAME..]      writes cases/NAME/{model.onnx,test_data_set_0/*.pb} beside itself (all, or the ones named)

The ONNX node tests hold tiny tensors; these have channel counts and sizes that leave tails in every block, and bodies
that fuse. Run by `make golden` after a case is added; the results are committed, so the tests need no torch.
"""
import pathlib
import shutil
import sys
import zlib

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

FOLDER = pathlib.Path(__file__).resolve().parent / "cases"
CASES = {}


class Model:
    """An ONNX graph and, beside it, the same values in float64."""

    def __init__(self, name):
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))
        self.name, self.nodes, self.weights, self.inputs, self.values = name, [], [], [], {}

    def array(self, shape, scale=0.5):
        return (self.rng.standard_normal(shape) * scale).astype(np.float32)

    def input(self, *shape, dtype=None, array=None):
        array = self.array(shape, 1.0) if array is None else array.astype(dtype or array.dtype)
        name = f"x{len(self.inputs)}"
        self.inputs.append((name, array))
        self.values[name] = torch.from_numpy(array)
        if array.dtype == np.float32:
            self.values[name] = self.values[name].double()
        return name

    def weight(self, *shape, array=None, scale=None):
        if array is None:
            array = self.array(shape, scale or 1.0 / np.sqrt(max(1, int(np.prod(shape[1:])))))
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        self.values[name] = torch.from_numpy(np.ascontiguousarray(array))
        if array.dtype == np.float32:
            self.values[name] = self.values[name].double()
        return name

    def ints(self, *values):
        return self.weight(array=np.array(values, dtype=np.int64))

    def __getitem__(self, name):
        return self.values[name]

    def op(self, kind, inputs, value, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        self.values[name] = value
        return name

    # What several cases use.
    def conv(self, x, oc, k, stride=1, pad=0, dilation=1, groups=1, bias=True, relu=False):
        ic = self[x].shape[1]
        rank = self[x].ndim - 2
        w = self.weight(oc, ic // groups, *[k] * rank)
        b = self.weight(oc, scale=0.3) if bias else None
        run = F.conv2d if rank == 2 else F.conv1d
        y = run(self[x], self[w], self[b] if bias else None, stride, pad, dilation, groups)
        y = self.op("Conv", [x, w] + ([b] if bias else []), y, kernel_shape=[k] * rank, strides=[stride] * rank,
                    pads=[pad] * 2 * rank, dilations=[dilation] * rank, group=groups)
        return self.relu(y) if relu else y

    def relu(self, x):
        return self.op("Relu", [x], F.relu(self[x]))

    def add(self, a, b):
        return self.op("Add", [a, b], self[a] + self[b])

    def mul(self, a, b):
        return self.op("Mul", [a, b], self[a] * self[b])

    def linear(self, x, out):
        w, b = self.weight(self[x].shape[-1], out, scale=1 / np.sqrt(self[x].shape[-1])), self.weight(out, scale=0.3)
        y = self.op("MatMul", [x, w], self[x] @ self[w])
        return self.op("Add", [y, b], self[y] + self[b])

    def layer_norm(self, x):
        size = self[x].shape[-1]
        w, b = self.weight(array=1 + self.array((size,), 0.1)), self.weight(size, scale=0.3)
        return self.op("LayerNormalization", [x, w, b], F.layer_norm(self[x], [size], self[w], self[b]), axis=-1, epsilon=1e-5)

    def heads(self, x, count):
        n, s, d = self[x].shape
        x = self.op("Reshape", [x, self.ints(n, s, count, d // count)], self[x].reshape(n, s, count, d // count))
        return self.op("Transpose", [x], self[x].permute(0, 2, 1, 3), perm=[0, 2, 1, 3])

    def save(self, *outputs):
        info = lambda name, array: helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), list(array.shape))
        results = []
        for name in outputs:
            array = self[name].contiguous().numpy()
            results.append((name, array.astype(np.float32) if array.dtype == np.float64 else array))
        graph = helper.make_graph(self.nodes, self.name, [info(*i) for i in self.inputs], [info(*r) for r in results],
                                  self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        folder = FOLDER / self.name
        shutil.rmtree(folder, ignore_errors=True)
        data = folder / "test_data_set_0"
        data.mkdir(parents=True)
        onnx.save(model, folder / "model.onnx")
        for kind, tensors in (("input", self.inputs), ("output", results)):
            for i, (name, array) in enumerate(tensors):
                (data / f"{kind}_{i}.pb").write_bytes(numpy_helper.from_array(array, name).SerializeToString())


def case(function):
    CASES[function.__name__] = function
    return function


def layer(name, shape, build):
    CASES[name] = lambda m: m.save(build(m, m.input(*shape)))


layer("conv_3x3", (1, 17, 13, 11), lambda m, x: m.conv(x, 33, 3, pad=1))
layer("conv_5x5_stride_dilation", (2, 12, 19, 23), lambda m, x: m.conv(x, 20, 5, stride=2, pad=4, dilation=2))
layer("conv_image", (1, 3, 29, 31), lambda m, x: m.conv(x, 24, 7, stride=2, pad=3, relu=True))
layer("conv_grouped", (1, 32, 9, 10), lambda m, x: m.conv(x, 48, 3, pad=1, groups=2))
layer("conv_odd_groups", (1, 12, 9, 10), lambda m, x: m.conv(x, 18, 3, pad=1, groups=6))
layer("conv_depthwise_stride", (1, 35, 14, 15), lambda m, x: m.conv(x, 35, 3, stride=2, pad=1, groups=35))
layer("conv_depthwise_multiplier", (1, 10, 8, 9), lambda m, x: m.conv(x, 20, 3, pad=1, groups=10))
layer("conv_1d", (2, 19, 40), lambda m, x: m.conv(x, 21, 5, stride=2, pad=2, relu=True))
layer("conv_one_pixel", (3, 70, 1, 1), lambda m, x: m.conv(x, 37, 1))


def conv_transpose(m, x, oc, k, stride, pad, extra, groups=1):
    ic = m[x].shape[1]
    w, b = m.weight(ic, oc // groups, k, k, scale=1 / np.sqrt(ic)), m.weight(oc, scale=0.3)
    y = F.conv_transpose2d(m[x], m[w], m[b], stride, pad, extra, groups)
    return m.op("ConvTranspose", [x, w, b], y, kernel_shape=[k, k], strides=[stride] * 2, pads=[pad] * 4,
                output_padding=[extra] * 2, group=groups)


layer("conv_transpose_to_one", (1, 24, 10, 14), lambda m, x: conv_transpose(m, x, 1, 2, 2, 0, 0))
layer("conv_transpose_overlap", (1, 18, 6, 7), lambda m, x: conv_transpose(m, x, 21, 3, 2, 1, 1))
layer("conv_transpose_grouped", (2, 32, 5, 6), lambda m, x: conv_transpose(m, x, 32, 4, 2, 1, 0, 2))
layer("max_pool", (1, 19, 15, 17), lambda m, x: m.op(
    "MaxPool", [x], F.max_pool2d(m[x], 3, 2, 1), kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4))
layer("max_pool_ceil", (1, 19, 15, 16), lambda m, x: m.op(
    "MaxPool", [x], F.max_pool2d(m[x], 3, 2, 0, ceil_mode=True), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1))
layer("average_pool_counts_pads", (1, 19, 15, 17), lambda m, x: m.op(
    "AveragePool", [x], F.avg_pool2d(m[x], 3, 2, 1), kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4, count_include_pad=1))
layer("average_pool", (1, 19, 15, 17), lambda m, x: m.op(
    "AveragePool", [x], F.avg_pool2d(m[x], 3, 2, 1, count_include_pad=False), kernel_shape=[3, 3], strides=[2, 2],
    pads=[1] * 4))
layer("layer_norm", (3, 7, 50), lambda m, x: m.layer_norm(x))
layer("softmax_last", (3, 5, 77), lambda m, x: m.op("Softmax", [x], F.softmax(m[x], -1), axis=-1))
layer("softmax_channels", (2, 21, 5, 6), lambda m, x: m.op("Softmax", [x], F.softmax(m[x], 1), axis=1))
layer("log_softmax", (4, 101), lambda m, x: m.op("LogSoftmax", [x], F.log_softmax(m[x], -1), axis=-1))
layer("gelu", (3, 333), lambda m, x: m.op("Gelu", [x], F.gelu(m[x])))
layer("gelu_tanh", (3, 333), lambda m, x: m.op("Gelu", [x], F.gelu(m[x], approximate="tanh"), approximate="tanh"))
layer("mish", (3, 333), lambda m, x: m.op("Mish", [x], F.mish(m[x])))
layer("elu", (3, 333), lambda m, x: m.op("Elu", [x], F.elu(m[x], 0.7), alpha=0.7))
layer("softplus", (3, 333), lambda m, x: m.op("Softplus", [x], F.softplus(m[x])))
layer("hard_swish", (1, 19, 7, 9), lambda m, x: m.op("HardSwish", [x], F.hardswish(m[x])))
layer("pixel_shuffle", (1, 36, 5, 7), lambda m, x: m.op(
    "DepthToSpace", [x], F.pixel_shuffle(m[x], 3), blocksize=3, mode="CRD"))
layer("cumulative_sum", (3, 40), lambda m, x: m.op("CumSum", [x, m.weight(array=np.array(1, np.int64))], m[x].cumsum(1)))


@case
def instance_norm(m):
    x, w, b = m.input(2, 19, 8, 9), m.weight(array=1 + m.array((19,), 0.1)), m.weight(19, scale=0.3)
    m.save(m.op("InstanceNormalization", [x, w, b], F.instance_norm(m[x], weight=m[w], bias=m[b], eps=1e-5), epsilon=1e-5))


def resize(mode, transform, size, **attributes):
    def build(m):
        x = m.input(1, 18, 9, 11)
        torch_mode = {"linear": "bilinear", "cubic": "bicubic", "nearest": "nearest"}[mode]
        corners = {} if mode == "nearest" else {"align_corners": transform == "align_corners"}
        y = F.interpolate(m[x], size=size, mode=torch_mode, **corners)
        sizes = m.ints(*m[x].shape[:2], *size)
        m.save(m.op("Resize", [x, "", "", sizes], y, mode=mode, coordinate_transformation_mode=transform, **attributes))
    return build


CASES["resize_linear_up"] = resize("linear", "half_pixel", (18, 22))
CASES["resize_linear_odd"] = resize("linear", "half_pixel", (14, 25))
CASES["resize_linear_corners"] = resize("linear", "align_corners", (20, 17))
CASES["resize_nearest"] = resize("nearest", "asymmetric", (27, 33), nearest_mode="floor")
CASES["resize_cubic"] = resize("cubic", "half_pixel", (18, 22), cubic_coeff_a=-0.75)


@case
def grid_sample(m):
    x, grid = m.input(1, 6, 8, 9), m.input(array=(m.rng.random((1, 5, 7, 2)) * 2.2 - 1.1).astype(np.float32))
    y = F.grid_sample(m[x], m[grid], mode="bilinear", padding_mode="zeros", align_corners=False)
    m.save(m.op("GridSample", [x, grid], y, mode="linear", padding_mode="zeros", align_corners=0))


@case
def topk(m):
    x, k = m.input(5, 60), m.ints(7)
    values, places = torch.topk(m[x], 7, dim=-1)
    m.nodes.append(helper.make_node("TopK", [x, k], ["values", "places"], axis=-1, largest=1, sorted=1))
    m.values |= {"values": values, "places": places}
    m.save("values", "places")


@case
def matmul_broadcast(m):
    a, b = m.input(3, 1, 17, 33), m.input(2, 33, 21)
    m.save(m.op("MatMul", [a, b], m[a] @ m[b]))


@case
def gemm_transposed(m):
    a, b, c = m.input(40, 13), m.weight(50, 40, scale=0.2), m.weight(50)
    m.save(m.op("Gemm", [a, b, c], 0.5 * m[a].T @ m[b].T + 2 * m[c], alpha=0.5, beta=2.0, transA=1, transB=1))


@case
def bottleneck(m):
    """Three convolutions and a residual, batch normalisation after each."""
    def norm(x):
        size = m[x].shape[1]
        s, b, mean = m.weight(array=1 + m.array((size,), 0.1)), m.weight(size, scale=0.3), m.weight(size, scale=0.1)
        var = m.weight(array=1 + np.abs(m.array((size,), 0.1)))
        y = F.batch_norm(m[x], m[mean], m[var], m[s], m[b], eps=1e-5)
        return m.op("BatchNormalization", [x, s, b, mean, var], y, epsilon=1e-5)
    x = m.input(1, 40, 10, 9)
    y = m.relu(norm(m.conv(x, 20, 1, bias=False)))
    y = m.relu(norm(m.conv(y, 20, 3, pad=1, bias=False)))
    m.save(m.relu(m.add(norm(m.conv(y, 40, 1, bias=False)), x)))


@case
def inverted_residual(m):
    """MobileNetV3's block with squeeze-and-excitation."""
    x = m.input(1, 20, 12, 11)
    y = m.conv(x, 60, 1)
    y = m.op("HardSwish", [y], F.hardswish(m[y]))
    y = m.conv(y, 60, 5, pad=2, groups=60)
    gate = m.op("GlobalAveragePool", [y], m[y].mean((2, 3), keepdim=True))
    gate = m.conv(m.conv(gate, 15, 1, relu=True), 60, 1)
    gate = m.op("HardSigmoid", [gate], F.hardsigmoid(m[gate]), alpha=1 / 6, beta=0.5)
    m.save(m.add(m.conv(m.mul(y, gate), 20, 1), x))


@case
def inception_block(m):
    """Four branches joined: siblings that merge, a concat that need not copy."""
    x = m.input(1, 32, 9, 9)
    a = m.conv(x, 16, 1, relu=True)
    b = m.conv(m.conv(x, 16, 1, relu=True), 32, 3, pad=1, relu=True)
    c = m.conv(m.conv(x, 16, 1, relu=True), 16, 5, pad=2, relu=True)
    pooled = m.op("MaxPool", [x], F.max_pool2d(m[x], 3, 1, 1), kernel_shape=[3, 3], pads=[1] * 4)
    d = m.conv(pooled, 9, 1, relu=True)
    m.save(m.op("Concat", [a, b, c, d], torch.cat([m[v] for v in (a, b, c, d)], 1), axis=1))


@case
def dense_block(m):
    """Concats whose parts are not whole channel blocks."""
    x = m.input(2, 12, 8, 7)
    for _ in range(3):
        y = m.conv(x, 6, 3, pad=1, relu=True)
        x = m.op("Concat", [x, y], torch.cat([m[x], m[y]], 1), axis=1)
    m.save(x)


@case
def shuffle_block(m):
    """ShuffleNetV2's block: split, branch, join, shuffle channels."""
    x = m.input(1, 48, 8, 8)
    left, right = m[x].split(24, 1)
    m.nodes.append(helper.make_node("Split", [x, m.ints(24, 24)], ["left", "right"], axis=1))
    m.values |= {"left": left, "right": right}
    y = m.conv(m.conv(m.conv("right", 24, 1, relu=True), 24, 3, pad=1, groups=24), 24, 1, relu=True)
    z = m.op("Concat", ["left", y], torch.cat([m["left"], m[y]], 1), axis=1)
    z = m.op("Reshape", [z, m.ints(1, 2, 24, 8, 8)], m[z].reshape(1, 2, 24, 8, 8))
    z = m.op("Transpose", [z], m[z].transpose(1, 2), perm=[0, 2, 1, 3, 4])
    m.save(m.op("Reshape", [z, m.ints(1, 48, 8, 8)], m[z].reshape(1, 48, 8, 8)))


@case
def transformer_block(m):
    """Pre-norm attention with a mask, then a GELU feed-forward, as an exporter writes them."""
    x, heads = m.input(2, 13, 48), 3
    mask = m.weight(array=np.triu(np.full((13, 13), -1e4, np.float32), 1))
    y = m.layer_norm(x)
    q, k, v = (m.heads(m.linear(y, 48), heads) for _ in range(3))
    k = m.op("Transpose", [k], m[k].transpose(2, 3), perm=[0, 1, 3, 2])
    s = m.op("MatMul", [q, k], m[q] @ m[k])
    s = m.mul(s, m.weight(array=np.array(0.25, np.float32)))
    s = m.add(s, mask)
    s = m.op("Softmax", [s], F.softmax(m[s], -1), axis=-1)
    y = m.op("MatMul", [s, v], m[s] @ m[v])
    y = m.op("Transpose", [y], m[y].permute(0, 2, 1, 3), perm=[0, 2, 1, 3])
    y = m.op("Reshape", [y, m.ints(2, 13, 48)], m[y].reshape(2, 13, 48))
    x = m.add(m.linear(y, 48), x)
    y = m.linear(m.layer_norm(x), 96)
    t = m.op("Div", [y, m.weight(array=np.array(np.sqrt(2), np.float32))], m[y] / np.float64(np.float32(np.sqrt(2))))
    t = m.op("Erf", [t], torch.erf(m[t]))
    t = m.add(t, m.weight(array=np.array(1, np.float32)))
    t = m.mul(m.mul(y, t), m.weight(array=np.array(0.5, np.float32)))
    m.save(m.add(m.linear(t, 48), x))


@case
def swiglu(m):
    x = m.input(5, 40)
    a, b = m.linear(x, 72), m.linear(x, 72)
    gate = m.op("Sigmoid", [a], torch.sigmoid(m[a]))
    m.save(m.linear(m.mul(m.mul(a, gate), b), 40))


def main():
    names = sys.argv[1:] or list(CASES)
    for i, name in enumerate(names):
        CASES[name](Model(name))
        print(f"golden: {i + 1} of {len(names)} {name}", flush=True)


if __name__ == "__main__":
    main()
