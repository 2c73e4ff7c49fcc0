"""docs/models.md names every field, step and preset there is."""

import re

import pytest
from pydantic import BaseModel

from shared.bundles import manifest, presets
from tests.conftest import ROOT
from workers.recognizers.steps import LANDMARK_STEPS, PICTURE_STEPS

PAGE = (ROOT / "docs" / "models.md").read_text("utf-8")
WORDS = set(re.findall(r"[A-Za-z0-9_-]+", PAGE))
TABLES = [table for table in map(vars(manifest).get, manifest.__all__) if isinstance(table, type)]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_field_is_there(table: type[BaseModel]) -> None:
    assert set(table.model_fields) <= WORDS


def test_every_step_and_every_preset_is_there() -> None:
    assert {*LANDMARK_STEPS, *PICTURE_STEPS} <= WORDS
    assert set(presets.names()) <= WORDS
