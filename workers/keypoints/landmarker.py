"""A session's frames in, landmarked pictures out: decoder, backlog and extractor together. Blocking."""

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from shared import metrics
from shared.framelog import Frame
from shared.sessions import Session
from workers.keypoints.backlog import Backlog
from workers.keypoints.chains import Chains, Windows
from workers.keypoints.decoder import Decoder, Picture
from workers.keypoints.extractor import Extractor, ExtractorState
from workers.keypoints.lost import Lost
from workers.keypoints.pace import Pace
from workers.keypoints.shot import Shot
from workers.keypoints.windower import Stretch
from workers.keypoints.windows import Seen

TURN_SECONDS = 0.1
"""A file's turn ends with the picture in which it has lasted this long, or in which a live session waits."""

OUT_OF_REACH_SECONDS = 1.0
"""A camera's frames that cover more than this, when they are to be decoded, are not all decoded: catching up
would keep the next ones waiting, and landmarks are made only of the newest anyway."""


@dataclasses.dataclass(frozen=True, eq=False)
class Landmarked:
    """A picture and what was found in it."""

    picture: Seen
    landmarks: NDArray[np.float32] | None
    """[543, 3]; None where no model wants them of this picture, or its colours could not be converted."""
    done: float
    """Unix time at which they were there, seconds."""
    windows: Windows = dataclasses.field(default_factory=list)
    """Those that are whole with it."""
    looked_at: bool = True
    """Its colours could be converted, if anybody asked."""


