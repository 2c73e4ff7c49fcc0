"""Settings from the environment."""

import pytest

from shared import settings
from shared.settings import SettingsError


def test_defaults_are_safe() -> None:
    made = settings.load()
    assert made.host == "127.0.0.1"
    assert made.model_list == ("asl-words",)


def test_the_environment_sets_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNSTREAM_PORT", "9000")
    assert settings.load().port == 9000
    assert settings.load(port=9001).port == 9001
    assert settings.load(port=None).port == 9000


def test_an_unknown_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNSTREAM_PROT", "9000")
    with pytest.raises(SettingsError, match=r"SIGNSTREAM_PROT.*SIGNSTREAM_PORT"):
        settings.load()


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "many"), ("PORT", "70000"), ("VIDEO_BITRATE", "-1"), ("LOG_LEVEL", "LOUD")]
)
def test_a_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SIGNSTREAM_{name}", value)
    with pytest.raises(SettingsError, match=f"SIGNSTREAM_{name}"):
        settings.load()


@pytest.mark.parametrize(("name", "value"), [("HOST", "0.0.0.0"), ("ICE_ADDRESSES", "127.0.0.1,192.0.2.1")])
def test_without_tokens_only_loopback_is_served(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"SIGNSTREAM_{name}", value)
    with pytest.raises(SettingsError, match="only binds to loopback"):
        settings.load()
