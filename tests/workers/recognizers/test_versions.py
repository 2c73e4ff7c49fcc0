"""A model that is replaced while sessions run."""

import dataclasses
from types import SimpleNamespace

import pytest

from shared.messages import Window
from tests.workers.recognizers.conftest import make_window
from workers.recognizers import versions
from workers.recognizers.versions import Versions


def edition(spec: str) -> SimpleNamespace:
    return SimpleNamespace(bundle=SimpleNamespace(spec=spec))


def window(spec: str) -> Window:
    return dataclasses.replace(make_window("session-of-the-test"), spec=spec)


def test_one_with_the_same_spec_takes_over_at_once() -> None:
    old, new = edition("a"), edition("a")
    models = Versions(old)
    models.put(new)
    assert models.pick(window("a")) is new


def test_windows_made_for_another_spec_still_get_the_version_they_were_made_for() -> None:
    old, new = edition("a"), edition("b")
    models = Versions(old)
    models.put(new)
    assert models.pick(window("a")) is old
    assert models.pick(window("b")) is new
    assert models.pick(window("")) is new


def test_a_version_that_comes_back_is_the_newest_again() -> None:
    first, second, third = edition("a"), edition("b"), edition("a")
    models = Versions(first)
    models.put(second)
    models.put(third)
    assert models.pick(window("a")) is third
    assert models.pick(window("b")) is second


def test_a_version_without_windows_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = edition("a"), edition("b"), edition("c")
    models = Versions(first)
    models.put(second)
    monkeypatch.setattr(versions, "KEEP_SECONDS", 0.0)
    models.put(third)
    assert models.pick(window("a")) is third
    assert models.pick(window("b")) is second
