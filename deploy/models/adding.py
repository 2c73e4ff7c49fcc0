"""A model becomes one of those there are: fetched, made into a bundle, tried, and only then in its place."""

import dataclasses
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.models.archive import is_archive, unpack
from deploy.models.download import DownloadError, Downloads, Progress
from deploy.models.making import Ingredients, hash_of, make_bundle
from shared.bundles import Bundle, BundleError, load_bundle, presets
from shared.bundles.bundle import MANIFEST
from shared.bundles.registry import SHIPPED

DOWNLOADS = ".downloads"
"""In the models folder; a model that is removed and added again is not fetched again."""


class AddError(RuntimeError):
    """A model that cannot be added or removed; says why, and what would be right."""


@dataclasses.dataclass(frozen=True)
class Order:
    """What is to be added. Files may be paths or addresses."""

    name: str
    source: str
    preset: str | None = None
    labels: Path | None = None
    stats: Path | None = None
    sha256: str | None = None
    graphs: Mapping[str, str] = dataclasses.field(default_factory=dict)


def add(models: Path, order: Order, progress: Progress) -> tuple[Bundle, list[str]]:
    """The bundle in its place, and what its check warns of. Raises AddError, BundleError."""
    from workers.recognizers.checks import checked, warnings

    target = place(models, order.name)
    if target.exists():
        raise AddError(
            f"model {order.name!r} is there already; `signstream models remove {order.name}` first"
        )
    if (SHIPPED / order.name).exists():
        raise AddError(f"model {order.name!r} is one of the shipped; choose another name")
    preset = presets.find(order.preset) if order.preset else None
    downloads = Downloads(models / DOWNLOADS)
    source = _file(downloads, order.source, order.sha256, progress)
    with _workplace(models) as work:
        folder = work / order.name
        if preset is not None:
            graphs = {name: _file(downloads, where, None, progress) for name, where in order.graphs.items()}
            given = Ingredients(source, graphs, order.labels, order.stats, order.source)
            make_bundle(folder, order.name, preset, given)
        elif source.is_dir():
            shutil.copytree(source, folder)
        elif is_archive(source):
            unpack(source, folder)
        else:
            raise AddError(
                f"{order.source} is no bundle; a bare graph needs --preset,"
                f" one of {', '.join(presets.names())}"
            )
        bundle = load_bundle(folder)
        if bundle.name != order.name:
            raise AddError(f"id says {bundle.name!r}, it would be added as {order.name!r}")
        told = warnings(checked(bundle))
        folder.rename(target)
    return load_bundle(target), told


def remove(models: Path, name: str) -> Path:
    """Removes a model that was added; the folder it was. Raises AddError."""
    folder = place(models, name)
    if (SHIPPED / name).exists() and not folder.exists():
        raise AddError(f"model {name!r} is one of the shipped and stays; SIGNSTREAM_MODELS says which run")
    if not (folder / MANIFEST).is_file():
        raise AddError(f"no model {name!r} in {models}")
    # Under another name first: a stage that looks meanwhile finds it whole or not at all.
    with _workplace(models) as work:
        folder.rename(work / name)
    return folder


def place(models: Path, name: str) -> Path:
    """Where a model of that name stands. Raises AddError for what is no name."""
    if not (name.replace("-", "").isalnum() and name.isascii() and name == name.lower() and len(name) <= 64):
        raise AddError(f"{name!r} is no name: expected small letters, digits and dashes")
    return models / name


@contextmanager
def _workplace(models: Path) -> Iterator[Path]:
    """A folder on the same disk that is gone afterwards, whatever happens."""
    work = models / f".adding-{uuid.uuid4().hex}"
    work.mkdir(parents=True)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _file(downloads: Downloads, where: str, sha256: str | None, progress: Progress) -> Path:
    if "://" in where:
        try:
            return downloads.fetch(where, sha256, progress)
        except DownloadError as error:
            raise AddError(str(error)) from error
    path = Path(where)
    if not path.exists():
        raise AddError(f"{where}: no such file")
    if sha256 is not None and path.is_file() and hash_of(path) != sha256:
        raise AddError(f"{where}: sha256 {sha256} was expected, the file has {hash_of(path)}")
    return path


__all__ = ["AddError", "BundleError", "Order", "add", "place", "remove"]
