"""`signstream doctor`."""

import asyncio
import dataclasses
import json
from typing import Annotated

import typer

from deploy.doctor.finding import Finding, failed
from shared import settings as settings_module
from shared.settings import SettingsError

AsJson = Annotated[bool, typer.Option("--json", help='One object: {"ok", "findings": [...]}.')]


def doctor(as_json: AsJson = False) -> None:
    """Looks at Redis, ports, STUN/TURN, workers, models and this machine, and says what to do.

    Reads the settings of the stages: run it with the same environment. Ends with 1 when something has failed.
    Example: SIGNSTREAM_REDIS_URL=redis://127.0.0.1:6379 signstream doctor --json
    """
    from deploy.doctor.examination import as_text, examine

    found: list[Finding]
    try:
        found = asyncio.run(examine(settings_module.load()))
    except SettingsError as error:
        found = [failed("settings", str(error), "correct it: the table of docs/operations.md has them all")]
    healthy = all(finding.status != "failed" for finding in found)
    if as_json:
        told = {"ok": healthy, "findings": [dataclasses.asdict(finding) for finding in found]}
        typer.echo(json.dumps(told))
    else:
        typer.echo(as_text(found))
    raise typer.Exit(0 if healthy else 1)
