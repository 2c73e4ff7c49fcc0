"""Bundles as zip files, unpacked with care: what a zip says of itself is not to be believed."""

import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from shared.bundles import BundleError
from shared.bundles.bundle import MANIFEST

MAX_BYTES = 4 * 2**30
"""Unpacked. The largest published model has 0.8 GB."""

MAX_FILES = 10_000


def is_archive(file: Path) -> bool:
    """Whether it is a zip with a manifest in it, at its top or in its one folder."""
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(PurePosixPath(name).name == MANIFEST for name in archive.namelist())


def unpack(file: Path, folder: Path) -> None:
    """Writes the bundle into `folder`, which must not be there. Raises BundleError."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            top = _top(file, entries)
            if len(entries) > MAX_FILES or sum(entry.file_size for entry in entries) > MAX_BYTES:
                raise BundleError(f"{file.name}: unpacks to more than {MAX_FILES} files or {MAX_BYTES} bytes")
            folder.mkdir(parents=True)
            for entry in entries:
                _write(archive, entry, folder / _path(file, entry).relative_to(top))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise BundleError(f"{file.name}: a broken zip: {error}") from error


def _top(file: Path, entries: list[zipfile.ZipInfo]) -> PurePosixPath:
    manifests = [_path(file, entry) for entry in entries if PurePosixPath(entry.filename).name == MANIFEST]
    if len(manifests) != 1 or len(manifests[0].parts) > 2:
        raise BundleError(
            f"{file.name}: {len(manifests)} files {MANIFEST}, expected one, at the top or in one folder"
        )
    top = manifests[0].parent
    outside = [entry.filename for entry in entries if not _path(file, entry).is_relative_to(top)]
    if outside:
        raise BundleError(f"{file.name}: {outside[0]!r} lies beside the bundle's folder {str(top)!r}")
    return top


def _path(file: Path, entry: zipfile.ZipInfo) -> PurePosixPath:
    path = PurePosixPath(entry.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or ":" in path.parts[0]:
        raise BundleError(f"{file.name}: file {entry.filename!r} is outside the bundle")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise BundleError(f"{file.name}: file {entry.filename!r} is a link, expected a file")
    return path


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # The size an entry says it has bounds what is read of it: the module refuses more as a broken zip.
    with archive.open(entry) as source, target.open("xb") as out:
        shutil.copyfileobj(source, out)
