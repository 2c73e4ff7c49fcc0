"""Pictures and landmarks in, whole signs out as clips: for models that are shown one sign's pictures."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from workers.keypoints.clipper import Clipper
from workers.keypoints.hands_up import HandsUp
from workers.keypoints.segmenter import GAP_SECONDS, Spans
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import Stretch


class SignClipper(Clipper):
    """One session's whole signs for one model. The same pictures in give the same bytes out.

    Each picture goes to `add`, and then, if it is landmarked, what was found in it to `see`.
    """

    def __init__(self, spec: WindowSpec) -> None:
        super().__init__(spec)
        self._longest_gap = GAP_SECONDS * spec.fps
        self._hands, self._spans = HandsUp(), Spans(spec)

    def see(self, time: float, frame: NDArray[np.float32], aspect: float) -> list[Stretch]:
        """The landmarks of the picture added last; returns the segment that ended, if one did."""
        up = self._hands.add(time, frame, aspect)
        spans, first = self._spans.follow(time * self.spec.fps, up, self._first, self._next)
        found = self._cut(spans)
        del self._samples[: first - self._first]
        self._first = first
        return found

    def checkpoint(self) -> dict[str, Any]:
        """See `Clipper`."""
        return super().checkpoint() | self._spans.checkpoint() | {"hands": self._hands.checkpoint()}

    @classmethod
    def restore(cls, spec: WindowSpec, state: dict[str, Any]) -> Self:
        """See `Clipper`."""
        clipper = super().restore(spec, state)
        try:
            clipper._hands = HandsUp.restore(state["hands"])
            clipper._spans = Spans.restore(spec, state)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a checkpoint of a clipper of whole signs: {error!r}") from error
        return clipper

    def _whole(self) -> list[Stretch]:
        """Segments end when hands rest, not with a number of pictures."""
        return []

    def _finish(self) -> list[Stretch]:
        self._append_last()
        found = self._cut(self._spans.flush(self._first, self._next))
        self._hands = HandsUp()
        return found

    def _cut(self, spans: list[tuple[int, int]]) -> list[Stretch]:
        found = []
        for first, end in spans:
            pictures = tuple(self._samples[first - self._first : end - self._first])
            if len(pictures) >= self.spec.shortest:
                start, last = first / self.spec.fps, (end - 1) / self.spec.fps
                none = np.empty((len(pictures), 0, 3), np.float32)
                found.append(Stretch(self._seq, start, last, none, pictures, whole=True))
                self._seq += 1
        return found
