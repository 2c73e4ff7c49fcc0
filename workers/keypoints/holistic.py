"""MediaPipe Holistic, the reference extractor: about 27 ms of CPU a picture, 205 MB a session."""

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

import mediapipe
import numpy as np
from numpy.typing import NDArray

from shared.landmarks import FACE, LEFT_HAND, POSE, RIGHT_HAND, empty_frame
from workers.keypoints.extractor import ExtractorState

_PARTS = (
    ("face_landmarks", FACE),
    ("left_hand_landmarks", LEFT_HAND),
    ("pose_landmarks", POSE),
    ("right_hand_landmarks", RIGHT_HAND),
)

_CHATTER = (
    b"All log messages before absl::InitializeLog()",
    b"Created TensorFlow Lite XNNPACK delegate",
    b"Using NORM_RECT without IMAGE_DIMENSIONS",
    b"Feedback manager requires a model with a single signature",
)
"""What MediaPipe's C++ prints for every graph, whatever its log level is set to."""

_starting = threading.Lock()


class Holistic:
    """Video mode, complexity 1 (the one whose model is in the wheel); left and right as MediaPipe names them.

    The same pictures in give the same bytes out. One per session, one thread at a time.
    """

    def __init__(self) -> None:
        self._graph: Any = None
        self._seen = False
        """A person was found: every part of the graph has run, and said what it says once."""

    def landmarks(self, rgb: NDArray[np.uint8], time: float) -> NDArray[np.float32]:
        """See `Extractor`. MediaPipe keeps its own clock (30 pictures a second), so `time` is not used."""
        if self._seen:
            return canonical(self._graph.process(rgb))
        with without_chatter():
            if self._graph is None:
                self._graph = mediapipe.solutions.holistic.Holistic(
                    static_image_mode=False, model_complexity=1
                )
            found = self._graph.process(rgb)
        self._seen = found.pose_landmarks is not None
        return canonical(found)

    def state(self) -> None:
        """MediaPipe does not give its graph's away: a successor is warmed with the last pictures again."""

    def restore(self, state: ExtractorState) -> bool:
        """See `Extractor`."""
        return False

    def close(self) -> None:
        """Frees the graph."""
        if self._graph is not None:
            self._graph.close()


def canonical(found: Any) -> NDArray[np.float32]:
    """What MediaPipe's graph found, as a frame."""
    frame = empty_frame()
    for name, rows in _PARTS:
        part = getattr(found, name)
        if part is not None:
            points = part.landmark[: len(rows)]
            frame[rows.start : rows.stop] = [(point.x, point.y, point.z) for point in points]
    return frame


@contextlib.contextmanager
def without_chatter() -> Iterator[None]:
    """Holds back what is written to file descriptor 2, and lets all but the known chatter go afterwards."""
    with _starting, tempfile.TemporaryFile() as caught:
        sys.stderr.flush()
        terminal = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            caught.seek(0)
            for line in caught:
                if not any(phrase in line for phrase in _CHATTER):
                    os.write(2, line)
