"""`signstream config`: which settings are in force, and where each came from."""

import json
from dataclasses import asdict, dataclass

from shared import settings
from shared.settings import PREFIX, Settings


@dataclass(frozen=True)
class InForce:
    """One setting. `value` is as it may be shown: secrets are masked."""

    name: str
    value: str | int | float | bool
    source: str
    """`default`, `environment`, `file PATH` or `command line`."""


def in_force(read: Settings, sources: dict[str, str]) -> list[InForce]:
    """Every setting, in the order of the table in docs/operations.md."""
    shown = []
    for field in Settings.model_fields:
        value = getattr(read, field)
        as_shown = settings.masked(field, value) if isinstance(value, str) else value
        shown.append(InForce(PREFIX + field.upper(), as_shown, sources[field]))
    return shown


def as_text(shown: list[InForce]) -> str:
    """A line each, those that somebody set marked with where."""
    names, values = max(len(one.name) for one in shown), max(len(str(one.value)) for one in shown)
    width = min(values, 60)
    return "\n".join(f"{one.name:<{names}}  {one.value!s:<{width}}  {one.source}" for one in shown)


def as_json(shown: list[InForce]) -> str:
    """`{"settings": [{"name", "value", "source"}]}`."""
    return json.dumps({"settings": [asdict(one) for one in shown]}, ensure_ascii=False, indent=1)
