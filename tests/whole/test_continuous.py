"""From landmarks to glosses, continuously: what is told of the windows is what the whole says."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.results.isolated import GlossDraft
from gateway.results.rules import rule_of
from shared.bundles import Bundle
from shared.landmarks import ROWS
from shared.messages import Result, Window
from tests.workers.recognizers.spelling import FPS, LETTERS, samples_of, spelled
from workers.keypoints.spec import WindowSpec
from workers.keypoints.windower import Stretch, Windower
from workers.recognizers.graphs import Recognizer
from workers.recognizers.reader import Reader

Told = list[tuple[GlossDraft, float | None]]
"""Drafts, each with the end of the window that brought it; None: the session's end did."""


@pytest.fixture(scope="module", params=["fixed end", "fixed middle", "variable end", "variable middle"])
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A model that answers sample by sample: windows may cost it nothing at all."""
    folder, (length, part) = tmp_path_factory.mktemp("continuous") / "spelled", request.param.split()
    return Reader(Recognizer(spelled(folder, window=18, stride=4, free=length == "variable", part=part)))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Letters held for some samples with blanks or nothing between, and a blank where one is doubled."""
    parts = draw(
        st.lists(
            st.tuples(st.sampled_from(LETTERS), st.integers(1, 5), st.integers(0, 6)), min_size=1, max_size=14
        )
    )
    text = "-" * draw(st.integers(0, 4))
    for letter, held, blanks in parts:
        text += letter * held + "-" * blanks
    return text


def letters(text: str) -> list[str]:
    return [one for one, before in zip(text, "-" + text, strict=False) if one not in ("-", before)]


def live(reader: Reader, text: str) -> Told:
    bundle, rule = reader.bundle, rule_of(reader.bundle)
    windower = Windower(WindowSpec.of(bundle))
    stretches: list[Stretch] = []
    for tick, landmarks in enumerate(samples_of(text)):
        frame = np.full((ROWS, 3), np.nan, np.float32)
        frame[list(bundle.rows)] = landmarks
        stretches += windower.add(tick / FPS, frame)
    told: Told = []
    for stretch in stretches + windower.flush():
        symbols = reader.read(_window(bundle, stretch))
        result = Result(bundle.name, stretch.seq, stretch.start, stretch.end, symbols=symbols)
        told += [(draft, stretch.end) for draft in rule.feed(result)]
    return told + [(draft, None) for draft in rule.finish()]


def _window(bundle: Bundle, stretch: Stretch) -> Window:
    return Window(
        session="s" * 16,
        model=bundle.name,
        seq=stretch.seq,
        start=stretch.start,
        end=stretch.end,
        samples=len(stretch.array),
        rows=len(bundle.rows),
        landmarks=stretch.array.tobytes(),
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts())
def test_windows_cost_nothing_where_the_model_answers_the_same(reader: Reader, text: str) -> None:
    told = live(reader, text)
    finals = [draft for draft, _ in told if draft.status == "final"]
    assert [draft.gloss for draft in finals] == letters(text)
    tiling = reader.bundle.lookahead + reader.bundle.stride / FPS
    for draft, end in told:
        if draft.status == "final" and end is not None and draft.end > 0.9:
            assert end - draft.end <= tiling + 1 / FPS, "final within look-ahead and stride of its end"


def test_a_bundles_words_are_told_where_they_were(tmp_path: Path) -> None:
    reader = Reader(Recognizer(spelled(tmp_path, window=17, stride=4, free=True)))
    finals = [d for d, _ in live(reader, "--aaa---bb--c--") if d.status == "final"]
    assert [(d.gloss, round(d.start, 2), round(d.end, 2)) for d in finals] == [
        ("a", 0.15, 0.45),
        ("b", 0.75, 0.95),
        ("c", 1.15, 1.25),
    ]
