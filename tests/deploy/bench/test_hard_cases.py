"""When a hand is back."""

import numpy as np
import pytest

from deploy.bench.hard_cases import SIZE, films, later
from shared.landmarks import LEFT_HAND, ROWS


def shown(pattern: str) -> np.ndarray:  # type: ignore[type-arg]
    """The left hand where there is a #."""
    frames = np.full((len(pattern), ROWS, 3), np.nan, np.float32)
    frames[[mark == "#" for mark in pattern], LEFT_HAND.start : LEFT_HAND.stop] = 0.5
    return frames


@pytest.mark.parametrize(
    ("expected", "seen", "delays"),
    [
        (".....########", ".....########", [0]),
        (".....########", ".......######", [2]),
        (".....########", "...##########", [-2]),
        (".....########", ".............", [None]),
        ("....#########", ".............", []),
        (".....#######.", ".....#######.", []),
        (".....########.....########", ".....########......#######", [0, 1]),
    ],
)
def test_returns_are_timed_against_the_reference(expected: str, seen: str, delays: list[int | None]) -> None:
    assert later(shown(expected), shown(seen)) == delays


def test_films_are_of_one_size_each() -> None:
    names = (
        "asl_hello_x2",
        "slovo_f17a6060",
        "msl150_ambulancia",
        "msl150_doctor",
        "msl150_yo",
        "msl150_dolor",
    )
    shapes = [(72, 128), (128, 72)] * 3
    clips = {n: [np.zeros((*s, 3), np.uint8)] * 60 for n, s in zip(names, shapes, strict=True)}
    for name, film in films(clips).items():
        sizes = {rgb.shape for rgb in film}
        assert sizes in ({(SIZE[1], SIZE[0], 3)}, {(SIZE[0], SIZE[1], 3)}), name
        assert all(rgb.flags.c_contiguous and rgb.dtype == np.uint8 for rgb in film)
