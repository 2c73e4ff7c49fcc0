"""Manifests of the published models, whole but for what is the user's: a name, files and their hashes."""

import tomllib
from pathlib import Path
from typing import Any

from shared.bundles.error import BundleError
from shared.bundles.manifest.table import Names, Table

_FOLDER = Path(__file__).parent


class Published(Table):
    """What the model's authors say of it, and what they do not hand out. For people."""

    size_mb: float | None = None
    """Of the file they publish, megabytes."""
    parameters_m: float | None = None
    """Millions of parameters."""
    accuracy: str
    licence: str
    source: str
    caveat: str = ""
    labels: str = ""
    """What the list of labels is that the user has to bring."""
    known_labels: Names = ()
    """The list itself, where it is a plain fact."""
    stats: str = ""
    """What the statistics file has to hold, where one is needed."""
    graphs: str = ""
    """Graphs the user has to bring beside the one that answers."""


class Preset(Table):
    """One published model."""

    name: str
    published: Published
    window_from_graph: bool = False
    """The authors do not tell the window: it is read off the graph when the model is added."""
    manifest: dict[str, Any]
    """As `bundle.toml` has it, without `id`, `version`, file names and hashes."""


def names() -> tuple[str, ...]:
    """Of every preset, sorted."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.toml")))


def find(name: str) -> Preset:
    """The preset of that name. Raises BundleError naming those there are."""
    if name not in names():
        raise BundleError(f"no preset {name!r}; there are {', '.join(names())}")
    return Preset.model_validate(
        {"name": name, **tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))}
    )
