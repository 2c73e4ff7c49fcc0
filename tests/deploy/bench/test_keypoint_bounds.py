"""Whether a run showed what was asked."""

from typing import Any

from deploy.bench.keypoint_bounds import bounds, bounds_of_overload, bounds_of_processes


def average(profile: str, ratio: float = 5.0, **figures: Any) -> dict[str, Any]:
    quality = {
        "hand_recall_percent": 99.0,
        "hand_distance_percent_of_shoulders": 1.0,
        "side_agreement_percent": 100.0,
        "window_agreement_percent": 98.5,
        "clips_with_same_glosses": "7/7",
    }
    return {"profile": profile, "ratio": ratio, **quality, **figures}


def met(rows: list[dict[str, Any]]) -> dict[str, bool]:
    return {bound.what: bound.met for bound in bounds(rows)}


def test_quality_is_held_against_the_floor_of_the_same_film() -> None:
    floor = average("floor", hand_recall_percent=99.4, window_agreement_percent=99.5)
    assert all(met([average("holistic"), floor]).values())
    strict = average("floor", hand_recall_percent=99.6, window_agreement_percent=99.6)
    told = met([average("holistic", clips_with_same_glosses="6/7"), strict])
    failed = {what for what, good in told.items() if not good}
    assert failed == {"hand recall %, clips", "windows %, clips", "clips with the same glosses, clips"}


def test_speed_is_held_against_what_was_asked_of_each_profile() -> None:
    told = met([average("holistic", 4.6), average("holistic, no gates", 3.67), average("hands", 5.5)])
    assert told == {
        "times Holistic, holistic": True,
        "times Holistic, holistic, no gates": False,
        "times Holistic, hands": True,
    }


def test_a_clips_own_rows_are_no_averages() -> None:
    assert bounds([{**average("holistic", 1.0), "clip": "one"}]) == []


def test_films_of_nobody_have_no_quality() -> None:
    nobody: dict[str, Any] = {
        name: None for name in average("holistic") if name.endswith(("percent", "shoulders"))
    }
    told = met([average("holistic", **nobody), average("floor", **nobody)])
    assert set(told) == {"times Holistic, holistic", "clips with the same glosses, clips"}


def test_a_bound_says_what_was_measured_and_asked() -> None:
    part = {"mode": "part: camera, all but inference", "ratio": 0.6, "cpu_ms_per_decoded_frame": 3.1}
    (bound,) = bounds([part])
    assert str(bound) == "NOT met  ms a frame, camera, all but inference: 3.1, at most 2 asked"
    assert bound.row() == {
        "mode": "bound: ms a frame, camera, all but inference",
        "ratio": 1.55,
        "measured": 3.1,
        "asked": "at most 2",
        "met": False,
    }


def test_a_loaded_worker_is_held_to_age_and_account_and_two_to_nearly_twice() -> None:
    young, old = bounds_of_overload([{}, {"age_p99_ms": 90, "unaccounted": 1}])
    assert (young.met, old.met, old.row()["ratio"]) == (True, False, None)
    (scaling,) = bounds_of_processes([{"ratio": 1.0}, {"ratio": 1.87}], 2)
    assert (scaling.asked, scaling.met) == (1.9, False)
