"""How far a file is, told seldom and never backwards."""

from gateway.results.progress import TELL_SECONDS, Progress


def test_nothing_is_told_before_the_length_is_known() -> None:
    progress = Progress(0.0)
    progress.reach("words", 3.0)
    assert progress.tell(1, 100.0) is None
    progress.seconds = 6.0
    assert progress.tell(1, 100.0) == 0.5


def test_it_is_told_at_most_once_a_second() -> None:
    progress = Progress(10.0)
    told = []
    for tenth in range(100):
        progress.reach("words", tenth / 10)
        told.append(progress.tell(1, 1000 + tenth / 10))
    assert len([share for share in told if share is not None]) == 10 / TELL_SECONDS


def test_the_slowest_model_counts_and_all_must_have_begun() -> None:
    progress = Progress(10.0)
    progress.reach("words", 8.0)
    assert progress.tell(2, 100.0) is None
    progress.reach("letters", 2.0)
    assert progress.tell(2, 100.0) == 0.2


def test_it_neither_falls_nor_repeats_nor_exceeds_one() -> None:
    progress = Progress(10.0)
    progress.reach("words", 5.0)
    assert progress.tell(1, 100.0) == 0.5
    progress.reach("words", 4.0)
    assert progress.tell(1, 102.0) is None
    progress.reach("words", 12.0)
    assert progress.tell(1, 104.0) == 1.0


def test_another_process_goes_on() -> None:
    progress = Progress(10.0)
    progress.reach("words", 5.0)
    progress.tell(1, 100.0)
    successor = Progress.restore(progress.state())
    assert successor.tell(1, 105.0) is None
    successor.reach("words", 6.0)
    assert successor.tell(1, 105.0) == 0.6
