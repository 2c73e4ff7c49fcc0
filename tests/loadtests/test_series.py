"""The verdicts on a soak's series."""

from loadtests.series import Series


def test_only_what_rises_after_the_warm_up_is_not_flat() -> None:
    series = Series()
    for number in range(120):
        warming = min(number, 24)
        series.add(5.0 * number, {"gateway rss_mib": 100.0 + warming, "gateway tasks": 9.0 + number // 12})
    verdicts = {verdict.series: verdict.flat for verdict in series.verdicts(120.0)}
    assert verdicts == {"gateway rss_mib": True, "gateway tasks": False}


def test_each_series_has_the_bound_of_its_kind() -> None:
    series = Series()
    for number in range(12):
        series.add(number, {"keypoints 1 open_files": 40.0, "redis_keys": 7.0, "redis-server rss_mib": 12.0})
    assert {verdict.series: verdict.most_per_hour for verdict in series.verdicts(0.0)} == {
        "keypoints 1 open_files": 2.0,
        "redis_keys": 20.0,
        "redis-server rss_mib": 4.0,
    }
