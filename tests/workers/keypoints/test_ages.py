"""Ages counted in steps."""

from workers.keypoints.ages import STEPS, Ages, percentile


def test_a_percentile_is_the_upper_end_of_its_step() -> None:
    ages = Ages()
    for milliseconds in range(0, 200, 2):
        ages.add((milliseconds + 0.5) / 1000)
    assert percentile(ages.counts, 50) == 100
    assert percentile(ages.counts, 99) == 200
    assert percentile(ages.counts, 100) == 200


def test_what_is_older_than_all_steps_is_not_hidden() -> None:
    ages = Ages()
    ages.add(0.004)
    ages.add(77.0)
    ages.add(-0.003)  # a gateway whose clock is ahead
    assert (ages.counts[0], ages.counts[STEPS]) == (2, 1)
    assert percentile(ages.counts, 60) == 10
    assert percentile(ages.counts, 99) == float("inf")
    assert percentile(Ages().counts, 99) is None
