"""What deploy/compose.yaml says, with the values of an environment in it."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.conftest import ROOT

FILE = ROOT / "deploy" / "compose.yaml"

VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")
"""The one form that the file uses."""

Service = dict[str, Any]


def services(environment: Mapping[str, str] | None = None) -> dict[str, Service]:
    """Every service by its name."""
    given = environment or {}
    text = VARIABLE.sub(lambda found: given.get(found[1]) or found[2], FILE.read_text())
    assert "${" not in text, "a variable in another form than ${NAME:-default}"
    found: dict[str, Service] = yaml.safe_load(text)["services"]
    return found


def address(service: Service) -> str:
    """The one that it is given; empty where any will do."""
    fixed: str = service.get("networks", {}).get("default", {}).get("ipv4_address", "")
    return fixed


def mounts(service: Service) -> dict[str, str]:
    """Where each volume or folder of the checkout is seen."""
    pairs = [volume.split(":")[:2] for volume in service.get("volumes", [])]
    return {seen: source for source, seen in pairs}
