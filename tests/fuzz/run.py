"""Runs one surface's examples: the same ones for the same seed."""

import hypothesis
from hypothesis import HealthCheck, Phase

from tests.fuzz.server import Fuzzed
from tests.fuzz.surfaces import Surface


def fuzz(surface: Surface, count: int, gateway: Fuzzed | None, seed: int) -> int:
    """Throws `count` examples at the surface and those it always gets; how many. Raises what went wrong."""
    thrown = 0
    for example in surface.always():
        surface.check(example, gateway)
        thrown += 1

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(surface.input())
    def throw(example: object) -> None:
        nonlocal thrown
        thrown += 1
        surface.check(example, gateway)

    throw()
    return thrown
