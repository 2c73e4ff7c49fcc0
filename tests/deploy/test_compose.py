"""deploy/compose.yaml against its specification, and against our code."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from shared.grace import GRACE_SECONDS
from shared.settings import FILE_SUFFIX, PREFIX, Settings, load
from tests.conftest import ROOT
from tests.deploy import composition, dockerfile

SECONDS = {"s": 1, "m": 60}

EXAMPLE = ROOT / "deploy" / ".env.example"

STAGES = ("gateway", "keypoints", "recognizers")


def schema() -> Any:
    """That of the Compose Specification (github.com/compose-spec), as check-jsonschema has it."""
    spec = importlib.util.find_spec("check_jsonschema")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "builtin_schemas" / "vendor"
    return json.loads((folder / "compose-spec.json").read_text())


def example() -> dict[str, str]:
    """The variables of .env.example, as they stand there."""
    lines = EXAMPLE.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("environment", [{}, {"SIGNSTREAM_BROKER": "kafka://kafka:9092"}])
def test_it_is_what_the_specification_allows(environment: dict[str, str]) -> None:
    text = composition.VARIABLE.sub(
        lambda found: environment.get(found[1]) or found[2], composition.FILE.read_text()
    )
    jsonschema.validate(yaml.safe_load(text), schema())


def test_every_variable_is_in_the_example_with_its_default_and_a_comment() -> None:
    used = dict(composition.VARIABLE.findall(composition.FILE.read_text()))
    assert example() == used
    paragraphs = EXAMPLE.read_text().strip().split("\n\n")
    assert all(paragraph.startswith("#") for paragraph in paragraphs)


def test_no_value_is_left_to_the_shell() -> None:
    """A key with nothing behind it is taken from whoever runs compose."""
    for name, service in composition.services().items():
        assert all(value is not None for value in service.get("environment", {}).values()), name


@pytest.mark.parametrize("name", STAGES)
def test_a_stages_settings_are_known_and_fit_together(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = composition.services()[name]
    for key, value in service["environment"].items():
        assert key.removesuffix(FILE_SUFFIX).removeprefix(PREFIX).lower() in Settings.model_fields
        if key.endswith(FILE_SUFFIX):
            (tmp_path / key).write_text("redis://stage:secret@redis" if "REDIS_URL" in key else "secret")
        monkeypatch.setenv(key, str(tmp_path / key) if key.endswith(FILE_SUFFIX) else str(value))
    settings = load()
    [expose] = [f"{settings.metrics_port}/tcp"]
    instructions = dockerfile.targets()[service["build"]["target"]]
    assert expose in [one.rest for one in instructions if one.word == "EXPOSE"]
    assert service["command"] == dockerfile.last(instructions, "CMD").listed


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_gets_the_time_it_takes_to_stop(name: str) -> None:
    said = composition.services()[name]["stop_grace_period"]
    amount, unit = re.fullmatch(r"(\d+)([sm])", said).groups()  # type: ignore[union-attr]
    assert int(amount) * SECONDS[unit] >= GRACE_SECONDS[name]  # type: ignore[index]


def test_no_container_has_rights_that_it_does_not_need() -> None:
    for name, service in composition.services().items():
        if name == "kafka":
            continue  # Its image writes its own configuration at the start.
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name


def test_only_this_machine_is_let_in_unless_somebody_says_so() -> None:
    for service in composition.services().values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_what_is_mounted_from_the_checkout_is_there_and_every_volume_is_declared() -> None:
    declared = yaml.safe_load(composition.FILE.read_text())["volumes"]
    for service in composition.services().values():
        for source in composition.mounts(service).values():
            if source.startswith("."):
                assert (composition.FILE.parent / source).exists(), source
            else:
                assert source in declared


def test_no_stage_sees_anothers_secrets() -> None:
    for name in STAGES:
        service = composition.services()[name]
        assert [s for s in composition.mounts(service).values() if "secrets" in s] == [f"{name}-secrets"]
