# SPDX-License-Identifier: Apache-2.0
"""What `explain` says of the plans of real models: no reference kernels, horizontal bodies, concats without a copy, and
the same plan whatever the names are."""
import re

from cases import CASES, case, normal
from renamed import renamed_and_reordered
from runner import relative

# Every listed FP32 model: how to find it, and sizes to select for.
MODELS = {
    "squeezenet": (lambda r: r.unpacked("data/squeezenet_v1.1/squeezenet_v1.1.onnx.zst"), {"data": (1, 3, 227, 227)}),
    "ppocr_det": (lambda r: r.wheel_file("ppocr/ch_PP-OCRv4_det_infer.onnx"), {"x": (1, 3, 640, 640)}),
    "ppocr_rec": (lambda r: r.wheel_file("ppocr/ch_PP-OCRv4_rec_infer.onnx"), {"x": (1, 3, 48, 320)}),
    "ppocr_cls": (lambda r: r.wheel_file("ppocr/ch_ppocr_mobile_v2.0_cls_infer.onnx"), {"x": (1, 3, 48, 192)}),
    "magika": (lambda r: next(r.wheel_file("magika").rglob("model.onnx")), {"bytes": (1, 2048)}),
    "fastest_det": (lambda r: r.shared_file("data/models/FastestDet.onnx"), {"input": (1, 3, 352, 352)}),
    "ultraface": (lambda r: r.shared_file("data/models/ultraface_rfb_320.onnx"), {"input": (1, 3, 240, 320)}),
    "super_resolution": (lambda r: r.shared_file("data/models/super_resolution.onnx"), {"input": (1, 1, 224, 224)}),
    "fashion_inception": (lambda r: r.committed("fashion-inception"), {"image": (1, 1, 28, 28)}),
    "fashion_resnet": (lambda r: r.committed("fashion-resnet"), {"image": (1, 1, 28, 28)}),
    "fashion_resnet_outlier": (lambda r: r.shared_file("models/fashion-resnet-outlier/fashion-resnet-outlier.onnx"),
                               {"image": (1, 1, 28, 28)}),
    "fashion_vit": (lambda r: r.committed("fashion-vit"), {"image": (1, 1, 28, 28)}),
    "resnet50": (lambda r: r.generated("resnet50"), {"x": (1, 3, 224, 224)}),
    "mobilenetv2": (lambda r: r.generated("mobilenetv2"), {"x": (1, 3, 224, 224)}),
    "efficientnet_b0": (lambda r: r.generated("efficientnet_b0"), {"x": (1, 3, 224, 224)}),
    "inceptionv3": (lambda r: r.generated("inceptionv3"), {"x": (1, 3, 299, 299)}),
    # Two layers hold every kind of node that twelve hold.
    "bert": (lambda r: r.made("bert_2", lambda make, path: make.bert(path, 2, 768, 12, 3072, 11)), {"ids": (1, 128)}),
    "vit_b16": (lambda r: r.generated("vit_b16"), {"x": (1, 3, 224, 224)}),
    **{f"light_{name}": (lambda r, n=name: r.light(n), {})
       for name in ("bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet",
                    "squeezenet", "vgg19", "zfnet512")},
}


def plan_case(name):
    def add(function):
        CASES.append((name, function))
        return function
    return add


def no_reference_kernels(r, find, shapes):
    listed = r.explain(find(r), shapes)["reference_nodes"]
    assert not listed, "on reference kernels: " + ", ".join(f"{n['node']} ({n['op']})" for n in listed[:8])
    return "none"


for _name, (_find, _shapes) in MODELS.items():
    plan_case(f"reference_kernels_{_name}")(lambda r, f=_find, s=_shapes: no_reference_kernels(r, f, s))


def concats_of(plan):
    """(nodes, copies): concat nodes that run, and what is said of those that move something."""
    nodes = [t for t in plan["tactics"] if t["op"] == "concat"]
    said = [f for f in plan["fusions"] if f["kind"] == "concat"]
    assert len(said) == len(nodes), f"{len(said)} of {len(nodes)} concats among the fusions"
    copies = [f"{f['into']}: {f['reason']}" for f in said if not f["done"]]
    copies += [t["node"] for t in nodes if t["aliased"] != len(t["layout_in"])]
    return nodes, copies


