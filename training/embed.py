"""Embedding sequences of frame folders, as the BiLSTM-attention project makes them, with the user's graphs.

Of each video 32 frames (frame floor(i n / 32) of n; a shorter one is filled up with its last), each stretched
to 640 x 640, whole and in halves through a ViT and a ResNeXt: twelve rows of 768 numbers, in HDF5. The steps
are those of the preset `bilstm-attention`, so a bundle is served what its network learned from.

With a hand detector (a YOLO as Ultralytics exports it: `images` [1, 3, 640, 640] of 0 to 1, answer
[1, 4 + classes, boxes] of centre, size and scores) the halves are, where it finds a hand, the pictures of the
hands instead: the original's README speaks of one, its code has none.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from shared.bundles import Bundle, BundleError, presets
from shared.bundles.manifest import Manifest
from shared.pictures import stretch
from training.datasets.embeddings import CHANNELS, FRAMES, WIDTH, write_embeddings
from training.datasets.errors import DatasetError
from training.datasets.frame_folders import FrameFolder, read_frame_folders
from training.splits import Split, parts
from workers.recognizers.embeddings import Embedder
from workers.recognizers.runtime import onnxruntime

PRESET = "bilstm-attention"

SIZE = 640

TRAIN, VALIDATION = "preprocessed_train_dataset.h5", "preprocessed_val_dataset.h5"
CLASSES = "classes.txt"

SCORE, OVERLAP, MARGIN = 0.25, 0.45, 0.1
"""Of boxes: the least score, the most that two may have in common (IoU), and what is added on each side;
Ultralytics' defaults but for the margin, with which fingertips stay in the picture."""

_HALVES = 8
"""Of the twelve rows, those of the picture's halves come first."""

Pixels = NDArray[np.uint8]


class Hands:
    """A hand detector. BundleError where the graph is none."""

    def __init__(self, graph: Path) -> None:
        try:
            self._session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors have no common class
            raise BundleError(f"{graph}: {error}, expected a YOLO graph") from error
        (source, *more), (answer, *_) = self._session.get_inputs(), self._session.get_outputs()
        if more or list(source.shape[1:]) != [3, SIZE, SIZE] or len(answer.shape) != 3:
            raise BundleError(
                f"{graph}: takes {source.shape} and answers {answer.shape},"
                f" expected [1, 3, {SIZE}, {SIZE}] and [1, 4 + classes, boxes]"
            )
        self._name = source.name

    def boxes(self, picture: Pixels) -> NDArray[np.float32]:
        """[at most 2, 4] of a picture [640, 640, 3]: left, top, right, bottom in pixels, from the left."""
        fed = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32) / 255
        (answer,) = self._session.run(None, {self._name: fed})
        rows = np.asarray(answer, np.float32)[0].T
        scores = rows[:, 4:].max(axis=1)
        order = np.argsort(-scores, kind="stable")
        half = rows[:, 2:4] / 2
        corners = np.concatenate([rows[:, :2] - half, rows[:, :2] + half], axis=1)
        kept: list[int] = []
        for place in order[scores[order] >= SCORE]:
            if len(kept) < 2 and all(_overlap(corners[place], corners[other]) <= OVERLAP for other in kept):
                kept.append(int(place))
        found = corners[kept].clip(0, SIZE)
        return np.asarray(found[np.argsort(found[:, 0] + found[:, 2], kind="stable")], np.float32)


def _overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Intersection over union of two boxes."""
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = float(np.prod(np.maximum(sides, 0)))
    union = float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - shared
    return shared / max(union, 1e-9)


def embedder(vit: Path, resnext: Path) -> Embedder:
    """The preset's own. BundleError where a graph does not take or give what it should."""
    fields = presets.find(PRESET).manifest
    files = {"vit": vit, "resnext": resnext}
    named = [{**graph, "file": str(files[graph["name"]].resolve())} for graph in fields["graphs"]]
    hashes = {graph["file"]: _digest(Path(graph["file"])) for graph in named}
    nothing = {"model.onnx": "0" * 64, "README.md": "0" * 64, "labels.txt": "0" * 64}
    manifest = Manifest.model_validate(
        {
            **fields,
            "schema_version": 1,
            "id": "embed",
            "version": "1",
            "graph": "model.onnx",
            "card": "README.md",
            "graphs": named,
            "labels": {**fields["labels"], "file": "labels.txt"},
            "sha256": {**hashes, **nothing},
        }
    )
    return Embedder(Bundle(Path("/"), manifest, ()))


