"""`GET /sessions/{id}` and its transcript."""

import asyncio
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.results import captions, log
from gateway.state import gateway_of
from shared import keys, sessions
from shared.sessions import Session

LONGEST_WAIT_SECONDS = 600.0
"""Proxies rarely hold a request longer; ask again."""


async def _known(request: Request) -> Session:
    session = await sessions.load(gateway_of(request).store, request.path_params["id"])
    if session is None:
        name = str(request.path_params["id"])[:64]
        raise HTTPException(404, f"no session {name}: it never was, or ended more than an hour ago")
    return session


async def show(request: Request) -> Response:
    """State, counts, drops and latencies."""
    session = await _known(request)
    store = gateway_of(request).store
    fields: Any = await store.hgetall(keys.session(session.id))
    told = await log.so_far(store, session.id)
    glosses = [event for event in told if event["type"] == "gloss"]
    reached = sessions.REACHED_PREFIX.encode()
    return JSONResponse(
        {
            "session": session.id,
            "state": session.state,
            "reason": session.reason,
            "mode": session.mode,
            "models": list(session.models),
            "epoch": session.epoch,
            "created": session.created,
            "events": told[-1]["seq"] if told else 0,
            "glosses": len(captions.finals(told)),
            "windows": {
                name.removeprefix(reached).decode(): int(seq) + 1
                for name, seq in fields.items()
                if name.startswith(reached)
            },
            "dropped": int(fields.get(sessions.DROPPED.encode(), 0)),
            "latency_ms": glosses[-1]["latency_ms"] if glosses else None,
        }
    )


async def transcript(request: Request) -> Response:
    """Final glosses, as the `Accept` header asks; `?wait=SECONDS` until the session has ended."""
    session = await _known(request)
    store = gateway_of(request).store
    wait = _wait(request.query_params.get("wait"))
    if wait:
        try:
            async with asyncio.timeout(wait):
                async for _ in log.follow(store, session.id, 0):
                    pass
        except TimeoutError:
            pass  # What there is by now is the answer; its state says that more may come.
        session = await _known(request)
    glosses = captions.finals(await log.so_far(store, session.id))
    accepted = request.headers.get("accept", "*/*")
    if "text/vtt" in accepted:
        return Response(captions.as_webvtt(glosses), media_type="text/vtt")
    if "application/json" in accepted or "*/*" in accepted:
        return JSONResponse({"session": session.id, "state": session.state, "glosses": glosses})
    if "text/plain" in accepted or "text/*" in accepted:
        return PlainTextResponse(captions.as_text(glosses))
    raise HTTPException(406, "transcripts come as application/json, text/plain or text/vtt")


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
