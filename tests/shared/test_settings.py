"""Settings from the environment."""

from pathlib import Path

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


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("UDP_PORTS", "50000", "50000-50100"),
        ("UDP_PORTS", "50100-50000", "LOW-HIGH"),
        ("UDP_PORTS", "80-90", "LOW-HIGH"),
        ("ICE_ADVERTISED", "example.net", "IP address"),
        ("STUN_URLS", "stun.example.net", "stun:HOST:PORT"),
        ("TURN_URLS", "http://turn.example.net", "turn:HOST:PORT"),
        ("TURN_URLS", 'turn:a"b', "turn:HOST:PORT"),
        ("TURN_URLS", "turn:turn.example.net", "SIGNSTREAM_TURN_SECRET"),
        ("ICE_RELAY_ONLY", "1", "SIGNSTREAM_TURN_URLS"),
        ("ICE_ADDRESSES", ",", "empty"),
        ("ICE_ADDRESSES", "media.example.net", "'media.example.net'.*only binds to loopback"),
    ],
)
def test_ice_settings_that_cannot_work_say_what_would(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"SIGNSTREAM_{name}", value)
    with pytest.raises(settings.SettingsError, match=said):
        settings.load()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LOG_LEVEL", "LOUD", "is 'LOUD'.*'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("EXTRACTOR", "magic", "'mediapipe' or 'tracker'"),
        ("PRECISION", "f16", "'auto', 'bf16', 'int8' or 'f32'"),
        ("PORT", "70000", "is '70000'.*65535"),
        ("REDIS_URL", "http://:hunter2@redis:6379", "redis://, rediss://"),
        ("BROKER", "amqp://:hunter2@rabbit", "redis://, rediss://, kafka://"),
        ("ORIGINS", "https://a.example,b.example", "'b.example'.*https://HOST"),
        ("PROXIES", "10.0.0.0/8,proxy", "'proxy'.*network"),
        ("EXECUTION_PROVIDERS", "cpu,npu", "'npu'.*cpu, cuda, openvino"),
        ("MODELS", " , ", "empty"),
        ("KEEP_SECONDS", "5", "60"),
        ("REWRITE_URL", "http://127.0.0.1:8000/v1", "SIGNSTREAM_REWRITE_MODEL"),
        ("OTLP_ENDPOINT", "collector:4318", "http://HOST:PORT"),
    ],
)
def test_a_refusal_says_what_would_be_right(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"SIGNSTREAM_{name}", value)
    with pytest.raises(SettingsError, match=f"SIGNSTREAM_{name}.*{said}") as refused:
        settings.load()
    assert "hunter2" not in str(refused.value)


def test_a_name_that_is_nearly_right_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNSTREAM_ICE_ADRESSES", "127.0.0.1")
    with pytest.raises(SettingsError, match="perhaps SIGNSTREAM_ICE_ADDRESSES"):
        settings.load()


def test_ice_settings_that_work_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGNSTREAM_UDP_PORTS", "50000-50100")
    monkeypatch.setenv("SIGNSTREAM_TURN_URLS", "turn:[::1]:3478?transport=udp,turns:turn.example.net")
    monkeypatch.setenv("SIGNSTREAM_TURN_SECRET", "x")
    read = settings.load()
    assert read.udp_port_range == range(50_000, 50_101)
    assert read.turn_url_list == ("turn:[::1]:3478?transport=udp", "turns:turn.example.net")
    assert settings.load(udp_ports="").udp_port_range is None
    assert "turn_secret" not in repr(read)


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "redis-url").write_text("redis://:secret@redis:6379/0\n")
    monkeypatch.setenv("SIGNSTREAM_REDIS_URL_FILE", str(tmp_path / "redis-url"))
    assert settings.load().redis_url == "redis://:secret@redis:6379/0"


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SIGNSTREAM_REDIS_URL_FILE": "/nowhere"}, "SIGNSTREAM_REDIS_URL_FILE cannot be read.*nowhere"),
        (
            {"SIGNSTREAM_REDIS_URL_FILE": "/nowhere", "SIGNSTREAM_REDIS_URL": "redis://redis"},
            "both SIGNSTREAM_REDIS_URL and SIGNSTREAM_REDIS_URL_FILE",
        ),
        ({"SIGNSTREAM_REDIS_URI_FILE": "/nowhere"}, "unknown setting SIGNSTREAM_REDIS_URI_FILE"),
    ],
)
def test_a_file_of_a_setting_that_cannot_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], said: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=said):
        settings.load()


def test_a_host_may_be_this_machines_by_name() -> None:
    assert settings.load(host="localhost").host == "localhost"


def test_it_is_told_where_each_value_comes_from_and_no_secret_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "turn-secret"
    file.write_text("hunter2\n")
    monkeypatch.setenv("SIGNSTREAM_TURN_SECRET_FILE", str(file))
    monkeypatch.setenv("SIGNSTREAM_PORT", "9000")
    found = settings.sources(host="127.0.0.1", port=None)
    assert (found["host"], found["port"], found["models"]) == ("command line", "environment", "default")
    assert found["turn_secret"] == f"file {file}"
    read = settings.load()
    assert settings.masked("turn_secret", read.turn_secret) == "***"
    assert settings.masked("turn_secret", "") == ""
    assert settings.masked("redis_url", "redis://:hunter2@redis:6379/0") == "redis://:***@redis:6379/0"
    assert settings.masked("port", 9000) == "9000"
