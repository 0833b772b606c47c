# SPDX-License-Identifier: Apache-2.0
"""The cases: each takes a Runner and returns a line for the terminal, raises Skip or fails an assertion."""
import numpy as np

from renamed import renamed_and_reordered
from runner import SOURCE, relative

CASES = []


def case(function):
    CASES.append((function.__name__, function))
    return function


def all_cases():
    return CASES


def normal(*shape, seed=1):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


@case
def squeezenet_random(r):
    return r.compare(r.unpacked("data/squeezenet_v1.1/squeezenet_v1.1.onnx.zst"), {"data": normal(2, 3, 227, 227)})


@case
def squeezenet_imagenet(r):
    """248 of 400 top-1, probabilities within 1e-4 of the reference's."""
    try:
        from PIL import Image
    except ImportError as error:
        raise AssertionError("pillow is missing: run make setup") from error
    model = r.unpacked("data/squeezenet_v1.1/squeezenet_v1.1.onnx.zst")
    folder = r.shared_file("data/imagenet-400")
    rows = [line.split("\t") for line in (folder / "expected_squeezenet_v1.1.tsv").read_text().splitlines()]
    rows = [row for row in rows if row[0].endswith(".jpg")]
    right, worst = 0, 0.0
    for start in range(0, len(rows), 50):
        batch = rows[start:start + 50]
        pictures = []
        for row in batch:
            rgb = np.asarray(Image.open(folder / row[0]).convert("RGB"), np.float32)[14:241, 14:241]
            pictures.append((rgb[:, :, ::-1] - np.array([104, 117, 123], np.float32)).transpose(2, 0, 1))
        got = r.run(model, {"data": np.ascontiguousarray(pictures, np.float32)})[0]
        for row, probabilities in zip(batch, got):
            right += int(probabilities.argmax()) == int(row[1])
            for i in range(2, len(row) - 1, 2):
                worst = max(worst, abs(float(probabilities[int(row[i])]) - float(row[i + 1])))
    assert len(rows) == 400 and right == 248, f"{right} of {len(rows)} right, not 248 of 400"
    assert worst <= 1e-4, f"a probability is {worst:.2e} off"
    return f"{right} of 400, probabilities within {worst:.1e}"


@case
def fastest_det(r):
    return r.compare(r.shared_file("data/models/FastestDet.onnx"), {"input": normal(1, 3, 352, 352)})


@case
def ultraface(r):
    return r.compare(r.shared_file("data/models/ultraface_rfb_320.onnx"), {"input": normal(1, 3, 240, 320)})


@case
def super_resolution(r):
    return r.compare(r.shared_file("data/models/super_resolution.onnx"), {"input": normal(2, 1, 224, 224)})


