"""Three graphs in one bundle: features of pictures and their halves, then the sequence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from deploy.models.making import Ingredients, make_bundle
from shared.bundles import Bundle, BundleError, load_bundle, presets
from shared.bundles.manifest import Step
from shared.messages import Window
from shared.pictures import unpack_jpeg
from tests.workers.recognizers.presets.conftest import Array, clip, picture_window
from tests.workers.recognizers.presets.graphs import Input, Sketch, save
from workers.recognizers.graphs import TOP, Recognizer

NAME = "bilstm-attention"
SEQUENCE = Sketch(
    (Input("embeddings", (0, 32, 12, 768)),), 986, extra=("channel_attention", "sequence_attention")
)
TOKENS = 5
RNG = np.random.default_rng(9)
VIT = (RNG.normal(size=(3 * 14 * 14, TOKENS * 768)) / 10).astype(np.float32)
RESNEXT = (RNG.normal(size=(3 * 4, 2048)) / 50).astype(np.float32)


def write_vit(file: Path) -> None:
    """[1, 3, 224, 224] -> means of 16 x 16 patches -> [1, 5 tokens, 768]."""
    nodes = [
        helper.make_node(
            "AveragePool", ["pixel_values"], ["patches"], kernel_shape=[16, 16], strides=[16, 16]
        ),
        helper.make_node("Reshape", ["patches", "row"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["features"]),
        helper.make_node("Reshape", ["features", "tokens"], ["last_hidden_state"]),
    ]
    constants = [
        numpy_helper.from_array(np.array([0, -1]), "row"),
        numpy_helper.from_array(np.array([0, TOKENS, 768]), "tokens"),
        numpy_helper.from_array(VIT, "weights"),
    ]
    out = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["N", TOKENS, 768])
    save(file, nodes, constants, [Input("pixel_values", (0, 3, 224, 224))], [out])


def write_resnext(file: Path) -> None:
    """[1, 3, 640, any] -> means of the four quarters from above -> [1, 2048]."""
    nodes = [
        helper.make_node("ReduceMean", ["pixels"], ["columns"], axes=[3], keepdims=0),
        helper.make_node("AveragePool", ["columns"], ["quarters"], kernel_shape=[160], strides=[160]),
        helper.make_node("Reshape", ["quarters", "row"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["features"]),
    ]
    constants = [
        numpy_helper.from_array(np.array([0, -1]), "row"),
        numpy_helper.from_array(RESNEXT, "weights"),
    ]
    out = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 2048])
    save(file, nodes, constants, [Input("pixels", (0, 3, 640, 0))], [out])


def vit(rgb: NDArray[np.uint8]) -> Array:
    small = np.asarray(Image.fromarray(rgb).resize((224, 224), Image.Resampling.BILINEAR), np.float32)
    pixels = ((small / 255 - 0.5) / 0.5).transpose(2, 0, 1)
    patches = pixels.reshape(3, 14, 16, 14, 16).mean(axis=(2, 4))
    return np.asarray((patches.reshape(-1) @ VIT).reshape(TOKENS, 768).mean(axis=0))


def resnext(rgb: NDArray[np.uint8]) -> list[Array]:
    quarters = rgb.astype(np.float32).transpose(2, 0, 1).mean(axis=2).reshape(3, 4, 160).mean(axis=2)
    features = np.concatenate([quarters.reshape(-1) @ RESNEXT, np.zeros(256, np.float32)])
    return [features[:768], features[768:1536], features[1536:]]


def twelve(rgb: NDArray[np.uint8]) -> Array:
    """One picture's rows in the published order."""
    left, right = rgb[:, :320], rgb[:, 320:]
    return np.stack([vit(left), vit(right), *resnext(left), *resnext(right), vit(rgb), *resnext(rgb)])


