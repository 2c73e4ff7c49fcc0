"""Each preset with a small graph of its original's outside, and a window with what it is to be fed of it."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy.models.making import Ingredients, make_bundle
from shared.bundles import Bundle, load_bundle, presets
from shared.messages import Window
from shared.pictures import PictureSize, pack_jpeg
from tests.workers.recognizers.presets import references
from tests.workers.recognizers.presets.graphs import Input, Sketch

Array = NDArray[Any]

CAMERA = (320, 180)
"""Width and height: letterboxing 224 leaves an odd rest of 98 pixels, above 49."""


def frames(count: int, seed: int = 0, *, right: bool = True) -> NDArray[np.float32]:
    """[count, 543, 3]: someone whose one hand is lost for some frames and whose other is hardly seen."""
    rng = np.random.default_rng(seed)
    points = rng.random((count, 543, 3)).astype(np.float32)
    dominant, other = (slice(522, 543), slice(468, 489)) if right else (slice(468, 489), slice(522, 543))
    points[rng.random(count) < 0.8, other] = np.nan
    points[rng.random(count) < 0.25, dominant] = np.nan
    points[: count // 10, 489:] = np.nan
    return points


def clip(count: int) -> list[NDArray[np.uint8]]:
    """Pictures of a camera, smooth, so that a JPEG changes little; every axis and colour differs."""
    across, down = np.meshgrid(np.linspace(0, 1, CAMERA[0]), np.linspace(0, 1, CAMERA[1]))
    pictures = []
    for number in range(count):
        phase = number / max(count - 1, 1)
        red = 40 + 180 * across * phase
        green = 60 + 120 * down
        blue = 200 - 150 * across * (1 - phase)
        pictures.append(np.rint(np.stack([red, green, blue], axis=-1)).astype(np.uint8))
    return pictures


def landmark_window(bundle: Bundle, points: NDArray[np.float32]) -> Window:
    rows = points[:, list(bundle.rows)]
    return _window(bundle, len(points), rows=len(bundle.rows), landmarks=rows.astype(np.float32).tobytes())


def picture_window(bundle: Bundle, pictures: Sequence[NDArray[np.uint8]]) -> Window:
    table = bundle.picture
    assert table is not None
    size = PictureSize(table.width, table.height, table.fit, table.pad, table.canvas)
    jpegs = [pack_jpeg(size.fitted(picture)) for picture in pictures]
    return _window(bundle, len(jpegs), rows=0, landmarks=b"", pictures=jpegs)


def _window(bundle: Bundle, samples: int, **fields: Any) -> Window:
    whole = bundle.streaming.windows == "segments"
    base: dict[str, Any] = {
        "session": "s" * 16,
        "model": bundle.name,
        "seq": 0,
        "start": 0.0,
        "end": samples / bundle.fps,
    }
    return Window(**base, samples=samples, whole=whole, aspect=16 / 9, **fields)


@dataclasses.dataclass(frozen=True)
class Original:
    """What is known of a published graph, and of what it is fed."""

    sketch: Sketch
    reference: Callable[..., tuple[Array, ...]]
    lengths: tuple[int, ...]
    """Samples of the windows it is tried with."""
    stats: dict[str, Array] = dataclasses.field(default_factory=dict)


def _rgb(shape: tuple[int, ...], labels: int, softmax: bool, reference: Any, samples: int) -> Original:
    return Original(Sketch((Input("input", shape),), labels, softmax), reference, (samples,))


def _two(samples: int, points: int, labels: int, softmax: bool, reference: Any, lengths: Any) -> Original:
    inputs = Input("frames", (0, samples, points, 3)), Input("non_empty_frame_idxs", (0, samples))
    return Original(Sketch(inputs, labels, softmax), reference, lengths)


def _ctc(symbols: int) -> Original:
    rng = np.random.default_rng(5)
    stats = {"mean": rng.random((543, 3)), "std": rng.random((543, 3)) + 0.1}
    stats = {name: array.astype(np.float32) for name, array in stats.items()}
    sketch = Sketch((Input("input_landmarks", (0, 0, 42, 3)),), symbols, softmax=True, steps=True)
    return Original(sketch, lambda points: references.lzv(points, **stats), (96,), stats)


LONG = (8, 127, 128, 200, 384)
MIDDLE = (8, 63, 64, 150, 384)

ORIGINALS: dict[str, Original] = {
    **{
        f"slovo-{name}-{samples}-{interval}": _rgb(
            (1, 1, 3, samples, 224, 224), 1001, name != "i3d", references.six_axes, samples
        )
        for name, runs in {
            "mvit": ((16, 4), (32, 2), (48, 2)),
            "swin": ((16, 3), (32, 2), (48, 1)),
            "i3d": ((16, 3), (32, 2), (48, 1)),
        }.items()
        for samples, interval in runs
    },
    "signflow-a": _rgb((1, 1, 3, 24, 224, 224), 2000, False, references.six_axes, 24),
    "signflow-r": _rgb((1, 1, 3, 32, 224, 224), 267, True, references.six_axes, 32),
    "easy-sign": _rgb((1, 3, 32, 224, 224), 1599, False, references.squeezed, 32),
    "bukva": _rgb((1, 8, 3, 224, 224), 34, True, references.shifted, 8),
    "sign-tutor-ru": _rgb((1, 16, 3, 224, 224), 115, True, references.shifted, 16),
    "sign-tutor-en": _rgb((1, 16, 3, 224, 224), 103, True, references.shifted, 16),
    "slr-slovo-500": _two(128, 92, 500, False, references.slr, LONG),
    "slr-slovo-1001": _two(128, 92, 1001, False, references.slr, LONG),
    "gislr-mw": _two(64, 66, 250, True, references.gislr, MIDDLE),
    "ml-ops-asl": _two(64, 56, 250, True, references.ml_ops, MIDDLE),
    "lzv-cslr": _ctc(46),
    "lzv-asl-base": _ctc(60),
}
"""All but `bilstm-attention`, which has three graphs and a test file of its own."""


def made(name: str, folder: Path, original: Original) -> Bundle:
    """The preset's bundle around the sketch, as `signstream models add` makes it."""
    preset = presets.find(name)
    graph, labels, stats = folder / "sketch.onnx", folder / "given.txt", folder / "given.npz"
    original.sketch.write(graph)
    count = preset.manifest["labels"]["count"]
    labels.write_text("".join(f"sign {i}\n" for i in range(count)), "utf-8")
    if original.stats:
        np.savez(stats, **original.stats)
    given = Ingredients(
        graph,
        labels=None if preset.published.known_labels else labels,
        stats=stats if original.stats else None,
        origin="a test",
    )
    make_bundle(folder / name, name, preset, given)
    return load_bundle(folder / name)
