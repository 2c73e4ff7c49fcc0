"""Whether everything was told once and in order."""

from loadtests.continuity import Continuity


def taken(*events: tuple[int, str]) -> Continuity:
    continuity = Continuity()
    for seq, epoch in events:
        continuity.take(seq, epoch)
    return continuity


def test_events_in_order_are_no_failure() -> None:
    continuity = taken((1, "a"), (2, "a"), (3, "a"))
    assert continuity.failure == ""
    assert (continuity.received, continuity.after) == (3, 3)


def test_what_is_missing_is_lost_and_what_comes_again_is_doubled() -> None:
    assert taken((1, "a"), (4, "a")).failure == "2 lost"
    assert taken((1, "a"), (2, "a"), (2, "a"), (3, "a")).failure == "1 doubled"
    assert taken((2, "a")).failure == "1 lost", "the first event is the first"


def test_a_doubled_event_is_not_new() -> None:
    continuity = taken((1, "a"), (2, "a"))
    assert not continuity.take(1, "a")
    assert continuity.take(3, "a")


def test_another_epoch_means_that_what_was_stored_is_gone() -> None:
    continuity = taken((1, "a"), (2, "a"), (1, "b"))
    assert continuity.failure == "1 epochs lost"
    assert continuity.after == 1
