"""The watchdog: packets without frames are a stall, silence is not."""

from gateway.ingest.watchdog import STALL_SECONDS, Watchdog


def test_packets_without_a_frame_for_a_quarter_of_a_second_are_a_stall() -> None:
    watchdog = Watchdog()
    stalled = [ms for ms in range(0, 600, 10) if watchdog.saw_packet(ms / 1000)]
    assert stalled == [int(1000 * STALL_SECONDS), int(2000 * STALL_SECONDS)]


def test_each_frame_begins_the_wait_anew() -> None:
    watchdog = Watchdog()
    for ms in range(0, 3000, 10):
        if ms % 200 == 0:
            watchdog.saw_frame()
        else:
            assert not watchdog.saw_packet(ms / 1000)


def test_a_silent_camera_does_not_stall() -> None:
    watchdog = Watchdog()
    watchdog.saw_frame()
    assert not watchdog.saw_packet(60.0)
    assert not watchdog.saw_packet(60.2)
    assert watchdog.saw_packet(60.3)
