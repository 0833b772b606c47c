# SPDX-License-Identifier: Apache-2.0
"""The same network under other names, and with its nodes in another topological order."""
import random

import onnx


def renamed_and_reordered(source, target, reorder):
    """Writes `target`; returns old input name -> new."""
    model = onnx.load(source)
    graph = model.graph
    names, sizes = {}, {}

    def new(name):
        if name and name not in names:
            names[name] = f"v{len(names)}_{(len(names) * 7919) % 104729}"
        return names.get(name, "")

    for value in list(graph.input) + list(graph.output) + list(graph.value_info):
        value.name = new(value.name)
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = sizes.setdefault(dim.dim_param, f"size{len(sizes) * 37 + 5}")
    for tensor in graph.initializer:
        tensor.name = new(tensor.name)
    for i, node in enumerate(graph.node):
        node.name = f"n{(i * 613) % 99991}"
        node.input[:] = [new(name) for name in node.input]
        node.output[:] = [new(name) for name in node.output]
    if reorder:
        ready = {name.name for name in list(graph.input) + list(graph.initializer)} | {""}
        left, order, dice = list(graph.node), [], random.Random(5)
        while left:
            possible = [i for i, node in enumerate(left) if all(name in ready for name in node.input)]
            node = left.pop(dice.choice(possible))
            ready.update(node.output)
            order.append(node)
        del graph.node[:]
        graph.node.extend(order)
    onnx.save(model, target)
    return names
