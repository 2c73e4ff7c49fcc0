"""A part of the fuzzing, the same each time; `python -m tests.fuzz 10000` does the rest."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.run import fuzz
from tests.fuzz.server import Fuzzed
from tests.fuzz.surfaces import SURFACES, Surface

EXAMPLES = 400
"""Of all surfaces together: some ten seconds."""


@pytest.fixture(scope="module")
def gateway(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    before, tempfile.tempdir = tempfile.tempdir, str(tmp_path_factory.mktemp("spool"))
    try:
        with Fuzzed(redis_server).running() as running:
            yield running
    finally:
        tempfile.tempdir = before


@pytest.mark.parametrize("surface", [s for s in SURFACES if not s.served], ids=lambda s: s.name)
def test_malformed_input_is_refused_in_words(surface: Surface) -> None:
    fuzz(surface, round(EXAMPLES * surface.share), None, seed=1)


@pytest.mark.parametrize("surface", [s for s in SURFACES if s.served], ids=lambda s: s.name)
def test_malformed_input_harms_no_server(surface: Surface, gateway: Fuzzed) -> None:
    fuzz(surface, round(EXAMPLES * surface.share), gateway, seed=1)


def test_every_share_is_spent() -> None:
    assert sum(surface.share for surface in SURFACES) == pytest.approx(1.0)
    assert Path(__file__).with_name("__main__.py").exists()
