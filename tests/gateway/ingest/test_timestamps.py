"""RTP timestamps become media time."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.ingest.timestamps import CLOCK_RATE, RtpClock

FRAME = CLOCK_RATE // 30


def test_the_first_frame_is_at_zero_wherever_the_sender_began() -> None:
    assert RtpClock().pts(4_000_000_000, 12.0) == 0


def test_a_timestamp_that_wraps_goes_on() -> None:
    clock = RtpClock()
    clock.pts((1 << 32) - 100, 0.0)
    assert clock.pts(FRAME - 100, 1 / 30) == FRAME
    assert clock.pts(2 * FRAME - 100, 2 / 30) == 2 * FRAME


def test_a_pause_is_kept() -> None:
    clock = RtpClock()
    clock.pts(0, 0.0)
    assert clock.pts(60 * CLOCK_RATE, 60.0) == 60 * CLOCK_RATE


def test_a_sender_that_restarts_goes_on_by_the_clock_on_the_wall() -> None:
    clock = RtpClock()
    clock.pts(5 * CLOCK_RATE, 0.0)
    assert clock.pts(1000, 0.5) == CLOCK_RATE // 2
    assert clock.pts(1000 + FRAME, 0.5 + 1 / 30) == CLOCK_RATE // 2 + FRAME
    assert clock.pts(3_000_000_000, 1.5 + 1 / 30) == CLOCK_RATE // 2 + FRAME + CLOCK_RATE


@given(
    st.lists(st.tuples(st.integers(0, (1 << 32) - 1), st.floats(0, 100)), min_size=2, max_size=50),
)
def test_time_only_rises_whatever_a_sender_says(frames: list[tuple[int, float]]) -> None:
    clock, now, last = RtpClock(), 0.0, -1
    for timestamp, passed in frames:
        now += passed
        pts = clock.pts(timestamp, now)
        assert last < pts <= (now + 10 * len(frames)) * CLOCK_RATE + len(frames)
        last = pts
