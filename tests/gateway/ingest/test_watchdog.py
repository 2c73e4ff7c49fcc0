"""The watchdog: packets without frames are a stall, silence is not."""

from gateway.ingest.watchdog import PACKETS_SECONDS, STALL_SECONDS, Watchdog


def test_packets_without_a_frame_for_a_quarter_of_a_second_are_a_stall() -> None:
    watchdog = Watchdog()
    stalled = [ms for ms in range(0, 600, 10) if watchdog.saw_packet(ms / 1000)]
    assert stalled == [int(1000 * STALL_SECONDS), int(2000 * STALL_SECONDS)]


def test_the_wait_begins_with_the_last_frame_not_with_the_packets_after_a_burst() -> None:
    watchdog = Watchdog()
    watchdog.saw_frame(1.0)
    assert not watchdog.saw_packet(1.1)
    assert not watchdog.saw_packet(1.2)
    assert watchdog.saw_packet(1.0 + STALL_SECONDS)


def test_each_frame_begins_the_wait_anew() -> None:
    watchdog = Watchdog()
    for ms in range(0, 3000, 10):
        if ms % 200 == 0:
            watchdog.saw_frame(ms / 1000)
        else:
            assert not watchdog.saw_packet(ms / 1000)


def test_a_camera_that_paused_gets_time_for_its_next_frame() -> None:
    watchdog = Watchdog()
    watchdog.saw_frame(1.0)
    assert not watchdog.saw_packet(60.0)
    assert not watchdog.saw_packet(60.0 + PACKETS_SECONDS / 2)
    watchdog.saw_frame(60.07)
    assert not watchdog.saw_packet(90.0)
    assert watchdog.saw_packet(90.01 + PACKETS_SECONDS)
