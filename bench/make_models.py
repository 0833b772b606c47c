#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the benchmark ONNX models: standard topologies with seeded random weights.

Usage: make_models.py OUT_DIR [NAME ...]     (pip install onnx numpy)
Every model has a symbolic batch dimension `N` (BERT also `S`), FP32 weights drawn from a seeded
normal distribution with He scaling (never zeros: zeros time faster), batch norm already in eval form
with non-trivial statistics so that folding it is real work.
Names: resnet50 mobilenetv2 inceptionv3 efficientnet_b0 bert_base bert_large vit_b16
"""
import sys, os, math
import numpy as np
import onnx
from onnx import helper as h, numpy_helper as nh, TensorProto as T


class Net:
    def __init__(self, seed):
        self.nodes, self.inits, self.rng, self.k = [], [], np.random.default_rng(seed), 0

    def name(self, p="v"):
        self.k += 1
        return f"{p}{self.k}"

    def const(self, a, p="w"):
        n = self.name(p)
        self.inits.append(nh.from_array(np.ascontiguousarray(a), n))
        return n

    def op(self, t, ins, n=1, **a):
        outs = [self.name(t.lower() + "_") for _ in range(n)]
        self.nodes.append(h.make_node(t, ins, outs, name=outs[0] + "_node", **a))
        return outs[0] if n == 1 else outs

    def normal(self, shape, std):
        return self.rng.standard_normal(shape, dtype=np.float32) * np.float32(std)

    def conv(self, x, ci, co, k, s=1, p=None, g=1, bn=True, act=None, bias=False):
        kh, kw = (k, k) if isinstance(k, int) else k
        ph, pw = (kh // 2, kw // 2) if p is None else ((p, p) if isinstance(p, int) else p)
        w = self.const(self.normal((co, ci // g, kh, kw), math.sqrt(2.0 / (ci // g * kh * kw))))
        ins = [x, w] + ([self.const(self.normal((co,), 0.05))] if bias else [])
        y = self.op("Conv", ins, kernel_shape=[kh, kw], strides=[s, s], pads=[ph, pw, ph, pw], group=g)
        if bn:
            r = self.rng
            y = self.op("BatchNormalization", [y, self.const((1 + 0.1 * r.standard_normal(co)).astype(np.float32)),
                        self.const(self.normal((co,), 0.1)), self.const(self.normal((co,), 0.1)),
                        self.const((1 + 0.2 * r.random(co)).astype(np.float32))], epsilon=1e-5)
        return self.act(y, act)

    def act(self, y, act):
        if act == "relu":
            return self.op("Relu", [y])
        if act == "relu6":
            return self.op("Clip", [y, self.const(np.float32(0)), self.const(np.float32(6))])
        if act == "silu":
            return self.op("Mul", [y, self.op("Sigmoid", [y])])
        return y

    def linear(self, x, i, o, std=None):
        w = self.const(self.normal((i, o), std or math.sqrt(1.0 / i)))
        return self.op("Add", [self.op("MatMul", [x, w]), self.const(self.normal((o,), 0.02))])

    def head(self, x, c):
        x = self.op("Flatten", [self.op("GlobalAveragePool", [x])], axis=1)
        return self.op("Gemm", [x, self.const(self.normal((1000, c), 0.02)), self.const(self.normal((1000,), 0.01))], transB=1)

    def save(self, path, ins, outs, opset=20):
        vi = lambda n, t, s: h.make_tensor_value_info(n, t, s)
        g = h.make_graph(self.nodes, os.path.basename(path), [vi(*i) for i in ins], [vi(*o) for o in outs], self.inits)
        m = h.make_model(g, opset_imports=[h.make_opsetid("", opset)], ir_version=9)
        onnx.checker.check_model(m)
        onnx.save(m, path)


def resnet50(path):
    n = Net(50)
    x = n.conv("x", 3, 64, 7, 2, 3, act="relu")
    x = n.op("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    ci = 64
    for c, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for b in range(blocks):
            s = stride if b == 0 else 1
            y = n.conv(x, ci, c, 1, act="relu")
            y = n.conv(y, c, c, 3, s, act="relu")
            y = n.conv(y, c, 4 * c, 1)
            r = n.conv(x, ci, 4 * c, 1, s, 0) if b == 0 else x
            x = n.op("Relu", [n.op("Add", [y, r])])
            ci = 4 * c
    n.save(path, [("x", T.FLOAT, ["N", 3, 224, 224])], [(n.head(x, 2048), T.FLOAT, ["N", 1000])])


def mobilenetv2(path):
    n = Net(2)
    x = n.conv("x", 3, 32, 3, 2, act="relu6")
    ci = 32
    for t, c, k, s in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)):
        for b in range(k):
            st = s if b == 0 else 1
            y = n.conv(x, ci, ci * t, 1, act="relu6") if t > 1 else x
            y = n.conv(y, ci * t, ci * t, 3, st, g=ci * t, act="relu6")
            y = n.conv(y, ci * t, c, 1)
            x = n.op("Add", [x, y]) if st == 1 and ci == c else y
            ci = c
    x = n.conv(x, ci, 1280, 1, act="relu6")
    n.save(path, [("x", T.FLOAT, ["N", 3, 224, 224])], [(n.head(x, 1280), T.FLOAT, ["N", 1000])])


def efficientnet_b0(path):
    n = Net(0)
    x = n.conv("x", 3, 32, 3, 2, act="silu")
    ci = 32
    for t, c, k, s, ks in ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)):
        for b in range(k):
            st, e = (s if b == 0 else 1), ci * t
            y = n.conv(x, ci, e, 1, act="silu") if t > 1 else x
            y = n.conv(y, e, e, ks, st, g=e, act="silu")
            se = n.op("GlobalAveragePool", [y])
            se = n.conv(se, e, max(1, ci // 4), 1, bn=False, bias=True, act="silu")
            se = n.op("Sigmoid", [n.conv(se, max(1, ci // 4), e, 1, bn=False, bias=True)])
            y = n.conv(n.op("Mul", [y, se]), e, c, 1)
            x = n.op("Add", [x, y]) if st == 1 and ci == c else y
            ci = c
    x = n.conv(x, ci, 1280, 1, act="silu")
    n.save(path, [("x", T.FLOAT, ["N", 3, 224, 224])], [(n.head(x, 1280), T.FLOAT, ["N", 1000])])


def inceptionv3(path):
    n = Net(3)
    c = lambda x, i, o, k, s=1, p=None: n.conv(x, i, o, k, s, p, act="relu")
    cat = lambda *xs: n.op("Concat", list(xs), axis=1)
    mp = lambda x: n.op("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2])
    ap = lambda x: n.op("AveragePool", [x], kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1], count_include_pad=1)
    x = c("x", 3, 32, 3, 2, 0); x = c(x, 32, 32, 3, 1, 0); x = c(x, 32, 64, 3)
    x = mp(x); x = c(x, 64, 80, 1); x = c(x, 80, 192, 3, 1, 0); x = mp(x)
    ci = 192
    for pf in (32, 64, 64):
        b5 = c(c(x, ci, 48, 1), 48, 64, 5)
        b3 = c(c(c(x, ci, 64, 1), 64, 96, 3), 96, 96, 3)
        x = cat(c(x, ci, 64, 1), b5, b3, c(ap(x), ci, pf, 1)); ci = 224 + pf
    x = cat(c(x, ci, 384, 3, 2, 0), c(c(c(x, ci, 64, 1), 64, 96, 3), 96, 96, 3, 2, 0), mp(x)); ci = 384 + 96 + ci
    for m in (128, 160, 160, 192):
        b7 = c(c(c(x, ci, m, 1), m, m, (1, 7)), m, 192, (7, 1))
        d = c(x, ci, m, 1)
        for k, o in (((7, 1), m), ((1, 7), m), ((7, 1), m), ((1, 7), 192)):
            d = c(d, m, o, k)
        x = cat(c(x, ci, 192, 1), b7, d, c(ap(x), ci, 192, 1)); ci = 768
    a = c(c(x, ci, 192, 1), 192, 320, 3, 2, 0)
    b = c(c(c(c(x, ci, 192, 1), 192, 192, (1, 7)), 192, 192, (7, 1)), 192, 192, 3, 2, 0)
    x = cat(a, b, mp(x)); ci = 1280
    for _ in range(2):
        b3 = c(x, ci, 384, 1); b3 = cat(c(b3, 384, 384, (1, 3)), c(b3, 384, 384, (3, 1)))
        d = c(c(x, ci, 448, 1), 448, 384, 3); d = cat(c(d, 384, 384, (1, 3)), c(d, 384, 384, (3, 1)))
        x = cat(c(x, ci, 320, 1), b3, d, c(ap(x), ci, 192, 1)); ci = 2048
    n.save(path, [("x", T.FLOAT, ["N", 3, 299, 299])], [(n.head(x, 2048), T.FLOAT, ["N", 1000])])


def encoder(n, x, layers, H, heads, F, dyn_shape):
    D = H // heads
    shp = n.const(np.array([0, 0, heads, D], np.int64)); back = n.const(np.array([0, 0, H], np.int64))
    sc = n.const(np.float32(1 / math.sqrt(D))); half, one = n.const(np.float32(0.5)), n.const(np.float32(1))
    r2 = n.const(np.float32(math.sqrt(2)))
    ln = lambda x: n.op("LayerNormalization", [x, n.const((1 + n.normal((H,), 0.1))), n.const(n.normal((H,), 0.05))], axis=-1, epsilon=1e-12)
    heads_of = lambda y, p: n.op("Transpose", [n.op("Reshape", [y, shp])], perm=p)

    def attention(x):
        q, k, v = (heads_of(n.linear(x, H, H), p) for p in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]))
        a = n.op("Softmax", [n.op("Mul", [n.op("MatMul", [q, k]), sc])], axis=-1)
        o = n.op("Reshape", [n.op("Transpose", [n.op("MatMul", [a, v])], perm=[0, 2, 1, 3]), back])
        return n.linear(o, H, H)

    def gelu(y):  # exported as the erf chain that fusion has to find
        e = n.op("Erf", [n.op("Div", [y, r2])])
        return n.op("Mul", [n.op("Mul", [y, n.op("Add", [e, one])]), half])

    def mlp(x):
        return n.linear(gelu(n.linear(x, H, F)), F, H)
    return ln, attention, mlp


def bert(path, layers, H, heads, F, seed):
    n = Net(seed)
    x = n.op("Gather", [n.const(n.normal((30522, H), 0.02)), "ids"])
    pos = n.op("Slice", [n.const(n.normal((512, H), 0.02)), n.const(np.array([0], np.int64)),
               n.op("Slice", [n.op("Shape", ["ids"]), n.const(np.array([1], np.int64)), n.const(np.array([2], np.int64))])])
    x = n.op("Add", [x, pos])
    ln, att, mlp = encoder(n, x, layers, H, heads, F, True)
    x = ln(x)
    for _ in range(layers):
        x = ln(n.op("Add", [att(x), x])); x = ln(n.op("Add", [mlp(x), x]))
    n.save(path, [("ids", T.INT64, ["N", "S"])], [(x, T.FLOAT, ["N", "S", H])])


def bert_base(path):
    bert(path, 12, 768, 12, 3072, 11)


def bert_large(path):
    bert(path, 24, 1024, 16, 4096, 12)


def vit_b16(path):
    n = Net(16); H = 768
    p = n.conv("x", 3, H, 16, 16, 0, bn=False, bias=True)
    p = n.op("Reshape", [p, n.const(np.array([0, H, -1], np.int64))])
    x = n.op("Transpose", [p], perm=[0, 2, 1])
    x = n.op("Add", [x, n.const(n.normal((1, 196, H), 0.02))])
    ln, att, mlp = encoder(n, x, 12, H, 12, 3072, False)
    for _ in range(12):
        x = n.op("Add", [att(ln(x)), x]); x = n.op("Add", [mlp(ln(x)), x])
    x = n.op("ReduceMean", [ln(x), n.const(np.array([1], np.int64))], keepdims=0)
    y = n.op("Gemm", [x, n.const(n.normal((1000, H), 0.02)), n.const(n.normal((1000,), 0.01))], transB=1)
    n.save(path, [("x", T.FLOAT, ["N", 3, 224, 224])], [(y, T.FLOAT, ["N", 1000])])


ALL = dict(resnet50=resnet50, mobilenetv2=mobilenetv2, inceptionv3=inceptionv3, efficientnet_b0=efficientnet_b0,
           bert_base=bert_base,
           bert_large=bert_large, vit_b16=vit_b16)
if __name__ == "__main__":
    if len(sys.argv) < 2 or any(a not in ALL for a in sys.argv[2:]):
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    for name in sys.argv[2:] or ALL:
        ALL[name](os.path.join(sys.argv[1], name + ".onnx"))
        print(os.path.join(sys.argv[1], name + ".onnx"))
