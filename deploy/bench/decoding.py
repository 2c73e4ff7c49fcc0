"""What a picture costs before anybody looks at it: FFmpeg's options, colours, and what RGB models are sent.

CPU time of this process, one thread, on the recordings as they are and once more as an ordinary encoder makes
them: H.264 with three B-frames at 2.5 Mbit/s, where these cameras have up to 8 and hardly any B-frames.
`ratio` is against FFmpeg as it comes (`reference`), which decodes every picture.
"""

import dataclasses
import io
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from shared import keys
from shared.framelog import Frame
from shared.pictures import PictureSize, pack_jpeg, unpack_jpeg
from shared.sessions import Session
from workers.keypoints.decoder import Decoder, Picture
from workers.keypoints.pace import LANDMARK_FPS, Pace
from workers.keypoints.shot import Shot

Row = dict[str, Any]

OPTIONS: Mapping[str, dict[str, str]] = {
    "reference": {},
    "skip_loop_filter=all": {"skip_loop_filter": "all"},
    "skip_loop_filter=noref": {"skip_loop_filter": "noref"},
    "flags2=fast": {"flags2": "+fast"},
}

BITS_PER_SECOND = 2_500_000
B_FRAMES = 3

MODEL_SIZE = PictureSize(224, 224)
"""What nearly all published RGB models of sign language take."""


@dataclasses.dataclass(frozen=True)
class Film:
    """A file's packets."""

    session: Session
    packets: list[Frame]


def run(videos: Sequence[Path], repeats: int) -> list[Row]:
    """Rows for `signstream bench decoding`."""
    recorded = [_film(str(video)) for video in videos]
    rows = _decoding("recordings", recorded, repeats)
    rows += _decoding("H.264, 3 B-frames, 2.5 Mbit/s", [_encoded(video) for video in videos], repeats)
    return rows + _pictures(recorded)


def _decoding(films: str, films_read: Sequence[Film], repeats: int) -> list[Row]:
    """Each way of decoding in turn, so that a busy machine slows them alike."""
    ways: dict[str, Callable[[Film], Decoder]] = {
        name: lambda film, options=options: _with(Decoder(film.session), options)  # type: ignore[misc]
        for name, options in OPTIONS.items()
    }
    ways["signstream"] = lambda film: Decoder(film.session, LANDMARK_FPS)
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, make in ways.items():
            spent[name].append(sum(_seconds(make(film), film) for film in films_read))
    due = sum(len(_due(film)) for film in films_read)
    reference = statistics.median(spent["reference"])
    truth = [_digests(ways["reference"](film), film) for film in films_read]
    rows = []
    for name, make in ways.items():
        seconds = statistics.median(spent[name])
        changed = _changed(truth, [_digests(make(film), film) for film in films_read])
        row = {"mode": name, "films": films, "ratio": round(seconds / reference, 3)}
        rows.append(row | {"cpu_ms_per_due_picture": round(1000 * seconds / due, 2), "due_changed": changed})
    return rows


def _pictures(films: Sequence[Film]) -> list[Row]:
    """From a decoded picture to what an RGB model is sent, and how far that is from the picture."""
    shown = [picture for film in films for picture in _due(film)[::5]]
    spent = dict.fromkeys(("colours", "fit", "JPEG"), 0.0)
    sizes, errors, worst = [], [], 0
    for picture in shown:
        begun = time.process_time()
        rgb = picture.rgb()
        coloured = time.process_time()
        fitted = MODEL_SIZE.fitted(rgb)
        fit = time.process_time()
        data = pack_jpeg(fitted)
        packed = time.process_time()
        spent["colours"] += coloured - begun
        spent["fit"] += fit - coloured
        spent["JPEG"] += packed - fit
        assert data == Shot(picture).jpeg(MODEL_SIZE), "the same picture gives the same bytes"
        error = np.abs(unpack_jpeg(data).astype(int) - fitted)
        sizes.append(len(data))
        errors.append(float(error.mean()))
        worst = max(worst, int(error.max()))
    rows: list[Row] = [
        {"mode": name, "films": "recordings", "cpu_ms_per_picture": round(1000 * seconds / len(shown), 3)}
        for name, seconds in spent.items()
    ]
    rows[-1] |= {
        "kib_per_picture": round(statistics.mean(sizes) / 1024, 1),
        "levels_off_mean": round(statistics.mean(errors), 2),
        "levels_off_most": worst,
    }
    return rows


def _film(source: str | io.BytesIO) -> Film:
    with av.open(source) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        packets = [Frame(bytes(p), p.pts, p.dts, p.is_keyframe) for p in container.demux(stream) if p.size]
        session = Session(
            id=keys.new_session_id(),
            mode="file",
            models=("none",),
            codec=context.name,
            extradata=context.extradata or b"",
            time_base=stream.time_base or Fraction(1, 90_000),
            start_pts=stream.start_time or 0,
        )
    return Film(session, packets)


def _encoded(video: Path) -> Film:
    spool = io.BytesIO()
    with av.open(str(video)) as source, av.open(spool, "w", format="mp4") as output:
        read = source.streams.video[0]
        stream: Any = output.add_stream("libx264", rate=30)
        stream.width, stream.height = read.codec_context.width, read.codec_context.height
        stream.pix_fmt, stream.bit_rate = "yuv420p", BITS_PER_SECOND
        stream.options = {"preset": "veryfast", "bf": str(B_FRAMES)}
        for frame in source.decode(read):
            plain = av.VideoFrame.from_ndarray(frame.to_ndarray(format="yuv420p"), format="yuv420p")
            output.mux(stream.encode(plain))
        output.mux(stream.encode(None))
    spool.seek(0)
    return _film(spool)


def _with(decoder: Decoder, options: Mapping[str, str]) -> Decoder:
    decoder._codec.options = dict(decoder._codec.options) | dict(options)
    return decoder


def _seconds(decoder: Decoder, film: Film) -> float:
    begun = time.process_time()
    for packet in film.packets:
        decoder.decode(packet)
    decoder.flush()
    return time.process_time() - begun


def _due(film: Film) -> list[Picture]:
    return _paced(Decoder(film.session), film)


def _paced(decoder: Decoder, film: Film) -> list[Picture]:
    pace = Pace(LANDMARK_FPS)
    shown = [p for packet in film.packets for p in decoder.decode(packet)] + decoder.flush()
    return [picture for picture in shown if pace.is_due(picture.time)]


def _digests(decoder: Decoder, film: Film) -> dict[float, int]:
    """Of the pictures that are due, by time."""
    return {picture.time: hash(picture.rgb().tobytes()) for picture in _paced(decoder, film)}


def _changed(truth: Sequence[dict[float, int]], found: Sequence[dict[float, int]]) -> int:
    """Pictures that are due and not the same to the bit, or not there."""
    return sum(
        these.get(at) != digest
        for those, these in zip(truth, found, strict=True)
        for at, digest in those.items()
    )
