"""What looking at pictures costs, and whether stand-ins that spend as much cost what real workers do."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from deploy.bench.camera_load import trial
from deploy.bench.many_sessions import Crowd
from deploy.bench.scale_films import Films
from deploy.bench.scale_run import Measured, enlarge, measure, stages_for
from deploy.bench.stages import Counts
from shared import connection
from shared.framelog import Frame
from workers.keypoints.pace import LANDMARK_FPS

CALIBRATED = 2
"""Sessions at which the stand-in is told what to spend; at the others it is tried."""

SIZES = {"tracker": (1, 2, 4), "mediapipe": (1, 2)}
"""What one real worker carries."""

Say = Callable[[str], object]
Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Looking:
    """Of one camera in life."""

    cpu_seconds_a_second: float
    """Of a keypoint worker, beyond what a stand-in that spends nothing takes."""
    gateway_cores: float
    """Of a gateway: RTP, Redis, transcript and all."""
    session_bytes: float
    process_bytes: float
    """Memory of a real keypoint worker."""


async def looking_of(films: Films, extractor: str, seconds: float, say: Say) -> tuple[list[Row], Looking]:
    """Rows of real workers beside stand-ins, and the costs."""
    sizes = SIZES[extractor]
    say(f"real keypoint workers with {', '.join(map(str, sizes))} cameras")
    real = await _sizes(films, sizes, seconds, None, films.real, extractor)
    say("stand-ins that spend nothing")
    (bare,) = await _sizes(films, (CALIBRATED,), seconds, films.recording, (), extractor)
    at = real[sizes.index(CALIBRATED)]
    looking = (at.cpu["keypoints"] - bare.cpu["keypoints"]) / CALIBRATED
    say(f"stand-ins that spend {1000 * looking / LANDMARK_FPS:.2f} ms a picture")
    spending = films.recording_that_spends(max(0.0, looking) / LANDMARK_FPS)
    tried = [size for size in sizes if size != CALIBRATED]
    stand_ins = await _sizes(films, tried, seconds, spending, (), extractor)
    say("gateways that take RTP")
    taken = await trial(films.film, sizes[-1], seconds, extractor, counts=Counts(), browser=False)
    return rows_of([one for one in real if one.sessions in tried], stand_ins), Looking(
        cpu_seconds_a_second=looking,
        gateway_cores=taken.cpu["gateway"] / sizes[-1],
        session_bytes=max(
            0.0, (real[-1].memory["keypoints"] - real[0].memory["keypoints"]) / (sizes[-1] - sizes[0])
        ),
        process_bytes=real[0].memory["keypoints"],
    )


async def _sizes(
    films: Films,
    sizes: Sequence[int],
    seconds: float,
    recording: Path | None,
    frames: Sequence[Frame],
    extractor: str,
) -> list[Measured]:
    measured = []
    async with (
        stages_for("cameras", max(sizes), recording, EXTRACTOR=extractor) as stages,
        connection.connect(stages.redis_url) as store,
        Crowd(1.0) as crowd,
    ):
        for size in sizes:
            await enlarge(crowd, size, "cameras", films, stages, store, frames)
            measured.append(await measure(crowd, stages, store, seconds))
    return measured


def rows_of(real: Sequence[Measured], stand_ins: Sequence[Measured]) -> list[Row]:
    """Both, size by size. Real workers that had to leave pictures out spent less: that is told."""
    rows = []
    for one, other in zip(real, stand_ins, strict=True):
        took, spent = one.cpu["keypoints"], other.cpu["keypoints"]
        left_out = 1 - one.pictures / (one.sessions * LANDMARK_FPS)
        rows.append(
            {
                "mode": f"stand-in, {one.sessions} cameras",
                "ratio": round(spent / took, 3),
                "sessions": one.sessions,
                "real_keypoints_ms_per_session": round(1000 * took / one.sessions, 1),
                "stand_in_ms_per_session": round(1000 * spent / one.sessions, 1),
                "stand_in_of_real": round(spent / took, 3),
                "real_left_out_percent": round(100 * max(0.0, left_out), 1),
                "real_windows_per_second": round(one.windows, 2),
                "stand_in_windows_per_second": round(other.windows, 2),
            }
        )
    return rows
