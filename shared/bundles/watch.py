"""The models that run, followed while they change on disk: added, replaced, removed, without a restart."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from pathlib import Path

from shared.bundles.bundle import MANIFEST, Bundle
from shared.bundles.error import BundleError
from shared.bundles.registry import SHIPPED, bundle_folders, load_named

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
"""Looks at the times of one manifest a model; inotify knows nothing of network folders, where models lie."""

GONE_LOOKS = 2
"""A folder that is replaced by two renames is missing in between: removed is what is missing twice."""

Looks = tuple[int, int, int]
"""Of a manifest: inode, time of change, size. It holds the hashes of all other files."""


class ModelWatch:
    """What should run: the models that were named, and all in the operator's folders.

    A model that is no good does not come to run, and a running one stays as it is: it is told in the log, and
    tried again until it is good (its files may still be on their way).
    """

    def __init__(self, named: Sequence[str], folders: Iterable[Path] = ()) -> None:
        self._named = tuple(dict.fromkeys(named))
        self._added = tuple(folders)
        """One may not be there yet."""
        self._seen: dict[str, Looks] = {}
        self._running: dict[str, Bundle] = {}
        self._missing: dict[str, int] = {}
        self._complaints: dict[str, str] = {}

    def start(self) -> dict[str, Bundle]:
        """The models to begin with, by name, the named ones first and in their order.

        Raises BundleError for a named one that is missing or no good.
        """
        folders = self._folders()
        for name in self._named:
            if name not in folders:
                available = ", ".join(sorted({*folders, *bundle_folders([SHIPPED])}))
                raise BundleError(f"no model {name!r}; available are {available}")
            self._running[name] = load_named(name, folders[name])
            self._seen[name] = _looks(folders[name])
        self.look()
        return dict(self._running)

    def is_named(self, name: str) -> bool:
        """Whether this one was asked for, not only found."""
        return name in self._named

    @property
    def running(self) -> Mapping[str, Bundle]:
        """As last looked at."""
        return self._running

    async def changes(self) -> AsyncGenerator[Mapping[str, Bundle], None]:
        """All models that should run, whenever that is something else than before."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if await asyncio.to_thread(self.look):
                yield dict(self._running)

    def look(self) -> bool:
        """Looks once, and reads what is new; whether anything should run that did not, or the reverse."""
        try:
            folders = self._folders()
        except (BundleError, OSError) as error:
            self._complain("", f"the models folders cannot be read: {error}")
            return False
        changed = [self._look_at(name, folder) for name, folder in folders.items()]
        gone = [self._miss(name) for name in list(self._running) if name not in folders]
        return any(changed) or any(gone)

    def _folders(self) -> dict[str, Path]:
        shipped = {name: folder for name, folder in bundle_folders([SHIPPED]).items() if name in self._named}
        added = bundle_folders(folder for folder in self._added if folder.is_dir())
        ordered = [name for name in self._named if name in shipped or name in added]
        return {name: {**shipped, **added}[name] for name in dict.fromkeys([*ordered, *added])}

    def _look_at(self, name: str, folder: Path) -> bool:
        self._missing.pop(name, None)
        try:
            looks = _looks(folder)
            if self._seen.get(name) == looks:
                return False
            bundle = load_named(name, folder)
        except (BundleError, OSError) as error:
            self._complain(name, f"model {name} is not taken{self._instead(name)}: {error}")
            return False
        self._seen[name] = looks
        self._complaints.pop(name, None)
        before = self._running.get(name)
        self._running[name] = bundle
        if before is None or before.version != bundle.version:
            log.info("model %s: version %s of %s", name, bundle.version, folder)
        return before is None or before.version != bundle.version

    def _miss(self, name: str) -> bool:
        self._missing[name] = self._missing.get(name, 0) + 1
        if self._missing[name] < GONE_LOOKS:
            return False
        del self._running[name], self._missing[name]
        self._seen.pop(name, None)
        log.info("model %s was removed", name)
        return True

    def _instead(self, name: str) -> str:
        return ", the one before runs on" if name in self._running else ""

    def _complain(self, name: str, words: str) -> None:
        if self._complaints.get(name) != words:
            self._complaints[name] = words
            log.error("%s", words)


def _looks(folder: Path) -> Looks:
    status = os.stat(folder / MANIFEST)
    return status.st_ino, status.st_mtime_ns, status.st_size
