"""`signstream bench scale`: fits, plans and stand-ins, on made-up measurements."""

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest

from deploy.bench import scale, scale_run
from deploy.bench.camera_load import Film
from deploy.bench.fits import fit_plane
from deploy.bench.plan import GIB, Cost, plan, plan_rows
from deploy.bench.scale_films import MODEL, Films, _stubs
from deploy.bench.scale_run import PARTS, Grown, Measured
from deploy.bench.scale_stand_in import Looking, rows_of
from deploy.bench.scale_verdict import verdict
from deploy.bench.signed_film import numbers_in, stamp, vp8_of
from deploy.bench.stand_in import Recording, StandIn, spend
from shared.bundles import Registry
from shared.framelog import Frame
from shared.landmarks import ROWS
from shared.landmarks.message import pack


def test_what_two_things_cost_is_told_apart() -> None:
    places = [(10, 60), (30, 190), (10, 3), (100, 25), (1000, 250)]
    x, y = [n for n, _ in places], [w for _, w in places]
    plane = fit_plane(x, y, [0.05 + 0.001 * n + 0.0006 * w for n, w in places])
    assert plane.intercept == pytest.approx(0.05)
    assert plane.x_slope == pytest.approx(0.001)
    assert plane.y_slope == pytest.approx(0.0006)
    assert plane.worst == pytest.approx(0, abs=1e-9)


def test_nothing_costs_less_than_nothing() -> None:
    plane = fit_plane([1, 2, 3, 4], [4, 3, 2, 1], [1.0, 2.0, 3.0, 4.0])
    assert plane.y_slope == 0.0
    assert plane.x_slope == pytest.approx(1.0)


def test_a_plane_needs_three_measurements() -> None:
    with pytest.raises(ValueError, match="at least three"):
        fit_plane([1, 2], [1, 2], [1, 2])
    with pytest.raises(ValueError, match="more than 0"):
        fit_plane([1, 2, 3], [1, 2, 3], [1, 0, 2])


COST = Cost(
    cpu={"gateway": 0.005, "keypoints": 0.1, "recognizers": 0.004, "redis": 0.002},
    idle={"gateway": 0.02, "keypoints": 0.02, "recognizers": 0.02, "redis": 0.0},
    windows=6.25,
    process_bytes={"gateway": GIB, "keypoints": GIB, "recognizers": GIB, "redis": 0.0},
    session_bytes={"gateway": 0.0, "keypoints": 0.0, "recognizers": 0.0, "redis": 2**20},
    redis_in=125_000.0,
    redis_out=250_000.0,
    camera=125_000.0,
)


def test_a_plan_rounds_up_to_whole_processes() -> None:
    one = plan(COST, 1000)
    assert one["keypoints_processes"] == 148, "1000 x 0.1 / (0.7 - 0.02)"
    assert one["redis_processes"] == 3
    assert one["gateway_processes"] == 8
    assert one["cores"] == 148 + 3 + 8 + one["recognizers_processes"]
    assert (one["redis_in_mbit_per_s"], one["redis_out_mbit_per_s"]) == (1000, 2000)
    assert one["windows_per_second"] == 6250
    assert one["memory_gib"] == pytest.approx(148 + 8 + one["recognizers_processes"] + 1000 / 1024, abs=0.1)
    modes = [row["mode"] for row in plan_rows("cameras", COST)]
    assert modes == ["plan: 1000 cameras", "plan: 100000 cameras", "plan: 1000000 cameras"]


def test_a_process_that_is_full_without_a_session_has_no_plan() -> None:
    with pytest.raises(ValueError, match="no room"):
        plan(dataclasses.replace(COST, idle=dict.fromkeys(COST.idle, 0.8)), 10)


def measured(sessions: int, stretch: float, *, oldest: float = 0.0, late_percent: float = 0.0) -> Measured:
    windows = 6.25 * sessions / stretch
    cpu = dict.fromkeys(PARTS, 0.01 + 0.0004 * sessions + 0.0005 * windows)
    return Measured(
        sessions=sessions,
        stretch=stretch,
        windows=windows,
        pictures=2.4 * windows,
        cpu=cpu,
        busiest=cpu,
        processes=dict.fromkeys(PARTS, 1),
        memory=dict.fromkeys(PARTS, 1e8 + 1e5 * sessions),
        redis_in=1000.0 * windows,
        redis_out=2000.0 * windows,
        late_percent=late_percent,
        lost=0,
        oldest=oldest,
        lag_ms=1.0,
        busy=1.0,
    )