def page():
    """examples/ocr/page.png as the detector sees it: BGR, v / 255 - 0.5, over 0.5."""
    from PIL import Image

    rgb = np.asarray(Image.open(SOURCE / "examples/ocr/page.png").convert("RGB"), np.float32)
    return np.ascontiguousarray(((rgb[:, :, ::-1] / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None], np.float32)


@case
def ppocr_det(r):
    model, x = r.wheel_file("ppocr/ch_PP-OCRv4_det_infer.onnx"), page()
    line = r.compare(model, {"x": x})
    total = float(r.run(model, {"x": x})[0].sum())
    assert abs(total - 17489.57) < 1, f"the map sums to {total}, not 17489.57"
    return line


@case
def ppocr_det_another_size(r):
    return r.compare(r.wheel_file("ppocr/ch_PP-OCRv4_det_infer.onnx"), {"x": page()[:, :, 32:256, 64:416]})


@case
def ppocr_rec(r):
    crop = np.ascontiguousarray(page()[:, :, 22:70, 24:488])
    return r.compare(r.wheel_file("ppocr/ch_PP-OCRv4_rec_infer.onnx"), {"x": crop})


@case
def ppocr_rec_batch(r):
    crop = np.concatenate([page()[:, :, 22:70, 24:344], page()[:, :, 78:126, 24:344], page()[:, :, 134:182, 24:344]])
    return r.compare(r.wheel_file("ppocr/ch_PP-OCRv4_rec_infer.onnx"), {"x": np.ascontiguousarray(crop)})


@case
def ppocr_cls(r):
    crop = np.ascontiguousarray(page()[:, :, 22:70, 24:216])
    return r.compare(r.wheel_file("ppocr/ch_ppocr_mobile_v2.0_cls_infer.onnx"), {"x": np.concatenate([crop, crop[:, :, ::-1, ::-1]])})


@case
def magika(r):
    folder = r.wheel_file("magika")
    model = next(folder.rglob("model.onnx"))
    data = np.random.default_rng(3).integers(0, 257, (3, 2048)).astype(np.int32)
    return r.compare(model, {"bytes": data})


def fashion(r, name, file, tolerance):
    folder = SOURCE / "tests/data/models" / name
    if not folder.exists():
        folder = r.shared_file(f"models/{name}")
    golden = np.load(next(folder.glob("*-golden.npz")))
    keys = {k: golden[k] for k in golden.files}
    images = next(v for v in keys.values() if v.dtype == np.uint8)
    x = (images.reshape(-1, 1, 28, 28) / np.float32(255)).astype(np.float32)
    want = r.session(folder / file, as_written="int8" in file).run(None, {"image": x})[0]
    got = r.run(folder / file, {"image": x})[0]
    error = relative(got, want)
    assert error <= tolerance, f"relative L2 {error:.2e} against onnxruntime"
    ordered = np.sort(want, axis=1)
    gap = ordered[:, -1] - ordered[:, -2]
    clear = gap > 2 * np.abs(got - want).max(axis=1)
    assert (got.argmax(1) == want.argmax(1))[clear].all(), "a class differs whose gap exceeds the error"
    stored = [v for v in keys.values() if v.shape == want.shape and v.dtype == np.float32]
    if stored and "int8" not in file:
        error = max(error, min(relative(got, v) for v in stored))
        assert error <= 1e-4, f"relative L2 {error:.2e} against the golden logits"
    return f"relative L2 {error:.1e}"


for _name, _files in {
    "fashion-inception": ["fashion-inception.onnx", "fashion-inception-qat-int8.onnx"],
    "fashion-resnet": ["fashion-resnet.onnx", "fashion-resnet-qat-int8.onnx"],
    "fashion-resnet-outlier": ["fashion-resnet-outlier.onnx", "fashion-resnet-outlier-ptq-int8.onnx",
                               "fashion-resnet-outlier-qat-int8.onnx"],
    "fashion-vit": ["fashion-vit.onnx"],
}.items():
    for _file in _files:
        CASES.append((_file.removesuffix(".onnx").replace("-", "_"),
                      lambda r, n=_name, f=_file: fashion(r, n, f, 1e-2 if "int8" in f else 1e-5)))


def light(r, name):
    """Real topologies with constant weights: expected outputs come with them."""
    import onnx
    from onnx import numpy_helper

    path = r.light(name)
    count = 3 * 224 * 224
    x = (np.arange(count, dtype=np.float64) / count).astype(np.float32).reshape(1, 3, 224, 224)
    model = onnx.load(path, load_external_data=False)
    constants = {i.name for i in model.graph.initializer}
    feed = next(i.name for i in model.graph.input if i.name not in constants)
    got = r.run(path, {feed: x})[0]
    tensor = onnx.TensorProto()
    tensor.ParseFromString(next(path.parent.rglob(f"*{name}_output_0.pb")).read_bytes())
    want = numpy_helper.to_array(tensor)
    assert got.shape == want.shape, f"{got.shape}, not {want.shape}"
    assert np.all(np.abs(got - want) <= 1e-7 + 1e-3 * np.abs(want)), f"up to {np.abs(got - want).max():.2e} off"
    return f"within {np.abs(got - want).max():.1e}"


for _name in ["bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet", "squeezenet",
              "vgg19", "zfnet512"]:
    CASES.append((f"light_{_name}", lambda r, n=_name: light(r, n)))


def generated(r, name):
    """A network of bench/make_models.py at two batch sizes, one compiled for neither."""
    path = r.generated(name)
    side = 299 if name == "inceptionv3" else 224
    return r.compare(path, {"x": normal(1, 3, side, side)}) + ", " + r.compare(path, {"x": normal(2, 3, side, side)})


for _name in ["mobilenetv2", "efficientnet_b0", "resnet50", "inceptionv3"]:
    CASES.append((f"generated_{_name}", lambda r, n=_name: generated(r, n)))


def renamed(r, path, feeds, more):
    """All names changed: the same bits. Nodes in another order, unlisted shapes: equal numbers."""
    want = r.run(path, feeds)
    plain = r.folder / "renamed.onnx"
    mapping = renamed_and_reordered(path, plain, reorder=False)
    got = r.run(plain, {mapping[k]: v for k, v in feeds.items()})
    assert all(np.array_equal(a, b) for a, b in zip(got, want)), "renaming changed the results"
    shuffled = r.folder / "shuffled.onnx"
    mapping = renamed_and_reordered(path, shuffled, reorder=True)
    errors = [relative(a, b) for a, b in zip(r.run(shuffled, {mapping[k]: v for k, v in feeds.items()}), want)]
    lines = [r.compare(shuffled, {mapping[k]: v for k, v in feed.items()}) for feed in more]
    assert max(errors) <= 1e-5, f"another order of nodes: relative L2 {max(errors):.2e}"
    return f"reordered {max(errors):.1e}; other shapes: {'; '.join(lines)}"


@case
def renamed_squeezenet(r):
    return renamed(r, r.unpacked("data/squeezenet_v1.1/squeezenet_v1.1.onnx.zst"), {"data": normal(1, 3, 227, 227)},
                   [{"data": normal(3, 3, 227, 227)}, {"data": normal(5, 3, 227, 227)}])


@case
def renamed_det(r):
    return renamed(r, r.wheel_file("ppocr/ch_PP-OCRv4_det_infer.onnx"), {"x": page()},
                   [{"x": page()[:, :, :96, :160]}, {"x": page()[:, :, :, :352]}])


@case
def renamed_rec(r):
    return renamed(r, r.wheel_file("ppocr/ch_PP-OCRv4_rec_infer.onnx"), {"x": page()[:, :, 22:70, 24:344]},
                   [{"x": page()[:, :, 22:70, :200]}, {"x": page()[:, :, 134:182, 24:424]}])


@case
def renamed_fashion_vit(r):
    folder = SOURCE / "tests/data/models/fashion-vit"
    return renamed(r, folder / "fashion-vit.onnx", {"image": normal(2, 1, 28, 28)},
                   [{"image": normal(1, 1, 28, 28)}, {"image": normal(7, 1, 28, 28)}])


@case
def renamed_fashion_inception(r):
    folder = SOURCE / "tests/data/models/fashion-inception"
    return renamed(r, folder / "fashion-inception.onnx", {"image": normal(2, 1, 28, 28)},
                   [{"image": normal(1, 1, 28, 28)}, {"image": normal(6, 1, 28, 28)}])
