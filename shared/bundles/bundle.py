"""A model's folder, read and checked. Loads no graph: that is the recognizer's."""

import dataclasses
import functools
import hashlib
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import ValidationError

from shared.bundles.error import BundleError
from shared.bundles.examples import Examples, read_examples
from shared.bundles.labels import read_labels
from shared.bundles.manifest import Ctc, Manifest, Picture, State, Streaming
from shared.bundles.pickles import is_pickle
from shared.landmarks import LAYOUTS, SEGMENT_ROWS

MANIFEST = "bundle.toml"

BLANK = "<blank>"
"""As lists of CTC symbols write it."""

VIDEOS = "examples"
"""Folder in a bundle where its operator may put `LABEL.mp4`, a video of the sign."""

MAX_MANIFEST_BYTES = 2**20
"""A manifest is a page of text; one with 543 rows and 100 steps is 20 KB."""


@dataclasses.dataclass(frozen=True)
class Bundle:
    """A checked bundle: what the stages beside the recognizer need of a model."""

    folder: Path
    manifest: Manifest
    labels: tuple[str, ...]
    """In the order of the graph's output."""

    @property
    def name(self) -> str:
        """By which sessions ask for it."""
        return self.manifest.id

    @functools.cached_property
    def version(self) -> str:
        """Of the whole bundle: another one with any change to any of its files."""
        return _digest(self.manifest.model_dump_json())

    @functools.cached_property
    def spec(self) -> str:
        """Of what the other stages know of it: its input, its labels, how windows become glosses. A bundle
        with the same takes this one's place in running sessions; with another it serves new ones only."""
        unknown = {"title", "version", "license", "quality", "examples", "sha256"}
        known = self.manifest.model_dump_json(exclude=unknown)
        return _digest(known, "\n".join(self.labels))

    @property
    def task(self) -> str:
        """`isolated` or `continuous`."""
        return self.manifest.task

    @property
    def language(self) -> str:
        """Of the glosses."""
        return self.manifest.language

    @property
    def sign_language(self) -> str:
        """ISO 639-3 code, such as `ase`."""
        return self.manifest.sign_language

    @property
    def background(self) -> frozenset[str]:
        """Labels that are no sign: rest, and movement the model does not know."""
        return frozenset(self.labels[i] for i in self.manifest.labels.background_ids)

    @property
    def signs(self) -> tuple[str, ...]:
        """Labels that may come out as glosses."""
        return tuple(label for label in self.labels if label not in self.background)

    @property
    def fps(self) -> float:
        """Samples a second of the model's clock."""
        return self.manifest.input.fps / self.manifest.input.frame_interval

    @property
    def samples(self) -> int:
        """Samples a window; of segments the most."""
        return self.manifest.streaming.window

    @property
    def stride(self) -> int:
        """Samples from window to window; 0 with segments."""
        return self.manifest.streaming.stride

    @property
    def windows(self) -> Literal["sliding", "segments", "both"]:
        """Which windows it is shown."""
        return self.manifest.streaming.windows

    @property
    def shortest(self) -> int:
        """Samples of the shortest segment it is shown."""
        return self.manifest.streaming.shortest

    @property
    def padding(self) -> float:
        """Seconds around the hands' rise and rest that a segment shows."""
        return self.manifest.streaming.padding

    @functools.cached_property
    def rows(self) -> tuple[int, ...]:
        """Canonical (gislr543) rows a window carries, in the bundle's order; none with pictures."""
        layout = self.manifest.input.source_layout
        return tuple(LAYOUTS[layout][row] for row in self.manifest.input.rows) if layout else ()

    @property
    def needs(self) -> frozenset[int]:
        """Canonical rows that must be found for its windows; whole signs want to see the hands."""
        return frozenset((*self.rows, *(SEGMENT_ROWS if self.windows != "sliding" else ())))

    @property
    def picture(self) -> Picture | None:
        """The pictures a window carries; None where it carries landmarks."""
        return self.manifest.input.picture

    @property
    def ctc(self) -> Ctc | None:
        """How a row of symbols becomes glosses; None where each window has one answer."""
        return self.manifest.ctc

    @property
    def lookahead(self) -> float:
        """Of a model with `[ctc]`: seconds from the end of what a window tells to the window's end."""
        if self.ctc is None or self.stride in (0, self.samples):
            return 0.0  # a segment stands for itself; a chunk's neighbours see nothing of it
        around = (self.samples - self.stride) / 2 / self.fps if self.ctc.slice == "middle" else 0.0
        return max(self.ctc.lookahead_seconds, around)

    @property
    def ahead(self) -> int | None:
        """The same in samples, of a model that reads windows of any length: they hold no sample still, and
        are shorter where the media begins or ends. None: windows lie around their middle, all as long."""
        free = self.manifest.input.length.policy == "variable" and self.windows == "sliding"
        return round(self.lookahead * self.fps) if free and self.lookahead else None

    @property
    def states(self) -> tuple[State, ...]:
        """What its graph carries from window to window of a session."""
        return self.manifest.state

    @property
    def symbols(self) -> tuple[str, ...]:
        """The label of each of the graph's outputs; the CTC blank is ""."""
        if self.ctc is None:
            return self.labels
        return (*self.labels[: self.ctc.blank], "", *self.labels[self.ctc.blank :])

    @property
    def streaming(self) -> Streaming:
        """How its windows become glosses."""
        return self.manifest.streaming

    @property
    def graph(self) -> Path:
        """The ONNX file."""
        return self.folder / self.manifest.graph

    @property
    def card(self) -> Path:
        """The model card."""
        return self.folder / self.manifest.card

    @functools.cached_property
    def examples(self) -> Examples | None:
        """How its signs look, where it says so. Raises BundleError."""
        if self.manifest.examples is None:
            return None
        return read_examples(self.folder / self.manifest.examples, self.labels, self.name)

    def video(self, sign: str) -> Path | None:
        """The video of a sign, where the operator has put one into the bundle. Looks at the disk."""
        file = self.folder / VIDEOS / f"{sign}.mp4"
        known = sign in self.signs and "/" not in sign and "\0" not in sign
        return file if known and file.is_file() and _is_inside(self.folder, file) else None


