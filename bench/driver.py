#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One engine in one process: loads a model, then runs blocks of inferences on request.

    driver.py ENGINE MODEL THREADS INPUTS.npz [LIBRARY]      ENGINE: narae, onnxruntime, openvino

Each line on standard input is `run SECONDS` or `outputs FILE`; each answer is one line of JSON. bench.py starts one
driver per engine and lets them run in turns, so that a drifting machine favours none.
"""
import ctypes
import json
import os
import sys
import time

import numpy as np


class OnnxRuntime:
    def __init__(self, model, threads, inputs, library):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.inputs, self.version = inputs, onnxruntime.__version__

    def run(self):
        return self.session.run(None, self.inputs)


class OpenVino:
    def __init__(self, model, threads, inputs, library):
        import openvino

        core = openvino.Core()
        network = core.read_model(model)
        network.reshape({name: list(value.shape) for name, value in inputs.items()})
        self.request = core.compile_model(network, "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1,
            "INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()
        for name, value in inputs.items():
            self.request.set_tensor(name, openvino.Tensor(value, shared_memory=True))
        self.version = openvino.__version__.split("-")[0]

    def run(self):
        self.request.infer()
        return self.request

    @staticmethod
    def arrays(request):
        return [np.array(tensor.data) for tensor in request.output_tensors]


class Tensor(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("data", ctypes.c_void_p), ("dims", ctypes.POINTER(ctypes.c_int64)),
                ("rank", ctypes.c_int32), ("dtype", ctypes.c_int)]


class ValueInfo(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("name", ctypes.c_char_p), ("dims", ctypes.POINTER(ctypes.c_int64)),
                ("symbols", ctypes.POINTER(ctypes.c_char_p)), ("rank", ctypes.c_int32), ("dtype", ctypes.c_int)]


class RuntimeOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("device", ctypes.c_char_p), ("isa", ctypes.c_char_p),
                ("cache_dir", ctypes.c_char_p), ("memory_limit_bytes", ctypes.c_uint64), ("threads", ctypes.c_int32),
                ("core_sets", ctypes.c_int32), ("deterministic", ctypes.c_int32)]


class BuildOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("passes", ctypes.c_char_p), ("min_shapes", ctypes.c_char_p),
                ("opt_shapes", ctypes.c_char_p), ("max_shapes", ctypes.c_char_p), ("progress", ctypes.c_void_p),
                ("progress_user", ctypes.c_void_p), ("opt_level", ctypes.c_int32)]


# narae_dtype (include/narae/narae.h) <-> numpy
DTYPES = {1: np.float32, 2: np.float64, 3: np.float16, 5: np.int8, 6: np.int16, 7: np.int32, 8: np.int64, 9: np.uint8,
          10: np.uint16, 11: np.uint32, 12: np.uint64, 13: np.bool_}


class Narae:
    """The C ABI, straight."""

    def __init__(self, model, threads, inputs, library):
        self.lib = ctypes.CDLL(library)
        self.lib.narae_error_text.restype = ctypes.c_char_p
        self.lib.narae_version.restype = ctypes.c_char_p
        self.lib.narae_engine_input_count.restype = ctypes.c_size_t
        self.lib.narae_engine_output_count.restype = ctypes.c_size_t
        self.version = self.lib.narae_version().decode()
        level = int(os.environ.get("NARAE_BENCH_OPT", "3"))
        cache = os.environ.get("NARAE_BENCH_CACHE", "").encode() or None
        options = RuntimeOptions(ctypes.sizeof(RuntimeOptions), None, None, cache, 0, threads, 1, 0)
        runtime, engine, session = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
        self.call("narae_runtime_create", ctypes.byref(options), ctypes.byref(runtime))
        shapes = ",".join(f"{name}:{'x'.join(map(str, value.shape))}" for name, value in inputs.items()).encode()
        build = BuildOptions(ctypes.sizeof(BuildOptions), None, None, shapes, None, None, None, level)
        self.call("narae_engine_build", runtime, model.encode(), ctypes.byref(build), ctypes.byref(engine))
        self.call("narae_session_create", engine, None, ctypes.byref(session))
        self.engine, self.session, self.keep = engine, session, []
        for i in range(self.lib.narae_engine_input_count(engine)):
            info = ValueInfo(ctypes.sizeof(ValueInfo))
            self.call("narae_engine_input", engine, ctypes.c_size_t(i), ctypes.byref(info))
            value = np.ascontiguousarray(inputs[info.name.decode()])
            dims = (ctypes.c_int64 * value.ndim)(*value.shape)
            tensor = Tensor(ctypes.sizeof(Tensor), value.ctypes.data, dims, value.ndim, info.dtype)
            self.keep += [value, dims]
            self.call("narae_session_bind", session, ctypes.c_size_t(i), ctypes.byref(tensor))

    def call(self, name, *args):
        error = ctypes.c_void_p()
        if getattr(self.lib, name)(*args, ctypes.byref(error)) != 0:
            raise RuntimeError(self.lib.narae_error_text(error).decode())

    def run(self):
        self.call("narae_session_run", self.session)
        return self

    def arrays(self, _):
        results = []
        for i in range(self.lib.narae_engine_output_count(self.engine)):
            tensor = Tensor(ctypes.sizeof(Tensor))
            self.call("narae_session_output", self.session, ctypes.c_size_t(i), ctypes.byref(tensor))
            shape = [tensor.dims[k] for k in range(tensor.rank)]
            count = int(np.prod(shape))
            raw = (ctypes.c_char * (count * np.dtype(DTYPES[tensor.dtype]).itemsize)).from_address(tensor.data)
            results.append(np.frombuffer(raw, DTYPES[tensor.dtype]).reshape(shape).copy())
        return results


ENGINES = {"narae": Narae, "onnxruntime": OnnxRuntime, "openvino": OpenVino}


def main():
    name, model, threads, inputs = sys.argv[1], sys.argv[2], int(sys.argv[3]), dict(np.load(sys.argv[4]))
    start = time.perf_counter()
    engine = ENGINES[name](model, threads, inputs, sys.argv[5] if len(sys.argv) > 5 else None)
    engine.run()
    print(json.dumps({"engine": name, "version": engine.version, "start_s": time.perf_counter() - start}), flush=True)
    for line in sys.stdin:
        word, argument = line.split()
        if word == "outputs":
            results = engine.run()
            arrays = engine.arrays(results) if hasattr(engine, "arrays") else results
            np.savez(argument, *arrays)
            print("{}", flush=True)
            continue
        times, end = [], time.perf_counter() + float(argument)
        while time.perf_counter() < end or not times:
            begin = time.perf_counter()
            engine.run()
            times.append(time.perf_counter() - begin)
        print(json.dumps(times), flush=True)


if __name__ == "__main__":
    main()
