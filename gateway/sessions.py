"""`GET /sessions/{id}` and its transcript."""

import asyncio
import contextlib
import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.admission import place_in_line
from gateway.results import captions, log
from gateway.state import Gateway, gateway_of
from shared import keys, sessions, tasks
from shared.sessions import Session

LONGEST_WAIT_SECONDS = 600.0
"""Proxies rarely hold a request longer; ask again."""


async def _known(request: Request) -> Session:
    return await log.known(gateway_of(request).store, request.path_params["id"])


async def show(request: Request) -> Response:
    """State, counts, drops and latencies."""
    session = await _known(request)
    store = gateway_of(request).store
    fields: Any = await store.hgetall(keys.session(session.id))
    told = await log.so_far(store, session.id)
    glosses = [event for event in told if event["type"] == "gloss"]
    reached = sessions.REACHED_PREFIX.encode()
    waits = session.state == sessions.QUEUED
    return JSONResponse(
        {
            "session": session.id,
            "state": session.state,
            "reason": session.reason,
            "place": await place_in_line(store, session.id, keys.LINE_LENGTH) if waits else None,
            "mode": session.mode,
            "models": list(session.models),
            "epoch": session.epoch,
            "created": session.created,
            "progress": _progress(session, fields),
            "events": told[-1]["seq"] if told else 0,
            "glosses": len(captions.finals(told)),
            "windows": {
                name.removeprefix(reached).decode(): int(seq) + 1
                for name, seq in fields.items()
                if name.startswith(reached)
            },
            "incoming": json.loads(fields.get(sessions.INCOMING.encode(), b"null")),
            "dropped": int(fields.get(sessions.DROPPED.encode(), 0)),
            "latency_ms": glosses[-1]["latency_ms"] if glosses else None,
        }
    )


def _progress(session: Session, fields: Any) -> float | None:
    """The share of a file that is told; None for cameras."""
    return float(fields.get(sessions.PROGRESS.encode(), 0)) if session.mode == "file" else None


async def transcript(request: Request) -> Response:
    """Final glosses, as the `Accept` header asks; `?wait=SECONDS` until the session has ended."""
    wait = _wait(request.query_params.get("wait"))
    newest = await log.newest_seq(gateway_of(request).store, request.path_params["id"])
    session = await _known(request)
    if wait and session.state not in sessions.OVER:
        await _until_over(gateway_of(request), session.id, newest, wait)
        session = await _known(request)
    store = gateway_of(request).store
    glosses = captions.finals(await log.so_far(store, session.id))
    accepted = request.headers.get("accept", "*/*")
    if "text/vtt" in accepted:
        return Response(captions.as_webvtt(glosses), media_type="text/vtt")
    if "application/json" in accepted or "*/*" in accepted:
        return JSONResponse({"session": session.id, "state": session.state, "glosses": glosses})
    if "text/plain" in accepted or "text/*" in accepted:
        return PlainTextResponse(captions.as_text(glosses))
    raise HTTPException(406, "transcripts come as application/json, text/plain or text/vtt")


async def _until_over(gateway: Gateway, session_id: str, after: int, wait: float) -> None:
    """Or until the time is up: what there is by then is the answer, and its state says that more may come."""

    async def hear_all() -> None:
        async with contextlib.aclosing(gateway.relays.events(gateway.store, session_id, after)) as events:
            async for _ in events:
                pass

    hearing = asyncio.create_task(hear_all())
    draining = asyncio.create_task(gateway.draining.wait())
    try:
        await asyncio.wait({hearing, draining}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
        if hearing.done():
            hearing.result()
    finally:
        await tasks.end(hearing, draining)


def _wait(asked: str | None) -> float:
    if asked is None:
        return 0.0
    try:
        wait = float(asked)
    except ValueError:
        wait = -1.0
    if not 0 <= wait <= LONGEST_WAIT_SECONDS:
        raise HTTPException(400, f"wait must be 0 to {LONGEST_WAIT_SECONDS:g} seconds; got {asked[:40]!r}")
    return wait


ROUTES = [
    Route("/sessions/{id}", show),
    Route("/sessions/{id}/transcript", transcript),
]
