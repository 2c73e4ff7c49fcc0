"""All windows of a session: for each model a chain of its own, numbered without holes."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.keypoints.clipper import Clipper
from workers.keypoints.segmenter import Segmenter
from workers.keypoints.shot import Shot
from workers.keypoints.sign_clipper import SignClipper
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import Stretch, Windower


class _Both:
    """Sliding windows and whole signs in one chain, in the order in which they are whole."""

    def __init__(self, spec: WindowSpec) -> None:
        self.sliding, self.segments = Windower(spec), Segmenter(spec)
        self._seq = 0

    def add(self, time: float, frame: NDArray[np.float32], aspect: float) -> list[Stretch]:
        return self._numbered(self.sliding.add(time, frame) + self.segments.add(time, frame, aspect))

    def flush(self) -> list[Stretch]:
        return self._numbered(self.sliding.flush() + self.segments.flush())

    def checkpoint(self) -> dict[str, Any]:
        return {
            "seq": self._seq,
            "sliding": self.sliding.checkpoint(),
            "segments": self.segments.checkpoint(),
        }

    @classmethod
    def restore(cls, spec: WindowSpec, state: dict[str, Any]) -> "_Both":
        both = cls(spec)
        try:
            both._seq = int(state["seq"])
            both.sliding = Windower.restore(spec, state["sliding"])
            both.segments = Segmenter.restore(spec, state["segments"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a checkpoint of sliding windows and segments: {error!r}") from error
        return both

    def _numbered(self, stretches: Iterable[Stretch]) -> list[Stretch]:
        numbered = []
        for stretch in stretches:
            numbered.append(dataclasses.replace(stretch, seq=self._seq))
            self._seq += 1
        return numbered


PICTURES = 2
"""A clip's sample is chosen from so many pictures: with one each, a camera slightly off the model's clock
would now and then have its nearest left out."""

Chain = Windower | Segmenter | _Both | Clipper | SignClipper

Windows = list[tuple[str, Stretch]]
"""Each with its model."""


class Chains:
    """A session's. Give it every picture once, in order."""

    def __init__(
        self, specs: Mapping[str, WindowSpec], states: Mapping[str, dict[str, Any]] | None = None
    ) -> None:
        """With `states`, goes on from a checkpoint. ValueError names the model whose state is broken."""
        self._chains = {model: _chain(model, spec, states) for model, spec in specs.items()}
        self.rows = frozenset[int]().union(*(spec.needs for spec in specs.values()))
        """Canonical rows to landmark; where there are none, no picture is landmarked."""
        self.landmark_fps = [spec.fps for spec in specs.values() if spec.picture is None]
        """Samples a second of the models that look at landmarks."""
        self.picture_fps = [PICTURES * spec.fps for spec in specs.values() if spec.picture is not None]
        """Pictures a second that those want to choose from which look at pictures."""

    def add_landmarks(self, time: float, frame: NDArray[np.float32], aspect: float) -> Windows:
        """What was found in the picture added last: the windows that are now whole."""
        found: Windows = []
        for model, chain in self._chains.items():
            if isinstance(chain, SignClipper):
                found += ((model, stretch) for stretch in chain.see(time, frame, aspect))
            elif isinstance(chain, Windower):
                found += ((model, stretch) for stretch in chain.add(time, frame))
            elif not isinstance(chain, Clipper):
                found += ((model, stretch) for stretch in chain.add(time, frame, aspect))
        return found

    def add_picture(self, shot: Shot) -> Windows:
        """A picture: the clips that are now whole. Blocking. ValueError where it cannot be converted."""
        return [(model, stretch) for model, chain in self._clippers() for stretch in chain.add(shot)]

    def replay(self, shot: Shot) -> None:
        """A picture that the last owner had taken. Blocking. ValueError where it cannot be converted."""
        for _, chain in self._clippers():
            chain.replay(shot)

    def flush(self) -> Windows:
        """The media has ended: the windows at its end. Blocking."""
        return [(model, stretch) for model, chain in self._chains.items() for stretch in chain.flush()]

    def since(self) -> float | None:
        """Media time from which on a successor must see the pictures again, seconds; None: from none."""
        times = [time for _, chain in self._clippers() if (time := chain.since()) is not None]
        return min(times, default=None)

    def checkpoint(self) -> dict[str, dict[str, Any]]:
        """By model, for msgpack."""
        return {model: chain.checkpoint() for model, chain in self._chains.items()}

    def _clippers(self) -> list[tuple[str, Clipper]]:
        return [(model, chain) for model, chain in self._chains.items() if isinstance(chain, Clipper)]


def _chain(model: str, spec: WindowSpec, states: Mapping[str, dict[str, Any]] | None) -> Chain:
    kind = _kind(spec)
    if states is None:
        return kind(spec)
    if model not in states:
        raise ValueError(f"no windower of {model}")
    try:
        return kind.restore(spec, states[model])
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"windower of {model}: {error}") from error


def _kind(spec: WindowSpec) -> type[Windower] | type[Segmenter] | type[_Both] | type[Clipper]:
    if spec.picture is not None:
        return SignClipper if spec.segments else Clipper
    if spec.windows == "both":
        return _Both
    return Segmenter if spec.segments else Windower