@case
def inception_groups_and_concats(r):
    """All 10 groups of siblings become one body; kept or split, every concat is nothing but places."""
    path, shapes = r.generated("inceptionv3"), {"x": (1, 3, 299, 299)}
    plan, forced = r.explain(path, shapes), r.explain(path, shapes, "--keep-bodies")
    for p in (plan, forced):
        made = [f for f in p["fusions"] if f["kind"] == "horizontal" and f["done"]]
        assert len(made) == 10, f"{len(made)} horizontal bodies"
        bodies = [b for b in p["bodies"] if "horizontal" in b["kind"]]
        assert len(bodies) == 10 and all(b["whole_ms"] > 0 and b["split_ms"] > 0 for b in bodies), bodies
        concats, copies = concats_of(p)
        assert len(concats) == 15, f"{len(concats)} concats"
        assert not copies, f"copies: {copies}"
    kept = [b for b in forced["bodies"] if "horizontal" in b["kind"] and b["kept"]]
    running = [t for t in forced["tactics"] if t["chosen"].startswith("horizontal")]
    assert len(kept) == 10 and len(running) == 10, f"{len(kept)} kept, {len(running)} run"
    x = {"x": normal(1, 3, 299, 299)}
    winograd = any("winograd" in t["chosen"] for p in (plan, forced) for t in p["tactics"])
    whole, bound = r.run(path, x, "--keep-bodies")[0], 1e-3 if winograd else 1e-5
    error = relative(whole, r.run(path, x, "--passes=-fuse_horizontal")[0])
    assert error <= bound, f"all bodies kept against none: relative L2 {error:.2e}"
    error = max(error, relative(whole, r.session(path).run(None, x)[0]))
    assert error <= bound, f"all bodies kept against onnxruntime: relative L2 {error:.2e}"
    chosen = sum(b["kept"] for b in plan["bodies"] if "horizontal" in b["kind"])
    return f"{chosen} of 10 bodies kept by choice, no concat copies, all kept: relative L2 {error:.1e}"


@case
def concats_of_batches(r):
    """In a batch a result's parts are no runs of memory: the copies must be right."""
    path = r.generated("inceptionv3")
    return r.compare(path, {"x": normal(3, 3, 299, 299)})


def anonymous(text):
    """A graph's text without names; symbols are numbered."""
    text = re.sub(r'( from)?( "([^"\\]|\\.)*")+', "", text)
    for i, name in enumerate(re.findall(r"^ *symbol (\S+)", text, re.M)):
        text = re.sub(rf"\b{re.escape(name)}\b", f"#{i}", text)
    return text


def without_names(plan):
    """What was decided, without what anything is called."""
    return {
        "tactics": [{k: v for k, v in t.items() if k != "node"} for t in plan["tactics"]],
        "bodies": [{k: v for k, v in b.items() if k != "node"} for b in plan["bodies"]],
        "fusions": [(f["kind"], f["done"], len(f["nodes"])) for f in plan["fusions"]],
        "regions": [(g["offset"], g["bytes"], g["first"], g["last"]) for g in plan["memory"]["regions"]],
        "memory": [plan["memory"][k] for k in ("arena_bytes", "lower_bound_bytes", "weights_bytes")],
        "whole": [plan[k] for k in ("reformats", "predicted_ms")],
        "sizes": sorted(plan["sizes"].values()),
        "graph": anonymous(plan["graph"]),
    }


def same_plan(r, find, shapes):
    path, other = find(r), r.folder / "other_names.onnx"
    mapping = renamed_and_reordered(path, other, reorder=False)
    plan = without_names(r.explain(path, shapes))
    again = without_names(r.explain(other, {mapping[name]: dims for name, dims in shapes.items()}))
    different = [key for key in plan if plan[key] != again[key]]
    if "graph" in different:
        lines = zip(plan["graph"].splitlines(), again["graph"].splitlines())
        different.append(next((f"{a!r} -> {b!r}" for a, b in lines if a != b), "more lines"))
    assert not different, f"other names, other {', '.join(different)}"
    return f"{len(plan['tactics'])} nodes, the same plan"


for _name in ("squeezenet", "ppocr_det", "ppocr_rec", "fashion_vit", "inceptionv3"):
    plan_case(f"same_plan_{_name}")(lambda r, n=_name: same_plan(r, *MODELS[n]))
