"""The presets of published models."""

import pytest

from shared.bundles import BundleError, presets


@pytest.mark.parametrize("name", presets.names())
def test_a_preset_says_whose_model_it_is_and_under_what_licence(name: str) -> None:
    preset = presets.find(name)
    assert preset.name == name
    assert preset.published.accuracy
    assert preset.published.licence
    assert preset.published.source
    assert "sha256" not in preset.manifest


def test_an_unknown_preset_is_answered_with_those_there_are() -> None:
    with pytest.raises(BundleError, match=r"no preset 'slovo'; there are .*bukva.*slovo-mvit-32-2"):
        presets.find("slovo")
