"""How late glosses are, on clocks and events made up for it."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from deploy.bench import signed_film
from deploy.bench.glass_to_gloss import Camera, Clock, Frames, account, percentiles
from deploy.bench.undisturbed import Sign

FILM = 240
"""Pictures: eight seconds."""

SIGNS = (Sign("hello", 2.0, 3.0, 2.5, 3.7), Sign("tea", 5.0, 6.0, 5.5, 6.7))

BEGAN = 1000.0


def gloss(status: str, word: str, start: float, at: float, captured: float, **more: float) -> Any:
    """An event of which a viewer heard at `at`; its total runs from `captured` to a tenth before."""
    total = 1000 * (at - captured) - 10
    own = {"capture": 5.0, "keypoints": 20.0, "recognize": 1.0, **more}
    told = {**own, "publish": total - sum(own.values()), "total": total}
    return at, {"type": "gloss", "status": status, "gloss": word, "start": start, "latency_ms": told}


def camera(*events: Any, delay: float = 0.004) -> Camera:
    """Frames are at the gateway a moment after they were captured."""
    clock = Clock([0, 1], [BEGAN, BEGAN + 1 / 30])
    numbers = list(range(3 * FILM))
    frames = Frames([clock.at(n) + delay for n in numbers], numbers)
    return Camera(clock, frames, BEGAN + delay, list(events))


def test_a_partial_counts_from_when_the_sign_is_recognisable() -> None:
    # The newest picture in its window is the 80th: two thirds of a second into the sign.
    captured = BEGAN + 80 / 30 + 0.004
    heard = account(
        camera(gloss("partial", "hello", 2.1, BEGAN + 2.75, captured)), SIGNS, FILM, BEGAN, BEGAN + 5
    )
    assert (heard.shown, heard.missed) == (1, {"partial": 0, "final": 1})
    (one,) = heard.heard
    assert one.late == pytest.approx(250, abs=0.1)
    assert one.parts["camera"] == pytest.approx(4, abs=0.1)
    assert one.parts["viewer"] == pytest.approx(10, abs=0.1)
    assert one.since_picture == pytest.approx(1000 * (2.75 - 80 / 30), abs=0.1)
    assert one.for_a_window == pytest.approx(one.late - one.since_picture)
    # The extractor took 15 of the keypoint worker's 20, the model all of its one.
    assert one.but_inference(15.0) == pytest.approx(one.since_picture - 16)
    assert one.but_inference(99.0) == pytest.approx(one.since_picture - 21), "never less than nothing"


def test_a_final_counts_from_the_end_of_the_sign_and_tells_how_long_it_had_to_wait() -> None:
    captured = BEGAN + 111 / 30 + 0.004
    heard = account(
        camera(gloss("final", "hello", 2.0, BEGAN + 3.8, captured)), SIGNS, FILM, BEGAN, BEGAN + 5
    )
    (one,) = heard.heard
    assert one.late == pytest.approx(800, abs=0.1)
    assert one.waited == pytest.approx(700, abs=0.1)


def test_signs_of_later_rounds_are_told_apart_and_what_nobody_signed_is_extra() -> None:
    second = gloss("partial", "hello", 10.0, BEGAN + 10.6, BEGAN + 10.55)
    again = gloss("partial", "hello", 10.1, BEGAN + 10.7, BEGAN + 10.65)
    wrong = gloss("final", "milk", 5.0, BEGAN + 6.0, BEGAN + 5.9)
    heard = account(camera(second, again, wrong), SIGNS, FILM, BEGAN, BEGAN + 20)
    assert heard.shown == 4
    assert [one.late for one in heard.heard] == [pytest.approx(100, abs=0.1)]
    assert heard.missed == {"partial": 3, "final": 4}
    assert heard.extra == 1


def test_a_session_without_a_frame_has_missed_everything() -> None:
    silent = dataclasses.replace(camera(), frames=Frames([], []))
    assert account(silent, SIGNS, FILM, BEGAN, BEGAN + 9).missed == {"partial": 2, "final": 2}


def test_a_clock_goes_on_beyond_what_was_looked_at() -> None:
    clock = Clock([30, 60], [1.0, 2.5])
    assert clock.at(45) == pytest.approx(1.75)
    assert clock.at(0) == pytest.approx(0.0)
    assert clock.at(90) == pytest.approx(3.5)


def test_percentiles_of_nothing_are_none() -> None:
    assert percentiles([]) == {"p50_ms": None, "p95_ms": None, "p99_ms": None}
    assert percentiles([1.0, 2.0, 3.0])["p50_ms"] == 2.0


@pytest.mark.parametrize("number", [0, 1, 263, 4095])
def test_a_number_in_a_picture_outlives_the_encoder(number: int) -> None:
    picture = np.random.default_rng(number).integers(0, 256, (360, 640, 3), np.uint8)
    picture = picture[::8, ::8].repeat(8, 0).repeat(8, 1)
    encoded = signed_film.vp8_of([signed_film.stamp(picture.copy(), number)] * 2)
    assert signed_film.numbers_in(encoded) == [number, number]


def test_a_picture_without_a_number_has_none() -> None:
    assert signed_film.read_stamp(np.full((360, 640), 200, np.uint8)) is None
    bits = signed_film.bits_of(7)
    assert signed_film.number_of(bits) == 7
    assert signed_film.number_of([*bits[:-1], 1 - bits[-1]]) is None
    assert signed_film.numbers_in([b"no frame"]) == [None]


def test_numbers_are_counted_on_over_rounds() -> None:
    assert signed_film.in_a_row([238, 239, 1, 3, 2, 239, 0], 240) == [238, 239, 241, 243, 242, 479, 480]