def _digest(file: Path) -> str:
    if not file.is_file():
        raise BundleError(f"{file}: no such file, expected an ONNX graph")
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def chosen(count: int) -> list[int]:
    """Which of so many frames are taken."""
    return (
        [i * count // FRAMES for i in range(FRAMES)]
        if count >= FRAMES
        else [min(i, count - 1) for i in range(FRAMES)]
    )


def pictures_of(video: FrameFolder) -> Pixels:
    """uint8 RGB [32, 640, 640, 3]. DatasetError for a file that is no picture."""
    taken, read = chosen(len(video.frames)), dict[int, Pixels]()
    for number in dict.fromkeys(taken):
        file = video.frames[number]
        decoded = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_COLOR)
        if decoded is None:
            raise DatasetError(file, "no picture that decodes", "a JPEG or PNG")
        read[number] = stretch(np.ascontiguousarray(decoded[..., ::-1], np.uint8), SIZE, SIZE)
    return np.stack([read[number] for number in taken])


def embedding_of(pictures: Pixels, graphs: Embedder, hands: Hands | None = None) -> NDArray[np.float32]:
    """float32 [32, 12, 768] of one video's pictures."""
    rows = graphs.prepare(pictures).features
    if hands is not None:
        closer = np.stack([_of_hands(picture, hands.boxes(picture)) for picture in pictures])
        rows[:, :_HALVES] = graphs.prepare(closer).features[:, :_HALVES]
    assert rows.shape == (FRAMES, CHANNELS, WIDTH)
    return rows


def _of_hands(picture: Pixels, boxes: NDArray[np.float32]) -> Pixels:
    """The picture with its halves replaced by the hands: one hand takes the half in which its middle lies."""
    out, half = picture.copy(), SIZE // 2
    places = [0, 1] if len(boxes) == 2 else [int((box[0] + box[2]) / 2 >= half) for box in boxes]
    for place, box in zip(places, boxes, strict=True):
        more = MARGIN * (box[2:] - box[:2])
        left, top = np.floor(np.maximum(box[:2] - more, 0)).astype(int)
        right, bottom = np.ceil(np.minimum(box[2:] + more, SIZE)).astype(int)
        if right - left >= 2 and bottom - top >= 2:
            cut = np.ascontiguousarray(picture[top:bottom, left:right])
            out[:, place * half : (place + 1) * half] = stretch(cut, half, SIZE)
    return out


def embed(
    folder: Path,
    out: Path,
    graphs: Embedder,
    hands: Hands | None = None,
    *,
    split: Split = Split.STRATIFIED,
    augmented: int = 0,
    seed: int = 42,
    told: Callable[[str], None],
    shown: bool = False,
) -> tuple[int, int]:
    """Writes both files and the list of classes; how many sequences each has. DatasetError names a bad file.

    With `augmented` each training video comes so many times more, each time changed as a whole.
    """
    videos = read_frame_folders(folder)
    classes = sorted({video.label for video in videos})
    held_out = parts(split, [video.label for video in videos], signers=[""] * len(videos), seed=seed)
    told(f"{len(videos)} videos of {len(classes)} classes; {split.said}")
    out.mkdir(parents=True, exist_ok=True)
    counts = []
    for name, kept, more in ((TRAIN, False, augmented), (VALIDATION, True, 0)):
        taken = [video for video, held in zip(videos, held_out, strict=True) if held == kept]
        rows = _sequences(taken, classes, graphs, hands, more, seed, name if shown else "")
        partial = out / f".{name}.partial"
        counts.append(write_embeddings(partial, rows))
        os.replace(partial, out / name)
    (out / CLASSES).write_text("".join(f"{label}\n" for label in classes), "utf-8")
    return counts[0], counts[1]


def _sequences(
    videos: Sequence[FrameFolder],
    classes: Sequence[str],
    graphs: Embedder,
    hands: Hands | None,
    augmented: int,
    seed: int,
    bar: str,
) -> Iterator[tuple[NDArray[np.float32], int]]:
    from training.frame_augment import augmented_clip  # noqa: PLC0415  # Albumentations loads for seconds

    for place, video in enumerate(track(videos, bar, disable=not bar)):
        pictures, label = pictures_of(video), classes.index(video.label)
        yield embedding_of(pictures, graphs, hands), label
        for again in range(augmented):
            rng = np.random.default_rng((seed, place, again))
            yield embedding_of(augmented_clip(pictures, rng), graphs, hands), label
