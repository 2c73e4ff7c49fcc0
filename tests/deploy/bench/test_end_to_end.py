"""`signstream bench end-to-end`: a short real run with a browser, and what its rows are made of."""

import asyncio
import dataclasses
import itertools
from pathlib import Path

import msgpack
import numpy as np
import pytest
from typer.testing import CliRunner

from deploy.bench import camera_load, chromium_camera, end_to_end, signed_film, undisturbed
from deploy.bench.camera_load import Film, Trial, trial
from deploy.bench.glass_to_gloss import Account, Heard
from deploy.bench.stages import Counts
from deploy.bench.undisturbed import Told, middle_round
from deploy.cli import commands
from gateway.results.isolated import GlossDraft

PICTURES = 96


@pytest.fixture
def film(tmp_path: Path) -> Film:
    """Nobody signs in it."""
    grey = np.random.default_rng(3).integers(60, 200, (36, 64, 3), np.uint8).repeat(10, 0).repeat(10, 1)
    pictures = [signed_film.stamp(grey.copy(), number) for number in range(PICTURES)]
    frames = signed_film.vp8_of(pictures)
    signed_film.write_mjpeg(pictures, tmp_path / "film.mjpeg")
    (tmp_path / "film.vp8").write_bytes(msgpack.packb(frames))
    numbers = {data: number for number, data in enumerate(frames)}
    return Film(tmp_path / "film.mjpeg", tmp_path / "film.vp8", numbers)


@pytest.mark.browser
def test_every_picture_of_a_browser_and_of_a_publisher_is_known_again_at_the_gateway(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        chromium_camera.browser()
    except chromium_camera.NoBrowserError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(camera_load, "SETTLE_SECONDS", 0.2)
    monkeypatch.setattr(camera_load, "LEFT_SECONDS", 0.1)
    measured = asyncio.run(trial(film, 2, 1.5, "tracker", counts=Counts()))
    assert measured.browser is not None
    for camera in (measured.browser, *measured.publishers):
        numbers, captured = camera.frames.numbers, camera.frames.captured
        assert len(numbers) > 20
        assert all(later > earlier for earlier, later in itertools.pairwise(numbers))
        delays = [at - camera.clock.at(number) for at, number in zip(captured, numbers, strict=True)]
        assert 0 <= np.median(delays) < 0.5
        assert abs(camera.zero - camera.clock.at(numbers[0])) < 1.0
    assert set(measured.cpu) == {"redis", "gateway", "keypoints", "recognizers"}
    assert all(cores > 0 for cores in measured.cpu.values())
    assert measured.landmarks_ms > 0
    assert measured.due == pytest.approx(2 * measured.seconds * 15, abs=1)


def told(status: str, start: float, end: float, at: float) -> Told:
    draft = GlossDraft(status, "hello", 0.9, start, end, [], 0, 0, 0, 0)  # type: ignore[arg-type]
    return Told(draft, at)


def test_the_earliest_of_all_beginnings_is_when_a_sign_is_recognisable() -> None:
    first = [told("partial", 2, 3, 2.5), told("final", 2, 3, 3.5)]
    runs = [
        [*first, told("partial", 10.0, 11, 10.6), told("final", 10.0, 11.0, 11.8)],
        [*first, told("partial", 10.1, 11, 10.5), told("final", 10.1, 11.2, 11.9)],
    ]
    (sign,) = middle_round(runs, 8.0)
    assert sign.recognisable == pytest.approx(2.5)
    assert sign.sure == pytest.approx(3.8)
    assert sign.start == pytest.approx(2.05)
    assert sign.end == pytest.approx(3.1)


def test_a_film_that_is_read_otherwise_where_windows_lie_otherwise_is_refused() -> None:
    whole = [told("partial", 10.0, 11, 10.6), told("final", 10.0, 11.0, 11.8)]
    with pytest.raises(RuntimeError, match="not read alike"):
        middle_round([whole, []], 8.0)
    assert undisturbed.ROUNDS == 3


MEASURED = Trial(2, 10.0, 0.0, 10.0, None, [], 2, {"gateway": 0.1}, 1.0, 5.0, 1.0, 0.1, 2.0)


def test_rows_say_which_bound_is_met() -> None:
    parts = {"camera": 3, "capture": 5, "keypoints": 20, "recognize": 1, "publish": 8, "viewer": 4}
    heard = [Heard("partial", 200.0, 0.0, parts), Heard("final", 900.0, 700.0, parts)]
    accounts = [Account(2, heard, {"partial": 1, "final": 1}, 0)]
    rows = [
        *end_to_end.late_rows("all", accounts, MEASURED),
        *end_to_end.part_rows("all", accounts, MEASURED),
    ]
    said = "\n".join(end_to_end.verdict(rows))
    assert "recognisable: p95 200.0 ms of 500: met" in said
    assert "end: p95 900.0 ms of 800: not met, by 100 ms" in said
    assert "inference, camera and viewer too: p95 35.0 ms of 60: met" in said
    by_mode = {row["mode"]: row for row in rows}
    assert by_mode["all: of the final: after that"]["p50_ms"] == 200
    assert by_mode["all: part: keypoints without the extractor"]["p50_ms"] == 15
    assert MEASURED.drop_share == pytest.approx(2 / 300)


def test_capacity_is_the_most_of_which_hardly_a_picture_is_dropped(
    film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    async def fake(_: Film, sessions: int, seconds: float, extractor: str) -> Trial:
        tried.append(sessions)
        dropped = 0 if sessions <= 5 else 40
        return dataclasses.replace(MEASURED, sessions=sessions, dropped=dropped, cpu={"all": 0.15 * sessions})

    monkeypatch.setattr(end_to_end, "trial", fake)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    found = asyncio.run(end_to_end.capacity(film, "tracker", lambda _: None))
    assert found.sessions == 5
    assert tried[-1] in (5, 6)


def test_a_wrong_extractor_is_refused(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"")
    done = CliRunner().invoke(commands, ["bench", "end-to-end", "--clip", str(clip), "--extractor", "guess"])
    assert done.exit_code == 2
    assert "tracker or mediapipe" in done.stderr