class Landmarker:
    """Works in turns, each short, so that the sessions of a process can share a thread."""

    def __init__(
        self,
        session: Session,
        fps: float,
        extractor: Extractor | None,
        after: float | None = None,
        state: ExtractorState | None = None,
        *,
        chains: Chains | None = None,
        frames: int = 0,
    ) -> None:
        """Landmarks at most `fps` pictures a second, none without an extractor; `chains` gets every picture.

        With `after`, goes on behind that media time, from the extractor's `state` there; so many `frames` of
        the session's came up to there, those that were lost among them.

        Without a state that fits, the extractor is warmed with the pictures up to there. Raises
        UnknownCodecError, and ValueError for a broken state.
        """
        self._session = session
        self._live = session.mode == "live"
        self._out_of_reach = False
        self._chains = chains or Chains({})
        pace = max((fps, *self._chains.picture_fps)) if extractor else max(self._chains.picture_fps)
        self._decoder = Decoder(session, pace)
        self._backlog: Backlog[Picture] = Backlog(pace, live=self._live, after=after)
        self._after = -math.inf if after is None else after
        self._lost = Lost(frames, after)
        self._replayed, self._landmarked = Pace(pace), Pace(fps, after)
        self._extractor = extractor
        self._is_warm = after is None or extractor is None or (state is not None and extractor.restore(state))
        self._flushed = False
        self._unconverted = ""

    def turn(
        self,
        frames: Sequence[Frame],
        read: float,
        *,
        ended: bool,
        hurry: Callable[[], bool] = lambda: False,
    ) -> list[Landmarked]:
        """Decodes all the frames and landmarks what waits: of a camera one picture, of a file for a while.

        A file stops after a picture when `hurry` says that others want the thread.

        One job, so that a live picture is chosen when the thread is free for it, not before. `read` is the
        unix time at which the frames were read; with `ended` nothing follows them.
        """
        begun = time.monotonic()
        if self._live:
            frames = self._in_reach(self._unbroken(frames))
        pictures = self._decoded(frames, read)
        if ended and not self._flushed:
            self._flushed = True
            pictures += self._decoder.flush()
        self._keep(pictures)
        for seen in self._backlog.warm():
            if not self._is_warm:
                self._landmarks(Shot(seen))
        done: list[Landmarked] = []
        while not done or not (self._live or hurry() or time.monotonic() - begun >= TURN_SECONDS):
            picture = self._backlog.take()
            if picture is None:
                break
            done.append(self._look(picture))
        return done

    def _decoded(self, frames: Sequence[Frame], read: float) -> list[Picture]:
        """The pictures of these frames, but for those that were kept because one behind them is missed."""
        pictures: list[Picture] = []
        for frame in frames:
            skipped = self._decoder.skipped
            with metrics.LANDMARK.timed("decode"):
                pictures += self._decoder.decode(frame, read)
            if self._decoder.skipped > skipped:
                if pictures:
                    self._keep(pictures)
                    pictures = []
                self._backlog.miss([self._session.media_time(frame.pts)])
        return pictures

    def _keep(self, pictures: Sequence[Picture]) -> None:
        self._replay(pictures)
        self._backlog.add(pictures)

    def flush(self) -> Windows:
        """The windows at the end of the media."""
        return self._chains.flush()

    def _replay(self, pictures: Sequence[Picture]) -> None:
        """Shows clips again what the last owner had taken, of the same pictures as he did."""
        if not self._chains.picture_fps:
            return
        for picture in pictures:
            if picture.time <= self._after and self._replayed.is_due(picture.time):
                with contextlib.suppress(ValueError):
                    self._chains.replay(Shot(picture))

    def _look(self, picture: Picture) -> Landmarked:
        """Landmarks a picture, if a model wants that, and cuts windows."""
        shot, landmarks, windows, looked_at = Shot(picture), None, list[tuple[str, Stretch]](), True
        try:
            windows += self._chains.add_picture(shot)
        except ValueError as error:
            self._unconverted, looked_at = str(error), False
        if self._extractor is not None and self._landmarked.is_due(picture.time):
            landmarks = self._landmarks(shot)
            looked_at = landmarks is not None
        if landmarks is not None:
            with metrics.LANDMARK.timed("windows"):
                windows += self._chains.add_landmarks(picture.time, landmarks, picture.aspect)
        return Landmarked(picture, landmarks, time.time(), windows, looked_at)

    def _unbroken(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        """A camera's frames behind the last ones that the stream no longer held when they were to be read.

        What came before those is older than the stream is long. Nothing behind them is decoded before a
        keyframe, for it may refer to them.
        """
        begin = 0
        for number, frame in enumerate(frames):
            times = self._lost.before(frame, self._session.media_time(frame.pts))
            if times:
                self._backlog.miss(self._session.media_time(frame.pts) for frame in frames[begin:number])
                self._backlog.miss(times)
                self._decoder.await_keyframe()
                begin = number
        return frames[begin:]

    def _in_reach(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        """Of frames too many to catch up with those from the newest keyframe on; the others are dropped.

        Where there is none to go on from, all are decoded, once: when that took so long that there are too
        many again, nothing is decoded before the next keyframe.
        """
        far = bool(frames) and frames[-1].captured - frames[0].captured > OUT_OF_REACH_SECONDS
        again, self._out_of_reach = far and self._out_of_reach, far
        if not far:
            return frames
        keyframes = [number for number, frame in enumerate(frames) if frame.keyframe]
        if again:
            self._decoder.await_keyframe()
            first = len(frames)
        else:
            first = keyframes[-1] if keyframes else 0
        self._backlog.miss(self._session.media_time(frame.pts) for frame in frames[:first])
        return frames[first:]

    def close(self) -> None:
        """Frees the extractor."""
        if self._extractor is not None:
            self._extractor.close()

    def state(self) -> ExtractorState | None:
        """What the extractor knows after the last picture; None where it cannot say."""
        return None if self._extractor is None else self._extractor.state()

    @property
    def waiting(self) -> int:
        """Pictures that are decoded and due."""
        return len(self._backlog)

    @property
    def dropped(self) -> int:
        """Pictures that were due and came too late."""
        return self._backlog.dropped

    @property
    def lost(self) -> int:
        """Frames that nobody has read: the stream had no room for them any more."""
        return self._lost.count

    @property
    def decoded(self) -> int:
        """Pictures so far, due or not."""
        return self._decoder.pictures

    @property
    def wants_keyframe(self) -> bool:
        """Nothing can be decoded before one comes."""
        return self._decoder.wants_keyframe

    def why_nothing(self) -> str:
        """The likeliest reason, where no picture came out."""
        if self._decoder.errors:
            return self._decoder.last_error
        if self._decoder.skipped and not self._decoder.pictures:
            return "no keyframe came"
        return self._unconverted or "none has a usable timestamp"

    def _landmarks(self, shot: Shot) -> NDArray[np.float32] | None:
        if self._extractor is None:
            return None
        try:
            rgb = shot.rgb()
        except ValueError as error:
            self._unconverted = str(error)
            return None
        with metrics.LANDMARK.timed("landmarks"):
            return self._extractor.landmarks(rgb, shot.time)
