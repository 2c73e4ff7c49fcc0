"""Cameras that come and go leave nothing; a thousand of them by `python -m loadtests.camera_cycles`."""

from loadtests.camera_cycles import grown, run

CYCLES = 6


async def test_a_few_cameras_leave_nothing_in_the_gateway() -> None:
    found = await run(CYCLES, warm_up=CYCLES)
    assert found["grown"] == [], found
    assert found["after"]["expiring_keys"] > found["before"]["expiring_keys"], "no session was made"


def test_growth_is_named() -> None:
    before = {"rss_bytes": 10**8, "tasks": 20, "sockets": 30, "lasting_keys": 1, "sessions_to_own": 0}
    assert grown(before, before, 1000) == []
    assert grown(before, {**before, "tasks": 40, "rss_bytes": 2 * 10**8}, 1000) == ["rss_bytes", "tasks"]