class Bytes:
    frame_bytes = 4000.0
    message_bytes = 340.0


SIZES = [measured(10, 1), measured(25, 1), *(measured(n, n / 25) for n in (100, 300, 1000))]


def test_cost_in_life_is_found_from_time_that_was_stretched() -> None:
    crowd = Grown(measured(0, 1), SIZES)
    rows, cost = scale.fitted("publishers", crowd, Bytes())  # type: ignore[arg-type]
    assert cost.cpu["gateway"] == pytest.approx(0.0004 + 6.25 * 0.0005)
    assert cost.idle["gateway"] == pytest.approx(0.01)
    assert cost.redis_in == pytest.approx(6250, rel=0.01)
    assert cost.session_bytes["gateway"] == pytest.approx(1e5)
    figures = next(row for row in rows if row["mode"] == "cost: publishers: all")
    assert figures["off_both_percent"] == pytest.approx(0, abs=0.01)
    assert figures["life_raw_percent"] > 5, "ten sessions carry the idle processes alone"
    assert figures["life_beyond_idle_percent"] == pytest.approx(0, abs=0.1)
    assert figures["equal_load_sessions"] == "25 to 1000"
    assert figures["equal_load_raw_percent"] > 50, "what is done by the clock rises"
    assert figures["equal_load_by_clock_ms"] == pytest.approx(4 * 0.4)
    assert figures["equal_load_less_clock_percent"] == pytest.approx(0, abs=0.1)
    with_pictures = scale.with_looking(cost, Looking(0.12, 0.006, 4e5, 3e8))
    assert with_pictures.cpu["keypoints"] == pytest.approx(cost.cpu["keypoints"] + 0.12)
    assert with_pictures.cpu["gateway"] == 0.006


def test_the_verdict_says_which_bound_was_met() -> None:
    crowd = Grown(measured(0, 1), SIZES)
    rows, cost = scale.fitted("cameras", crowd, Bytes())  # type: ignore[arg-type]
    rows += [*scale.size_rows("cameras", crowd), *scale.full_rows({"cameras": cost})]
    hurried = dataclasses.replace(measured(4, 1), pictures=30.0)
    rows += rows_of([measured(1, 1), hurried], [measured(1, 1), measured(4, 1)])
    said = "\n".join(verdict(rows, ["cameras"], 1000))
    assert "cameras: kept up at 10, 25, 100, 300, 1000 sessions, 1000 were asked" in said
    assert "process is full first, at 238 sessions in life" in said
    assert "in life: CPU a session beyond that of processes without one within 0.0 %" in said
    raw = next(text for text in said.splitlines() if "CPU a window, all told," in text)
    assert raw.endswith("10 % were asked: not met")
    assert "one load, 25 to 1000 sessions: CPU a window less that by the clock within 0.0 %" in said
    assert "cameras: 1.6 ms a second for each session by the clock (25 to 1000 sessions)" in said
    assert "stand-in, 1 cameras: a session costs 1.0 of a real worker's: met" in said
    assert "a real worker's, which left 50.0 % of the pictures out: met" in said


def test_cost_that_rises_with_the_crowd_is_not_met() -> None:
    dearer = [
        dataclasses.replace(one, cpu={p: c * n for p, c in one.cpu.items()})
        for one, n in zip(SIZES, (1, 1, 1, 1, 3), strict=True)
    ]
    rows, _ = scale.fitted("cameras", Grown(measured(0, 1), dearer), Bytes())  # type: ignore[arg-type]
    told = verdict(rows, ["cameras"], 1000)
    assert next(text for text in told if "less that by the clock" in text).endswith("not met")


def test_each_size_is_told_beyond_idle_processes_and_by_what_one_more_session_adds() -> None:
    idle, first, second = scale.size_rows("publishers", Grown(measured(0, 1), SIZES[:2]))
    assert (idle["sessions"], idle["all_ms_per_second"]) == (0, 40.0)
    assert first["cpu_ms_per_session_second"] == pytest.approx(4 + first["beyond_idle_ms"])
    assert first["beyond_idle_ms"] == first["one_more_ms"] == pytest.approx(4 * (0.4 + 6.25 * 0.5))
    assert second["one_more_ms"] == first["one_more_ms"]


