"""One model while it is replaced: as it is now, and as sessions that run still know it."""

import time
from typing import Generic, TypeVar

from shared.messages import Window

M = TypeVar("M")

KEEP_SECONDS = 600.0
"""A version that had no window for this long has no session left: a camera's windows come every second."""


class Versions(Generic[M]):
    """Gives each window to the version it was made for. Used by the recognizing thread and by the loop; every
    step is one look at a tuple or a dictionary, so they need no lock."""

    def __init__(self, model: M) -> None:
        self._newest = (spec_of(model), model)
        self._before: dict[str, tuple[M, float]] = {}

    @property
    def newest(self) -> M:
        """What windows of new sessions are made for."""
        return self._newest[1]

    def put(self, model: M) -> None:
        """From the next window on. One with the same `spec` takes the place of the one before; the one before
        another stays for the sessions that began with it."""
        now = time.monotonic()
        self._before = {
            spec: (old, used) for spec, (old, used) in self._before.items() if now - used < KEEP_SECONDS
        }
        spec, old = self._newest
        if spec != spec_of(model):
            self._before[spec] = (old, now)
        self._before.pop(spec_of(model), None)
        self._newest = (spec_of(model), model)

    def pick(self, window: Window) -> M:
        """The version for a window. One made for a version that nobody here knows gets the newest, which
        refuses it where it does not fit."""
        spec, model = self._newest
        kept = self._before.get(window.spec) if window.spec != spec else None
        if kept is None:
            return model
        self._before[window.spec] = (kept[0], time.monotonic())
        return kept[0]


def spec_of(model: object) -> str:
    """The bundle's; a model without a bundle has one version only."""
    bundle = getattr(model, "bundle", None)
    return str(bundle.spec) if bundle is not None else ""
