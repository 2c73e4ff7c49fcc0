"""A model's folder, read and checked. Loads no graph: that is the recognizer's."""

import dataclasses
import hashlib
import tomllib
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from shared.bundles.manifest import Manifest, Streaming

MANIFEST = "bundle.toml"

MAX_MANIFEST_BYTES = 2**20
"""A manifest is a page of text; one with 543 rows and 100 steps is 20 KB."""


class BundleError(ValueError):
    """A bundle that is refused; says which field, what it says and what was expected."""


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

    @property
    def task(self) -> str:
        """`isolated`."""
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
        return self.manifest.input.fps

    @property
    def samples(self) -> int:
        """Samples a window."""
        return self.manifest.streaming.window

    @property
    def stride(self) -> int:
        """Samples from window to window."""
        return self.manifest.streaming.stride

    @property
    def rows(self) -> tuple[int, ...]:
        """Canonical rows it looks at, in its order."""
        return self.manifest.input.rows

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


def load_bundle(folder: Path) -> Bundle:
    """Reads and checks a bundle's folder: manifest, file names, hashes, labels. Raises BundleError."""
    manifest = _manifest(folder / MANIFEST)
    for name, expected in manifest.sha256.items():
        file = _inside(folder, name)
        found = hashlib.sha256(file.read_bytes()).hexdigest()
        if found != expected:
            raise BundleError(f"{folder.name}: sha256.{name} says {expected}, the file has {found}")
    return Bundle(folder, manifest, _labels(folder, manifest))


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
        wrong = (
            f"{'.'.join(str(part) for part in entry['loc']) or 'manifest'}"
            f" says {_shown(entry['input'])}: {entry['msg']}"
            for entry in error.errors()
        )
        raise BundleError(f"{where}: " + "; ".join(wrong)) from error


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
    if not file.resolve().is_relative_to(folder.resolve()):
        raise BundleError(f"{folder.name}: file {name!r} is a link out of the bundle")
    return file


def _labels(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    file = manifest.labels.file
    try:
        labels = tuple(_inside(folder, file).read_text("utf-8").splitlines())
    except UnicodeDecodeError as error:
        raise BundleError(f"{folder.name}: labels.file {file!r} is not UTF-8: {error}") from error
    if len(labels) != manifest.labels.count:
        raise BundleError(
            f"{folder.name}: labels.count says {manifest.labels.count}, {file!r} has {len(labels)} lines"
        )
    twice = {label for label in labels if labels.count(label) > 1 or not label.strip()}
    if twice:
        raise BundleError(f"{folder.name}: labels.file {file!r} has {sorted(twice)} empty or more than once")
    return labels
