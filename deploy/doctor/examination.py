"""All of it, in the order of the picture's way."""

import asyncio
import time
from collections.abc import Sequence

from deploy.doctor import bundles, landmarks, machine, ports, relays, stages, store
from deploy.doctor.finding import Finding
from gateway.ingest import turn
from gateway.ingest.turn import Credentials
from shared.settings import Settings

NAME = "doctor"
"""Under which TURN's log shows us."""

LOGIN_SECONDS = 600


async def examine(settings: Settings) -> list[Finding]:
    """Every finding; takes some seconds where another machine does not answer."""

    def login() -> Credentials:
        return turn.credentials(settings.turn_secret, NAME, int(time.time()) + LOGIN_SECONDS)

    found = await asyncio.gather(
        ports.look(settings),
        relays.look(settings, login),
        store.look(settings.redis_url),
        stages.look(settings),
        asyncio.to_thread(bundles.look, settings),
    )
    tracked = await asyncio.to_thread(landmarks.look, settings)
    return [*machine.look(settings), tracked, *(finding for part in found for finding in part)]


def as_text(findings: Sequence[Finding]) -> str:
    """For people: a line each, what to do below it, then the sum."""
    widest = max(len(finding.part) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.status:<8}{finding.part:<{widest}}  {finding.said}")
        if finding.advice:
            lines.append(f"{'':8}{'':<{widest}}  -> {finding.advice}")
    counts = {s: sum(f.status == s for f in findings) for s in ("ok", "warning", "failed", "skipped")}
    return "\n".join([*lines, ", ".join(f"{count} {status}" for status, count in counts.items())])