def sampled(count: int) -> list[int]:
    """32 of so many frames."""
    return (
        [i * count // 32 for i in range(32)] if count >= 32 else [*range(count), *[count - 1] * (32 - count)]
    )


def expected(window: Window) -> Array:
    """[1, 32, 12, 768]."""
    rows = {i: twelve(unpack_jpeg(window.pictures[i])) for i in sorted(set(sampled(window.samples)))}
    return np.stack([rows[i] for i in sampled(window.samples)])[None]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("graphs")
    SEQUENCE.write(folder / "sequence.onnx")
    write_vit(folder / "vit.onnx")
    write_resnext(folder / "resnext.onnx")
    (folder / "labels.txt").write_text("".join(f"sign {i}\n" for i in range(986)), "utf-8")
    graphs = {"vit": folder / "vit.onnx", "resnext": folder / "resnext.onnx"}
    given = Ingredients(folder / "sequence.onnx", graphs, folder / "labels.txt")
    make_bundle(folder / NAME, NAME, presets.find(NAME), given)
    made = load_bundle(folder / NAME)
    # A quarter of the pictures: each is seen three times by two graphs, here and by the reference.
    streaming = made.streaming.model_copy(update={"window": 8, "stride": 8})
    return Bundle(made.folder, made.manifest.model_copy(update={"streaming": streaming}), made.labels)


@pytest.fixture(scope="module")
def recognizer(bundle: Bundle) -> Recognizer:
    return Recognizer(bundle)


def test_twelve_rows_a_picture_go_in_and_the_sequence_answers(recognizer: Recognizer) -> None:
    window = picture_window(recognizer.bundle, clip(8))
    (fed,) = recognizer.fed(window).values()
    wanted = expected(window)
    assert fed.shape == (1, 32, 12, 768)
    np.testing.assert_allclose(fed, wanted, atol=0.02)
    scores = SEQUENCE.answer(wanted)
    top = recognizer.recognize(window)
    best = np.argsort(-scores)[:TOP]
    assert {label for label, _ in top} == {f"sign {i}" for i in best}


def test_a_graph_that_takes_other_pictures_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    table = bundle.manifest.graphs[0]
    smaller = table.model_copy(update={"pipeline": table.pipeline[1:]})
    manifest = bundle.manifest.model_copy(update={"graphs": (smaller, bundle.manifest.graphs[1])})
    with pytest.raises(BundleError, match=r"graphs\.vit\.pipeline gives \[1, 3, 640, 320\], the graph has"):
        Recognizer(Bundle(bundle.folder, manifest, bundle.labels))


def test_a_missing_graph_is_said_by_name(tmp_path: Path) -> None:
    (tmp_path / "sequence.onnx").write_bytes(b"")
    (tmp_path / "labels.txt").write_text("a\n", "utf-8")
    given = Ingredients(tmp_path / "sequence.onnx", labels=tmp_path / "labels.txt")
    with pytest.raises(BundleError, match=r"graphs are \[\], preset .* expects \['vit', 'resnext'\]"):
        make_bundle(tmp_path / NAME, NAME, presets.find(NAME), given)


def changed(bundle: Bundle, **tables: Any) -> Bundle:
    return Bundle(bundle.folder, bundle.manifest.model_copy(update=tables), bundle.labels)


def test_steps_that_only_landmarks_know_are_refused(bundle: Bundle) -> None:
    zero = Step.model_validate({"name": "zero_missing"})
    of_window = bundle.manifest.input.model_copy(update={"pipeline": (zero,)})
    with pytest.raises(BundleError, match=r"input\.pipeline says \['zero_missing'\], embeddings expect 'to_"):
        Recognizer(changed(bundle, input=of_window))
    vit = bundle.manifest.graphs[0].model_copy(update={"pipeline": (zero,)})
    with pytest.raises(BundleError, match=r"graphs\.vit: .*'zero_missing': no such step"):
        Recognizer(changed(bundle, graphs=(vit, bundle.manifest.graphs[1])))


def test_a_piece_behind_the_last_feature_is_refused(bundle: Bundle) -> None:
    embeddings = bundle.manifest.embeddings
    assert embeddings is not None
    first, *others = embeddings.channels
    beyond = embeddings.model_copy(update={"channels": (first.model_copy(update={"first": 9_000}), *others)})
    with pytest.raises(BundleError, match=r"channels\.0\.first says 9000, graph 'vit' has 768 features"):
        Recognizer(changed(bundle, embeddings=beyond))


def test_features_without_tokens_have_no_mean(bundle: Bundle) -> None:
    resnext = bundle.manifest.graphs[1].model_copy(update={"pool": "mean_tokens"})
    with pytest.raises(BundleError, match=r"answered \[1, 2048\], pool 'mean_tokens' expects 3 axes"):
        Recognizer(changed(bundle, graphs=(bundle.manifest.graphs[0], resnext)))