def test_a_crowd_that_was_too_large_is_said_to_be() -> None:
    crowd = Grown(measured(0, 1), [measured(10, 1), measured(100, 4, late_percent=5.0)])
    said = verdict(scale.size_rows("cameras", crowd), scale.KINDS, 1000)
    assert "cameras: kept up at 10 sessions, 1000 were asked" in said
    assert "cameras: what gave way at 100 sessions: the senders are behind" in said
    assert "publishers: kept up at no sessions, 1000 were asked" in said


def test_many_sessions_share_the_load_of_some() -> None:
    assert scale.steps_of(200, 25) == [(10, 1), (25, 1), (100, 4), (200, 8)]
    assert scale.steps_of(40, 20) == [(10, 1), (20, 1), (25, 1.25), (40, 2)]
    with pytest.raises(ValueError, match="more than 50 times"):
        scale.steps_of(1000, 10)


def test_what_does_not_keep_up_is_named() -> None:
    assert measured(10, 1).full() == []
    full = measured(10, 1, oldest=2.0, late_percent=5.0).full()
    assert full == ["the recognizers are behind", "the senders are behind"]
    _, row = scale.size_rows("cameras", Grown(measured(0, 1), [measured(10, 1, oldest=2.0)]))
    assert row["full"] == "the recognizers are behind"
    assert row["ratio"] == 1.0


def test_a_stand_in_plays_its_recording_and_spends_what_it_is_told() -> None:
    landmarks = np.arange(3, dtype=np.float32)[:, None, None] * np.ones((3, ROWS, 3), np.float32)
    recording = Recording.unpack(Recording(landmarks, 0.02, 500).pack())
    stand_in = StandIn(recording)
    begun = time.thread_time()
    seen = stand_in.landmarks(np.zeros((1, 1, 3), np.uint8), 4 / 15)
    assert 0.02 <= time.thread_time() - begun < 0.06
    assert seen.shape == (ROWS, 3)
    assert float(seen[0, 0]) == 1.0
    state = stand_in.state()
    assert state is not None
    assert len(state["memory"]) == 500
    assert stand_in.restore(state)
    assert StandIn(dataclasses.replace(recording, state_bytes=0)).state() is None
    stand_in.close()
    spend(0.0)


def test_small_pictures_travel_in_frames_as_long_as_real_ones() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (36, 64, 3), np.uint8).repeat(10, 0).repeat(10, 1)
    pictures = [stamp(picture.copy(), number) for number in range(6)]
    real = [Frame(data, n, n, n == 0) for n, data in enumerate(vp8_of(pictures))]
    stubs = _stubs(pictures, real)
    assert [len(stub.data) for stub in stubs] == [max(len(f.data), 0) for f in real]
    assert len(numbers_in([stub.data for stub in stubs])) == 6


def publishers() -> Films:
    """Messages in which nobody is seen; the rest is for cameras."""
    rows = sorted(Registry().find(MODEL).needs)
    nobody = np.full((ROWS, 3), np.nan, np.float32)
    messages = [pack(nobody, 0, 64, 36, rows)] * 30
    film = Film(Path("none"), Path("none"), {})
    return Films(film, [], [], (64, 36), messages, Path("none"), nobody[None], 0)


async def test_a_crowd_grows_under_one_load_and_what_nobody_costs_is_measured_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scale_run, "SETTLE_SECONDS", 0.2)
    monkeypatch.setattr(scale_run, "IDLE_SECONDS", 1.0)
    said: list[str] = []
    until = time.monotonic() + 60
    steps = [(6, 3.0), (2, 1.0)]
    crowd = await scale_run.grown("publishers", publishers(), steps, 2.0, until, said.append)
    assert [(one.sessions, one.stretch, one.lost) for one in crowd.sizes] == [(2, 1.0, 0), (6, 3.0, 0)]
    assert crowd.idle.sessions == 0
    assert 0 < sum(crowd.idle.cpu.values()) < min(sum(one.cpu.values()) for one in crowd.sizes)
    assert all(one.windows == pytest.approx(12.5, rel=0.4) for one in crowd.sizes)
    assert len(said) == 3