def _digest(*parts: str) -> str:
    """64 bits of SHA-256: enough to tell the few versions of one model apart."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def load_bundle(folder: Path) -> Bundle:
    """Reads and checks a bundle's folder: manifest, file names, hashes, labels. Raises BundleError."""
    manifest = _manifest(folder / MANIFEST)
    for name, expected in manifest.sha256.items():
        file = _inside(folder, name)
        with file.open("rb") as opened:  # some graphs are as large as memory
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        if found != expected:
            raise BundleError(f"{folder.name}: sha256.{name} says {expected}, the file has {found}")
    labels = read_labels(_inside(folder, manifest.labels.file), manifest.labels, folder.name)
    _refuse_strangers(folder, manifest, labels)
    if manifest.ctc is not None and BLANK in labels:
        raise BundleError(
            f"{folder.name}: ctc.blank says {manifest.ctc.blank}, labels.file has {BLANK!r} at"
            f" {labels.index(BLANK)}: labels are listed without it"
        )
    bundle = Bundle(folder, manifest, labels)
    if bundle.examples is not None and not set(bundle.examples.signs) <= set(bundle.signs):
        strangers = sorted(set(bundle.examples.signs) - set(bundle.signs))
        raise BundleError(f"{folder.name}: examples has {strangers}, which are background and no signs")
    return bundle


def _manifest(file: Path) -> Manifest:
    where = f"{file.parent.name}/{file.name}"
    if not file.is_file():
        raise BundleError(f"{where}: no such file; a bundle is a folder with a {MANIFEST}")
    if file.stat().st_size > MAX_MANIFEST_BYTES:
        raise BundleError(f"{where}: {file.stat().st_size} bytes, expected at most {MAX_MANIFEST_BYTES}")
    try:
        fields = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BundleError(f"{where}: not TOML: {error}") from error
    try:
        return Manifest.model_validate(fields)
    except ValidationError as error:
        wrong = [_sentence(dict(entry)) for entry in error.errors()]
        raise BundleError(f"{where}: " + "; ".join(wrong)) from error


def _sentence(entry: dict[str, Any]) -> str:
    field = ".".join(str(part) for part in entry["loc"])
    said = str(entry["msg"]).removeprefix("Value error, ")
    if entry["type"] == "value_error" and isinstance(entry["input"], dict):
        # Between a table's fields: what is said names the one that is wrong.
        return f"{field}.{said}" if field else said
    return f"{field or 'manifest'} says {_shown(entry['input'])}: {said}"


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _inside(folder: Path, name: str) -> Path:
    """The file of that name, which must lie in the bundle and be no way out of it."""
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or "\\" in name or not pure.parts:
        raise BundleError(
            f"{folder.name}: file {name!r} is outside the bundle, expected a relative path in it"
        )
    file = folder / pure
    if not file.is_file():
        raise BundleError(f"{folder.name}: file {name!r} is named in sha256 and missing")
    if not _is_inside(folder, file):
        raise BundleError(f"{folder.name}: file {name!r} is a link out of the bundle")
    return file


def _is_inside(folder: Path, file: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def _refuse_strangers(folder: Path, manifest: Manifest, labels: tuple[str, ...]) -> None:
    """Pickles, which run whatever their maker wrote when they are read, and files without a hash, which a
    graph might load beside it. Hidden files are the system's, videos of signs the operator's."""
    videos = {f"{VIDEOS}/{label}.mp4" for label in labels}
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder)
        if not file.is_file() or any(part.startswith(".") for part in path.parts):
            continue
        name = path.as_posix()
        if is_pickle(file):
            raise BundleError(
                f"{folder.name}: file {name!r} is a pickle, expected .onnx, .npz, .json or text"
            )
        if name in videos:
            _require_video(folder, file, name)
        elif name not in manifest.sha256 and name != MANIFEST:
            raise BundleError(f"{folder.name}: sha256 has no entry for {name!r}, which lies in the bundle")


def _require_video(folder: Path, file: Path, name: str) -> None:
    """Browsers are told that it is one, so it must at least begin as an MP4 does (ISO/IEC 14496-12, 4.3)."""
    if not _is_inside(folder, file):
        raise BundleError(f"{folder.name}: file {name!r} is a link out of the bundle")
    with file.open("rb") as opened:
        if opened.read(8)[4:] != b"ftyp":
            raise BundleError(f"{folder.name}: file {name!r} is no MP4")
