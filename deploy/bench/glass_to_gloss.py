"""How late glosses are, and where the time went. Pure: clocks, frames and events in, figures out.

All times are unix times of one machine, seconds; figures are in milliseconds.
"""

import bisect
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from deploy.bench.signed_film import RATE
from deploy.bench.undisturbed import Sign

NEAR_SECONDS = 0.7
"""A gloss is of the sign that begins nearest to its own begin, up to this far: signs are further apart."""

CLOCK_SECONDS = 0.001
"""`latency_ms` is rounded to tenths, and a frame's time is taken a moment before it is kept."""

PERCENTILES = (50, 95, 99)

Status = Literal["partial", "final"]

PARTS = ("camera", "capture", "keypoints", "recognize", "publish", "viewer")
"""In the order in which a picture meets them; those in the middle are the event's own."""


@dataclasses.dataclass(frozen=True)
class Frames:
    """A camera's frames as the gateway had them: when, and each one's number counted on over all rounds."""

    captured: Sequence[float]
    numbers: Sequence[int]

    def before(self, at: float) -> int | None:
        """Place of the newest frame that the gateway had by then."""
        place = bisect.bisect_right(self.captured, at) - 1
        return place if place >= 0 else None


@dataclasses.dataclass(frozen=True)
class Clock:
    """When a camera captured which picture, by pictures that were looked at (at least two)."""

    numbers: Sequence[int]
    """Counted on over all rounds, rising."""
    captured: Sequence[float]

    def at(self, number: float) -> float:
        """Of any picture: between two that were looked at by their distance, beyond them at RATE."""
        if number <= self.numbers[0]:
            return self.captured[0] - (self.numbers[0] - number) / RATE
        if number >= self.numbers[-1]:
            return self.captured[-1] + (number - self.numbers[-1]) / RATE
        return float(np.interp(number, self.numbers, self.captured))


@dataclasses.dataclass(frozen=True)
class Camera:
    """All that is known of one session."""

    clock: Clock
    frames: Frames
    zero: float
    """Unix time of the session's media time 0."""
    events: Sequence[tuple[float, Mapping[str, Any]]]
    """With the time at which a viewer had each."""


@dataclasses.dataclass(frozen=True)
class Shown:
    """A sign that a camera showed. Times are the camera's."""

    sign: Sign
    start: float
    end: float
    recognisable: float
    sure: float


@dataclasses.dataclass(frozen=True)
class Heard:
    """A gloss that came for it. In milliseconds."""

    status: Status
    late: float
    """After the sign was recognisable (partial), or over (final)."""
    waited: float
    """Of that, until what comes after the sign shows that it is over; 0 of a partial."""
    parts: Mapping[str, float]
    """By PARTS, from the capture of the newest picture in its window until a viewer had it."""

    @property
    def since_picture(self) -> float:
        """From that picture's capture to the viewer."""
        return sum(self.parts.values())

    @property
    def for_a_window(self) -> float:
        """Until a window of this session lay so that it showed the sign."""
        return self.late - self.waited - self.since_picture

    def but_inference(self, landmarks_ms: float) -> float:
        """Of the time since the picture, what neither the extractor (`landmarks_ms`) nor the model took."""
        keypoints = max(0.0, self.parts["keypoints"] - landmarks_ms)
        return self.since_picture - self.parts["keypoints"] - self.parts["recognize"] + keypoints


@dataclasses.dataclass(frozen=True)
class Account:
    """Of one camera, between two times."""

    shown: int
    heard: Sequence[Heard]
    missed: Mapping[Status, int]
    extra: int
    """Glosses of signs that were not shown."""


def signs_shown(clock: Clock, signs: Sequence[Sign], film: int, begin: float, end: float) -> list[Shown]:
    """Signs of a film of so many pictures, of which all but a second's answer lies between two times."""
    shown = []
    rounds = range(clock.numbers[0] // film - 1, clock.numbers[-1] // film + 2)
    for played in rounds:
        for sign in signs:
            times = (
                clock.at(played * film + RATE * t)
                for t in (sign.start, sign.end, sign.recognisable, sign.sure)
            )
            one = Shown(sign, *times)
            if begin <= one.start and one.sure + 1.0 <= end:
                shown.append(one)
    return shown


def account(camera: Camera, signs: Sequence[Sign], film: int, begin: float, end: float) -> Account:
    """What came of the signs shown between two times."""
    shown = signs_shown(camera.clock, signs, film, begin, end)
    if not camera.frames.numbers:
        return Account(len(shown), [], {"partial": len(shown), "final": len(shown)}, 0)
    zero = camera.zero
    heard: list[Heard] = []
    found: dict[Status, set[int]] = {"partial": set(), "final": set()}
    extra = 0
    for arrived, event in camera.events:
        if event["type"] != "gloss":
            continue
        status: Status = event["status"]
        of = _sign_of(shown, zero + event["start"], event["gloss"])
        if of is None or of in found[status]:
            extra += begin + NEAR_SECONDS <= zero + event["start"] <= end - 3 * NEAR_SECONDS and of is None
            continue
        one = _heard(camera, shown[of], status, arrived, event["latency_ms"])
        if one is not None:
            found[status].add(of)
            heard.append(one)
    missed: dict[Status, int] = {status: len(shown) - len(places) for status, places in found.items()}
    return Account(len(shown), heard, missed, extra)


def _sign_of(shown: Sequence[Shown], start: float, gloss: str) -> int | None:
    near = [(abs(one.start - start), n) for n, one in enumerate(shown) if one.sign.gloss == gloss]
    nearest = min(near, default=(NEAR_SECONDS, -1))
    return nearest[1] if nearest[0] < NEAR_SECONDS else None


def _heard(
    camera: Camera, shown: Shown, status: Status, arrived: float, told: Mapping[str, float]
) -> Heard | None:
    """None where the frame behind it is not known."""
    place = camera.frames.before(arrived - told["total"] / 1000 + CLOCK_SECONDS)
    if place is None:
        return None
    captured = camera.frames.captured[place]
    from_camera = 1000 * (captured - camera.clock.at(camera.frames.numbers[place]))
    to_viewer = 1000 * (arrived - captured) - told["total"]
    own = {part: told[part] for part in PARTS[1:-1]}
    since = shown.recognisable if status == "partial" else shown.end
    return Heard(
        status=status,
        late=1000 * (arrived - since),
        waited=0.0 if status == "partial" else 1000 * (shown.sure - shown.end),
        parts={"camera": from_camera, **own, "viewer": to_viewer},
    )


def percentiles(values: Sequence[float]) -> dict[str, float | None]:
    """By name, in milliseconds; None where there is nothing."""
    if not values:
        return {f"p{share}_ms": None for share in PERCENTILES}
    return {f"p{share}_ms": round(float(np.percentile(values, share)), 1) for share in PERCENTILES}
