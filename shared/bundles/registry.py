"""Finds bundles by name: the shipped ones, and those in folders the operator adds."""

from collections.abc import Iterable
from pathlib import Path

from shared.bundles.bundle import MANIFEST, Bundle, load_bundle
from shared.bundles.error import BundleError

SHIPPED = Path(__file__).parent.parent / "models"


def bundle_folders(parents: Iterable[Path]) -> dict[str, Path]:
    """The folders that hold bundles, by name; one in a later parent wins. Hidden ones are none: what is put
    in place is prepared there. Raises BundleError where a parent is no folder."""
    found: dict[str, Path] = {}
    for parent in parents:
        if not parent.is_dir():
            raise BundleError(f"models folder {str(parent)!r} is not a folder")
        for folder in sorted(parent.iterdir()):
            if not folder.name.startswith(".") and (folder / MANIFEST).is_file():
                found[folder.name] = folder
    return found


def load_named(name: str, folder: Path) -> Bundle:
    """The bundle in a folder, which must bear its name. Raises BundleError."""
    bundle = load_bundle(folder)
    if bundle.name != name:
        raise BundleError(f"{name}: id says {bundle.name!r}, the folder is named {name!r}")
    return bundle


class Registry:
    """Bundles by name; a folder given later wins over an earlier one, and all win over the shipped ones."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._folders = bundle_folders((SHIPPED, *folders))
        self._loaded: dict[str, Bundle] = {}

    def available(self) -> tuple[str, ...]:
        """Names that `find` knows, sorted."""
        return tuple(sorted(self._folders))

    def find(self, name: str) -> Bundle:
        """The bundle of that name, read and checked once. Raises BundleError."""
        if name not in self._folders:
            raise BundleError(f"no model {name!r}; available are {', '.join(self.available()) or 'none'}")
        if name not in self._loaded:
            self._loaded[name] = load_named(name, self._folders[name])
        return self._loaded[name]
